"""Bulk acts: every row is fetched, judged and written for itself, by the same path as the single act."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext
from sqlalchemy import select
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from app.core.access.context import current_access
from app.core.access.fetch import fetch
from app.core.access.predicate import predicate
from app.core.db import current_session
from app.core.deleting import erase
from app.core.entity import Entity
from app.core.errors import AccessRefused, Conflict, Forbidden, Invalid, Outdated, ShouzeError
from app.core.fab import trail
from app.core.fab.cells import said
from app.core.history import record
from app.core.saved import BulkRun
from app.core.saving import Refused, save
from app.core.verbs import Verb
from app.core.workflow import Transition, lock, reasons_against, require_ready, run
from app.core.writing import retry_once, unit_of_work

log = logging.getLogger(__name__)
MOST_ROWS = 200
MOST_FOUND = 500  # rows of a filter: each is a transaction of its own, within one request
LARGEST_KEY = 2**63 - 1
DELETE = "delete"


@dataclass(frozen=True)
class BulkAct:
    """An act on many rows. `run(model, key, reason)` does it to one, in a unit of work of its own, and returns what the
    row is called when it is gone afterwards.

    asks: a form class and its fields, whose values `run` gets by name as plain values (of a row its key); takes: a
    right on another entity that the act needs as well. together: done to all rows at once instead, `together(keys,
    **asked)` gives the answer; it judges each row itself. most: rows at once. hinders: why rows that it may be done to
    will be left out all the same, as far as one can say beforehand.
    """

    name: str
    label: Any
    verb: Verb
    run: Callable[..., str]
    reason: bool = False
    kind: str = "plain"
    confirm: Any = ""
    step: Transition | None = None
    asks: tuple[Any, list[str]] | None = None
    takes: tuple[str, Verb] | None = None
    together: Callable[..., Any] | None = None
    most: int = MOST_FOUND
    hinders: Callable[[dict[int, Any]], dict[int, str]] | None = None


def _apart(_model: type[Entity], _key: int, _why: str) -> str:
    raise TypeError("this act is done to all rows together")


def one_file(
    name: str, label: Any, give: Callable[..., Any], *, confirm: Any = "", most: int = MOST_ROWS,
    asks: tuple[Any, list[str]] | None = None, hinders: Callable[[dict[int, Any]], dict[int, str]] | None = None,
) -> BulkAct:  # fmt: skip
    """An act that prints rows into one file and changes none: `give(keys, **asked)` answers for all of them."""
    return BulkAct(name, label, Verb.PRINT, _apart, confirm=confirm, asks=asks, together=give, most=most,
                   hinders=hinders)  # fmt: skip


def bulk_act(  # noqa: PLR0913 - one keyword a fact about the act
    name: str, label: Any, verb: Verb, act: Callable[..., None], *, reason: bool = False, kind: str = "plain",
    confirm: Any = "", asks: tuple[Any, list[str]] | None = None, takes: tuple[str, Verb] | None = None,
) -> BulkAct:  # fmt: skip
    """An act that a declaration adds: `act(row, reason, **asked)` changes one locked row, on which the person may do
    `verb`."""

    def one(model: type[Entity], key: int, why: str, **asked: Any) -> str:
        with unit_of_work(verb, why):
            act(lock(fetch(model, key, verb)), why, **asked)
        return ""

    return BulkAct(name, label, verb, one, reason, kind, confirm, asks=asks, takes=takes)


def plainly(act: BulkAct, form: Any) -> dict[str, Any]:
    """What the act's form asks, as plain values: they outlast the session that read them. A row gives its key."""
    names = act.asks[1] if act.asks else []
    values = {name: form._fields[name].data for name in names}
    return {name: value.id if isinstance(value, Entity) else value for name, value in values.items()}


def acts_of(
    model: type[Entity], entity: str, asks: dict[str, tuple[Any, list[str]]], added: list[BulkAct]
) -> list[BulkAct]:  # fmt: skip
    """What this person may try on rows of an entity: steps that ask nothing but a reason, what the declaration adds,
    deletion."""
    steps = model.__workflow__.transitions if model.__workflow__ else ()
    found = [_step(step, steps) for step in steps if not asks.get(step.name, (None, []))[1]]
    found += [*added, _DELETION]
    access = current_access()
    return [one for one in found if access.may(entity, one.verb) and (one.takes is None or access.may(*one.takes))]


def _step(step: Transition, all_steps: tuple[Transition, ...]) -> BulkAct:
    def one(model: type[Entity], key: int, why: str) -> str:
        with unit_of_work(step.verb, why):
            row = fetch(model, key)
            if getattr(row, model.state_column()) not in step.sources:  # what the reader sees anyway is said first
                raise Conflict(reasons_against(row, step)[0])
            run(row, step.name, reason=why)
        return ""

    label = said(step.label)
    if sum(other.label == step.label for other in all_steps) > 1:
        label = _("%(what)s（%(state)s）", what=label, state=_("、").join(said(state) for state in step.sources))
    return BulkAct(step.name, label, step.verb, one, step.reason, step.kind, step.confirm, step)


_DELETION = BulkAct(DELETE, lazy_gettext("删除"), Verb.DELETE, erase, kind="danger",
                    confirm=lazy_gettext("删除后不能找回，但经过里会留下一条记录。"))  # fmt: skip


def hindrances(model: type[Entity], act: BulkAct, rows: dict[int, Any]) -> dict[int, str]:
    """Why the act will not be done to these rows, as far as their state, its guards and the person's postings tell.

    The act itself judges each row again.
    """
    mine = select(model.id).where(model.id.in_(rows), predicate(current_access(), model, act.verb))
    able = set(current_session().scalars(mine)) if rows else set()
    found = {key: str(_("您可以查看，但不能进行这项操作。")) for key in rows if key not in able}
    for key, row in rows.items():
        in_state = act.step is not None and getattr(row, model.state_column()) in act.step.sources
        if act.step is not None and (key in able or not in_state) and (why := reasons_against(row, act.step)):
            found[key] = str(why[0])
    if act.hinders is not None:
        found = act.hinders({key: row for key, row in rows.items() if key in able}) | found
    return found


def keys_of(given: list[str], most: int = MOST_ROWS) -> list[int]:
    """The keys of the ticked rows, once each, in order; what is no key is 0, which no row has. Raises Invalid."""
    found = list(dict.fromkeys(_key(one.strip()) for one in given))
    if not found:
        raise Invalid(_("没有选中任何一条。"))
    if len(found) > most:
        raise Invalid(_("一次最多办理 %(n)s 条，现在选中 %(m)s 条。", n=most, m=len(found)))
    return found


def versions_in(given: list[str]) -> dict[int, int]:
    """The versions that the page showed, key.version each; what is none is left out."""
    pairs = (one.partition(".") for one in given[:MOST_FOUND])
    return {_key(key): _key(version) for key, _dot, version in pairs}


def _key(text: str) -> int:
    number = int(text) if text.isascii() and text.isdigit() and len(text) < 20 else 0
    return number if number <= LARGEST_KEY else 0


def perform_once(
    model: type[Entity], act: BulkAct, keys: list[int], reason: str, token: str, seen: dict[int, int],
    *, asked: dict[str, Any] | None = None,
) -> None:  # fmt: skip
    """Do the act to each row, unless this token was used before: then nothing happens, and its receipt stands.

    `seen`: the versions of the rows on the page that asked; a row that somebody changed since does not go.
    Raises Conflict when the token was used for something else.
    """
    if act.name != DELETE:
        require_ready()  # before the receipt: what asks for a PIN now must not count as done
    told = [model.__name__, act.name, keys, reason, *([asked] if asked else [])]
    digest = hashlib.sha256(json.dumps(told, default=str).encode()).hexdigest()
    if asked:
        act = replace(act, run=partial(act.run, **asked))
    try:
        with unit_of_work(Verb.CREATE):
            row = BulkRun(account_id=current_access().person.id, key=token, entity=model.__name__, act=act.name)
            row.digest = digest
            receipt = save(row, Verb.CREATE).id
    except (Refused, Conflict):
        if receipt_of(model, token, digest) is None:
            raise Conflict(_("这一页已经提交过别的内容，请回到列表重新选择。")) from None
        return
    found = {key: _one(model, act, key, reason, seen.get(key)) for key in keys}
    with unit_of_work(Verb.UPDATE):
        fetch(BulkRun, receipt).outcomes = [[key, *one[:3]] for key, one in found.items()]
    _log_denied(act, [key for key, one in found.items() if one[3]])


def receipt_of(model: type[Entity], token: str, digest: str = "") -> BulkRun | None:
    """The receipt of this person's bulk act."""
    wanted = select(BulkRun).where(
        BulkRun.account_id == current_access().person.id, BulkRun.key == token, BulkRun.entity == model.__name__
    )
    found = current_session().scalars(wanted).one_or_none()
    return None if found is not None and digest and found.digest != digest else found


def _one(model: type[Entity], act: BulkAct, key: int, reason: str, seen: int | None) -> tuple[bool, str, str, bool]:
    """(went, why not, name of a row that is gone, denied) of one row; whatever fails rolls back this row alone."""
    try:
        gone = retry_once(lambda: _upon(model, act, key, reason, seen))
    except ShouzeError as error:
        return False, _why(error), "", isinstance(error, (Forbidden, AccessRefused))
    except DBAPIError:
        log.exception("bulk %s on %s %s: database", act.name, model.__name__, key)
        return False, _("数据库拒绝了这次修改。"), "", False
    except Exception:
        log.exception("bulk %s on %s %s", act.name, model.__name__, key)
        return False, _("系统出了问题，这一条没有改变。"), "", False
    return True, "", gone, False


def _why(error: ShouzeError) -> str:
    """What stood in the way: beside fields, or of what a person would have to tick."""
    fields = error.fields.values() if isinstance(error, Invalid) else ()
    doubts = (one.text for one in error.doubts) if isinstance(error, Refused) else ()
    return " ".join(str(text) for text in (*fields, *doubts)) or str(error)


def _upon(model: type[Entity], act: BulkAct, key: int, reason: str, seen: int | None) -> str:
    """The act upon the version that was seen. Raises Conflict, naming who wrote since."""
    with unit_of_work(act.verb, reason):
        row: Any = fetch(model, key)
        if seen is not None and lock(row).version != seen:
            told = trail.last_writer(row)
            raise Outdated(_("您打开之后，%(who)s %(at)s 改过这一条，请看过现在的内容再办。", **told))
        return act.run(model, key, reason)


def _log_denied(act: BulkAct, keys: list[int]) -> None:
    """Denied tries are in the history as those of single acts are: one entry for all of them."""
    if not keys:
        return
    try:
        record(act.verb, "被拒绝", office_id=current_access().person.office_id, act=act.name, keys=keys)
    except SQLAlchemyError:
        log.exception("denied tries could not be logged")
