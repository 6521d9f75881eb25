"""From a hand-over that has just been made to the papers it prints."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from sqlalchemy import select

from app.core.db import current_session
from app.core.handover import WENT
from app.core.moving import Moved
from app.core.office import Office, OfficeKind, Posting
from app.core.pdf.text import control_characters, unprintable

from .rules import LONGEST_NAME, MOST_ROWS

MISSING = "〓"  # what compositors set for a character they have not


def contexts_of(moved: Moved, *, demo: bool) -> Iterator[dict[str, Any]]:
    """One HandoverContext for each `MOST_ROWS` rows. A character that no font has never stops a hand-over."""
    names = moved.names
    parts = -(-len(names) // MOST_ROWS)
    for part in range(parts):
        first = part * MOST_ROWS
        rows = [
            {
                "n": first + n,
                "kind": kind,
                "name": printable(name, LONGEST_NAME) or "（无权显示）",
                "outcome": outcome.value,
            }
            for n, (kind, name, outcome) in enumerate(names[first : first + MOST_ROWS], 1)
        ]
        yield {**_head(moved), "counts": _counts(moved), "rows": rows, "part": part + 1, "parts": parts,
               "verify": None, "demo": demo}  # fmt: skip


def _head(moved: Moved) -> dict[str, Any]:
    handover = moved.handover
    office = current_session().get_one(Office, handover.office_id)
    giver, receiver, supervisor = handover.giver, handover.account, handover.supervisor
    return {
        "bureau": printable(_bureau(office).name, 80),
        "office": printable(office.name, 80),
        "giver": printable(giver.name if giver is not None else "", 60) or "—",
        "giver_title": printable(_title(handover.posting), 40),
        "receiver": printable(receiver.name if receiver is not None else "", 60) or "—",
        "receiver_title": printable(_title_of(handover.account_id, handover.office_id), 40),
        "supervisor": printable(supervisor.name, 60) if supervisor is not None else None,
        "kind": handover.kind,
        "reason": printable(handover.reason, 500),
        "date": handover.date.isoformat(),
    }


def _counts(moved: Moved) -> list[dict[str, Any]]:
    found = Counter((kind, outcome in WENT) for kind, _name, outcome in moved.names)
    kinds = dict.fromkeys(kind for kind, _name, _outcome in moved.names)
    return [{"kind": kind, "went": found[kind, True], "kept": found[kind, False]} for kind in kinds]


def _bureau(office: Office) -> Office:
    """The bureau an office belongs to; itself at the top."""
    found = office
    while found.kind != OfficeKind.BUREAU and found.parent is not None:
        found = found.parent
    return found if found.kind == OfficeKind.BUREAU else office


def _title(posting: Posting | None) -> str:
    return posting.title or posting.role.name if posting is not None else ""


def _title_of(account_id: int, office_id: int) -> str:
    """What somebody is at an office, by the newest posting there."""
    asked = select(Posting).where(Posting.account_id == account_id, Posting.office_id == office_id)
    return _title(current_session().scalars(asked.order_by(Posting.id.desc()).limit(1)).first())


def printable(text: str, limit: int) -> str:
    """A text as the set of fonts can print it, on one line, cut to a limit."""
    flat = " ".join(text.split())
    for bad in dict.fromkeys((*control_characters(flat), *unprintable(flat))):
        flat = flat.replace(bad, MISSING)
    return flat if len(flat) <= limit else f"{flat[: limit - 1]}…"
