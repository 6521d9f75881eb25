"""Work goes from one person to another: each row judged and moved by itself, all in one unit of work.

Only the charge moves. Who made, drafted or inspected stays written as it is, and rules that compare persons compare
those; the row's history names the act and its reason.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any, TypeVar

from flask_babel import gettext as _
from sqlalchemy import inspect, select
from sqlalchemy.orm import joinedload

from app.core import clock
from app.core.access.context import Access, current_access, load
from app.core.access.predicate import answered_for, predicate
from app.core.db import current_session
from app.core.errors import Invalid, WriteOutsideUnit
from app.core.handover import WENT, Handover, HandoverLine, Outcome
from app.core.office import Leaving
from app.core.open_work import Kind, Left, kinds
from app.core.types import public_id
from app.core.verbs import Verb
from app.core.workflow import handles
from app.core.writing import current_unit, perform

T = TypeVar("T")
AT_ONCE = 500
CORE = {"id", "public_id", "version", "made_at", "made_by_id"}


@dataclass(frozen=True)
class Parcel:
    """Rows of one kind for one receiver, each with the version that was seen when it was decided."""

    kind: Kind
    account_id: int
    rows: tuple[tuple[int, int], ...]


@dataclass
class Moved:
    """A hand-over that was made, and what its rows are called, for the paper: (kind, name, outcome)."""

    handover: Handover
    names: list[tuple[str, str, Outcome]] = field(default_factory=list)


def move(left: Left, why: Leaving, parcels: Iterable[Parcel], *, reason: str, supervised: bool = True) -> list[Moved]:
    """Hand rows over, in the unit of work in force: one Handover a receiver. What can't go stays, and says why.

    `supervised`: a person decided, who stands on the paper as 监交人, and each receiver must be able to do the work;
    otherwise (撤销) it goes to whoever leads, who shares it out. Raises Invalid, Conflict.
    """
    if current_unit() is None:
        raise WriteOutsideUnit("move() needs a unit of work")
    by_receiver: dict[int, list[Parcel]] = defaultdict(list)
    for parcel in parcels:
        if parcel.rows:
            by_receiver[parcel.account_id].append(parcel)
    found = []
    for account_id, own in by_receiver.items():
        made = _begun(left, why, account_id, reason, supervised=supervised)
        judged_by = load(account_id) if supervised else None
        for parcel in own:
            for chunk in pieces(parcel.rows):
                _take(made, left, parcel.kind, chunk, judged_by)
        _close(made)
        found.append(made)
    current_session().flush()
    return found


def pieces(rows: Sequence[T]) -> Iterator[Sequence[T]]:
    """The rows in pieces that one statement names."""
    yield from (rows[start : start + AT_ONCE] for start in range(0, len(rows), AT_ONCE))


def _begun(left: Left, why: Leaving, account_id: int, reason: str, *, supervised: bool) -> Moved:
    if account_id == left.account.id:
        raise Invalid(_("不能移交给本人。"))
    handover = Handover(
        posting_id=left.posting.id, giver_id=left.account.id, account_id=account_id, kind=why, date=clock.today(),
        supervisor_id=current_access().person.id if supervised else None, reason=reason,
        office_id=left.posting.office_id, made_office_id=left.posting.office_id, items=[],
    )  # fmt: skip
    current_session().add(handover)
    perform(handover, Verb.CREATE)
    return Moved(handover)


def _take(made: Moved, left: Left, kind: Kind, chunk: Iterable[tuple[int, int]], receiver: Access | None) -> None:
    """Judge and move some rows of a kind; a line tells what became of each."""
    seen = dict(chunk)
    rows = _locked(kind, seen)
    fit = _fit(kind, seen, receiver)
    for key, version in seen.items():
        row = rows.get(key)
        outcome = _outcome(kind, left.account.id, row, version, fit=key in fit)
        if outcome is Outcome.MOVED:
            outcome = _charge(kind, row, made.handover)
        line = HandoverLine(
            position=len(made.names) + 1, kind=kind.charge.label, entity=kind.cls.__name__, row_id=key, outcome=outcome
        )
        made.handover.items.append(line)
        perform(line, Verb.CREATE, made.handover)
        made.names.append((kind.charge.label, str(row) if row is not None else "", outcome))


def _locked(kind: Kind, keys: Iterable[int]) -> dict[int, Any]:
    """The rows as they now are, locked, with what they are called after."""
    cls: Any = kind.cls
    names = [joinedload(getattr(cls, name)) for name in cls.__named_by__]
    asked = select(cls).where(cls.id.in_(list(keys))).order_by(cls.id).options(*names)
    asked = asked.with_for_update(of=cls).execution_options(populate_existing=True)
    return {row.id: row for row in current_session().scalars(asked).unique()}


def _fit(kind: Kind, keys: Iterable[int], receiver: Access | None) -> set[int]:
    """The rows the receiver may work on, by the same criteria that guard the session; all, where nobody chose him."""
    needs = kind.charge.needs
    if receiver is None or needs is None:
        return set(keys)
    other = kind.charge.needs_on
    mine = (answered_for(receiver, kind.cls, other, needs) if other
            else predicate(receiver, kind.cls, needs, states=False))  # fmt: skip
    return set(current_session().scalars(select(kind.cls.id).where(kind.cls.id.in_(list(keys)), mine)))


def _outcome(kind: Kind, giver: int, row: Any, version: int, *, fit: bool) -> Outcome:
    if row is None or not _is_open(kind, row):
        return Outcome.GONE
    if in_charge(kind, row) != giver or row.version != version:
        return Outcome.CHANGED
    return Outcome.MOVED if fit else Outcome.UNFIT


def in_charge(kind: Kind, row: Any) -> int | None:
    """The account that is in charge of a row."""
    found: int | None = getattr(row, kind.charge.column)
    return found if found is not None or not kind.charge.instead else getattr(row, kind.charge.instead)


def _is_open(kind: Kind, row: Any) -> bool:
    charge = kind.charge
    if charge.states and getattr(row, row.state_column()) not in charge.states:
        return False
    last = getattr(row, charge.ends) if charge.ends else None
    return last is None or last >= clock.today()


def _charge(kind: Kind, row: Any, handover: Handover) -> Outcome:
    """Put the receiver in charge of a row, or end it where it is the person's own (a delegation to sign)."""
    if not kind.charge.ends or _unbegun(kind, row):
        setattr(row, kind.charge.column, handover.account_id)
        perform(row, Verb.CREATE, handover)
        return Outcome.MOVED
    if kind.charge.renews:
        _renew(kind, row, handover.account_id, handover, Verb.CREATE)
    _end(kind, row)
    perform(row, Verb.CREATE, handover)
    return Outcome.MOVED if kind.charge.renews else Outcome.ENDED


def _unbegun(kind: Kind, row: Any) -> bool:
    """Whether a row that nobody shares a day of begins today or later: then it goes over as it is."""
    return kind.charge.alone and row.date_from >= clock.today()


def _end(kind: Kind, row: Any) -> None:
    """From today on it holds no more; what began today can only end today."""
    first: date | None = getattr(row, "date_from", None)
    before = clock.today() - timedelta(days=1)
    setattr(row, kind.charge.ends, max(first, before) if first is not None else before)


def _renew(kind: Kind, row: Any, account_id: int, handover: Handover, verb: Verb) -> None:
    """The same for another person from today on, unless that one has it already."""
    cls: Any = kind.cls
    values = {one.key: getattr(row, one.key) for one in inspect(cls).column_attrs if one.key not in CORE}
    values |= {kind.charge.column: account_id, "date_from": clock.today()}
    same = [getattr(cls, name) == values[name] for name in kind.charge.same or cls.__about__]
    theirs = getattr(cls, kind.charge.column) == account_id
    open_still = select(cls.id).where(*same, theirs, kind.is_open(clock.today()))
    if current_session().scalar(open_still.limit(1)) is None:
        made = cls(**values, public_id=public_id())
        current_session().add(made)
        perform(made, verb, handover)


def _close(made: Moved) -> None:
    went = sum(outcome in WENT for _kind, _name, outcome in made.names)
    made.handover.total, made.handover.kept = went, len(made.names) - went


@handles(Handover, "accept")
def accept(handover: Handover, **_inputs: Any) -> None:
    """The receiver has the work from now on also by word."""
    handover.answered_at = clock.now()


@handles(Handover, "refuse")
def refuse(handover: Handover, **_inputs: Any) -> None:
    """What still is the receiver's goes back to where it was, so that it waits for the chief again."""
    handover.answered_at = clock.now()
    for kind, lines in _lines_by_kind(handover):
        for chunk in pieces(lines):
            rows = _locked(kind, [line.row_id for line in chunk])
            for line in chunk:
                if _give_back(kind, rows.get(line.row_id), handover):
                    line.outcome = Outcome.BACK
                    perform(line, Verb.RETURN, handover)


def _lines_by_kind(handover: Handover) -> Iterator[tuple[Kind, list[HandoverLine]]]:
    known = {(kind.cls.__name__, kind.charge.label): kind for kind in kinds()}
    found: dict[tuple[str, str], list[HandoverLine]] = defaultdict(list)
    for line in handover.items:
        if line.outcome == Outcome.MOVED:
            found[line.entity, line.kind].append(line)
    yield from ((known[key], lines) for key, lines in found.items() if key in known)


def _give_back(kind: Kind, row: Any, handover: Handover) -> bool:
    """Undo one move, when the row still is as it was handed over; what has gone on meanwhile stays."""
    if row is None:
        return False
    if kind.charge.renews:
        return _put_back(kind, row, handover)
    if getattr(row, kind.charge.column) != handover.account_id or not _is_open(kind, row):
        return False
    setattr(row, kind.charge.column, handover.giver_id)
    perform(row, Verb.RETURN, handover)
    return True


def _put_back(kind: Kind, old: Any, handover: Handover) -> bool:
    """What was renewed for the receiver ends, and is renewed for who handed it over: the giver has left."""
    cls: Any = kind.cls
    same = [getattr(cls, name) == getattr(old, name) for name in kind.charge.same or cls.__about__]
    mine = getattr(cls, kind.charge.column) == handover.account_id
    begun = cls.date_from >= handover.date if kind.charge.alone else cls.date_from == handover.date
    asked = select(cls).where(*same, mine, begun, kind.is_open(clock.today()))
    for row in current_session().scalars(asked.with_for_update(of=cls)):
        back = handover.supervisor_id or handover.giver_id
        if _unbegun(kind, row):
            setattr(row, kind.charge.column, back)
        else:
            _renew(kind, row, back, handover, Verb.RETURN)
            _end(kind, row)
        perform(row, Verb.RETURN, handover)
    return True
