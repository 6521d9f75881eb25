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
from app.core.access.seal import is_sealed
from app.core.access.veil import names_hidden
from app.core.db import current_session
from app.core.errors import Conflict, Invalid, NotFound, WriteOutsideUnit
from app.core.handover import WENT, Handover, HandoverLine, Outcome, neutral_name
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

    `supervised`: a person decided, who stands on the paper as 监交人, each receiver must be able to do the work, and
    gets something of it; otherwise (撤销) it goes to whoever leads, who shares it out. Raises Invalid, NotFound,
    Conflict.
    """
    if current_unit() is None:
        raise WriteOutsideUnit("move() needs a unit of work")
    by_receiver: dict[int, list[Parcel]] = defaultdict(list)
    for parcel in parcels:
        if parcel.rows:
            if supervised:
                _require_his(left, parcel)
            by_receiver[parcel.account_id].append(parcel)
    found = []
    for account_id, own in by_receiver.items():
        judged = _judged(left, own, load(account_id) if supervised else None)
        if any(one.outcome is Outcome.MOVED for one in judged):
            found.append(_handed(left, why, account_id, judged, reason=reason, supervised=supervised))
        elif supervised:
            raise Conflict(_("没有一件可以移交：都已移交、已了结、有了变化，或接收人无权办理。请看过现在的内容再办。"))
    current_session().flush()
    return found


def _require_his(left: Left, parcel: Parcel) -> None:
    """Rows that never were the leaver's here are no part of the act: somebody made the form up.

    What the person can't see is not there for him; of what he sees, he is told. Raises NotFound, Invalid.
    """
    kind, cls = parcel.kind, parcel.kind.cls
    for chunk in pieces(parcel.rows):
        keys = [key for key, _version in chunk]
        named = select(cls.id).where(cls.id.in_(keys))
        session = current_session()
        his = set(session.scalars(named.where(*left.any_of(kind)))) | _went_from(left, kind, keys)
        strange = set(keys) - his
        if strange - set(session.scalars(named)):
            raise NotFound(_("没有这条记录，或者您无权查看。"))
        if strange:
            text = _("有的工作不在他名下，请重新打开这一页。")
            raise Invalid(text, {f"to-{kind.key}": text})


def _went_from(left: Left, kind: Kind, keys: list[int]) -> set[int]:
    """The rows that an earlier hand-over has taken from the leaver."""
    asked = select(HandoverLine.row_id).join(Handover, HandoverLine.handover_id == Handover.id)
    asked = asked.where(HandoverLine.entity == kind.cls.__name__, HandoverLine.row_id.in_(keys))
    return set(current_session().scalars(
        asked.where(HandoverLine.outcome.in_(WENT), Handover.giver_id == left.account.id)
    ))  # fmt: skip


def pieces(rows: Sequence[T]) -> Iterator[Sequence[T]]:
    """The rows in pieces that one statement names."""
    yield from (rows[start : start + AT_ONCE] for start in range(0, len(rows), AT_ONCE))


@dataclass
class Judged:
    """A row that was to go, as it is under its lock, and what becomes of it."""

    kind: Kind
    key: int
    row: Any
    outcome: Outcome


def _judged(left: Left, parcels: Iterable[Parcel], receiver: Access | None) -> list[Judged]:
    """Each row of the parcels of one receiver, locked; nothing is written yet."""
    found = []
    for parcel in parcels:
        kind = parcel.kind
        for chunk in pieces(parcel.rows):
            rows, fit = _locked(kind, dict(chunk)), _fit(kind, dict(chunk), receiver)
            for key, version in chunk:
                row = rows.get(key)
                outcome = _outcome(kind, left.account.id, row, version, fit=key in fit)
                found.append(Judged(kind, key, row, outcome))
    return found


def _handed(
    left: Left, why: Leaving, account_id: int, judged: list[Judged], *, reason: str, supervised: bool
) -> Moved:  # fmt: skip
    """One receiver's hand-over: a line tells what became of each row."""
    made = Moved(_begun(left, why, account_id, reason, supervised=supervised))
    names = names_for(judged, account_id, left.account.id)
    for one, name in zip(judged, names, strict=True):
        outcome = _charge(one.kind, one.row, made.handover) if one.outcome is Outcome.MOVED else one.outcome
        label = one.kind.charge.label
        line = HandoverLine(
            position=len(made.names) + 1, kind=label, entity=one.kind.cls.__name__, row_id=one.key, outcome=outcome
        )
        made.handover.items.append(line)
        perform(line, Verb.CREATE, made.handover)
        made.names.append((label, name, outcome))
    _close(made)
    return made


def _begun(left: Left, why: Leaving, account_id: int, reason: str, *, supervised: bool) -> Handover:
    if account_id == left.account.id:
        raise Invalid(_("不能移交给本人。"))
    receiver, me = load(account_id), current_access().person.person_key if supervised else ""
    decided = supervised and (receiver is None or receiver.person.person_key != me)  # nobody supervises himself
    handover = Handover(
        posting_id=left.posting.id, giver_id=left.account.id, account_id=account_id, kind=why, date=clock.today(),
        supervisor_id=current_access().person.id if decided else None, reason=reason,
        office_id=left.posting.office_id, made_office_id=left.posting.office_id, items=[],
    )  # fmt: skip
    current_session().add(handover)
    perform(handover, Verb.CREATE)
    return handover


def names_for(judged: list[Judged], receiver_id: int, giver_id: int) -> list[str]:
    """What each row is called on the paper: by its name where that is no secret from who signs it, else by number.

    A sealed row goes by its number on every paper. So does one that the receiver may not read, or whose name is made
    of what is hidden from the receiver or, while still in office, from the giver.
    """
    receiver = load(receiver_id)
    signers = [access for access in (receiver, load(giver_id)) if access is not None]
    kinds_here = {one.kind.cls for one in judged}
    nameless = {cls for cls in kinds_here if any(names_hidden(access, cls) for access in signers)}
    readable = _readable(judged, receiver)
    found = []
    for one in judged:
        open_to_both = (one.kind.key, one.key) in readable and one.row is not None and not is_sealed(one.row)
        named = open_to_both and one.kind.cls not in nameless
        found.append(str(one.row) if named else neutral_name(one.kind.cls.__name__, one.key))
    return found


def _readable(judged: list[Judged], receiver: Access | None) -> set[tuple[str, int]]:
    """The rows that the receiver reads."""
    by_kind: dict[str, list[Judged]] = defaultdict(list)
    for one in judged if receiver is not None else ():
        by_kind[one.kind.key].append(one)
    found: set[tuple[str, int]] = set()
    for key, rows in by_kind.items():
        cls = rows[0].kind.cls
        mine = predicate(receiver, cls, Verb.READ)  # type: ignore[arg-type]  # empty where there is no receiver
        for chunk in pieces(rows):
            asked = select(cls.id).where(cls.id.in_([one.key for one in chunk]), mine)
            found |= {(key, row_id) for row_id in current_session().scalars(asked)}
    return found


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
