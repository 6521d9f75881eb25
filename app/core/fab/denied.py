"""Refused and forged requests of signed-in people, in the history: each request once, apart from the act's transaction.

What nobody signed in sends is the server's log's business: a chain that any stranger could lengthen would be a weapon.
"""

from __future__ import annotations

import logging
from typing import Any

from flask import Response, current_app, g, has_request_context, request
from flask_babel import force_locale
from flask_login import current_user

from app.core.fab.gate import gate_of
from app.core.history import record
from app.core.history_entry import Kind
from app.core.verbs import Verb

log = logging.getLogger(__name__)
LONGEST_PATH = 160  # characters of a refused address that are kept
MOST_NOTED = 10  # forged values of one request that are named


def note(what: str, value: object) -> None:
    """Something in this request names what is not there for its sender: a key, a column. Logged when it is answered."""
    if has_request_context():
        g.setdefault("forged", []).append(f"{what}={str(value)[:60]}")


def log_refusal(status: int, error: object) -> None:
    """A try that was refused: what is not one's own and what is not there look the same."""
    noted = g.pop("forged", None)
    forged = {"forged": list(dict.fromkeys(noted))[:MOST_NOTED]} if noted else {}
    _log("被拒绝", status=status, why=_in_chinese(error), **forged)


def log_noted(response: Response) -> Response:
    """What was noted while the request ran, in one entry; nothing costs nothing."""
    if noted := g.pop("forged", None):
        _log("可疑的请求", kind=Kind.DENIED, forged=list(dict.fromkeys(noted))[:MOST_NOTED])
    return response


def _said(facts: dict[str, Any]) -> str:
    """What is worth a word in the server's log; quoted: a stranger's line end would write lines of its own."""
    return " ".join(f"{name}={facts[name]!r}" for name in ("why", "forged") if facts.get(name))


def _in_chinese(error: object) -> str:
    with force_locale("zh"):  # history is in one language, whoever is refused
        return str(error)[:200]


def _log(what: str, **facts: Any) -> None:
    access = g.get("access") if current_user.is_authenticated else None  # asks who it is, if nobody has yet
    if access is None:
        log.warning("%s: %s %r from %s %s", what, request.method, request.path[:200], request.remote_addr, _said(facts))
        return
    gate = gate_of(current_app.view_functions.get(request.endpoint or ""))
    verb = gate if isinstance(gate, Verb) else Verb.READ
    told = {"path": request.path[:LONGEST_PATH], "method": request.method, **facts}
    try:
        record(verb, what, office_id=access.person.office_id, **told)
    except Exception:
        log.exception("a denied try could not be logged")
