"""Two rows of an entity become one without loss: whatever points at the one that goes points at the one that stays.

What points at a row is found in the models: foreign keys, the scope columns that repeat a firm's or a site's key, and
rows that are about it (`__about__`). Nothing is listed by hand, so a new table takes part by being there. Classes that
`__as_it_was__` tell what was (papers, the log) and are left. The row that goes keeps its page and names its successor
(`__superseded__`); the session's guard lets nothing new point at it.

Where two rows would then say the same, a service registered with `when_merged` says which is folded into which, or
makes room under a rule of uniqueness. Everything is one transaction, run by the system: the rows may lie where the
person may not look. Who calls has judged the person on both rows.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext
from sqlalchemy import func, inspect, or_, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm.attributes import flag_modified

from app.core.access.ownership import TOUCHED
from app.core.db import current_session, unscoped
from app.core.entity import Entity, Scope, Scoped, registry
from app.core.errors import Conflict, Invalid
from app.core.history import remark
from app.core.saving import EVERYTHING, save
from app.core.verbs import Verb
from app.core.writing import retry_once, unit_of_work

WHAT = "合并"
CHANGED = lazy_gettext("您打开之后，这两条记录已有变化，请看过现在的内容再合并。")
Meeting = Callable[[str, list[Any], list[Any]], Mapping[Any, Any]]
Before = Callable[[Any, Any], None]
After = Callable[[Any, Any, Mapping[str, Any]], None]
_meetings: dict[type[Entity], Meeting] = {}
_befores: dict[type[Entity], Before] = {}
_afters: dict[type[Entity], After] = {}


def when_merged(cls: type[Entity]) -> Callable[[Meeting], Meeting]:
    """Register what is done where rows of `cls` of the one that goes meet those of the one that stays.

    It is given the attribute that points at them and both lists, and may change rows of either; it returns which of
    the first are folded into which of the second: what points at a folded row is put to the other, and the folded row
    is deleted.
    """

    def decorate(function: Meeting) -> Meeting:
        _meetings[cls] = function
        return function

    return decorate


def before_merging(cls: type[Entity]) -> Callable[[Before], Before]:
    """Register what must hold of two rows (gone, kept) that are to become one; it raises Conflict or Invalid."""

    def decorate(function: Before) -> Before:
        _befores[cls] = function
        return function

    return decorate


def after_merging(cls: type[Entity]) -> Callable[[After], After]:
    """Register what a service does once everything has been moved: (gone, kept, values that the latter gets next)."""

    def decorate(function: After) -> After:
        _afters[cls] = function
        return function

    return decorate


def check_pair(gone: Any, kept: Any) -> None:
    """Whether these two may become one, apart from access. Raises Conflict or Invalid."""
    if gone.id == kept.id:
        raise Invalid(_("请选择另一条记录。"))
    if any(getattr(row, type(row).__superseded__) for row in (kept, gone)):
        raise Conflict(_("其中一条已经并入别的记录。"))
    if before := _befores.get(type(kept)):
        before(gone, kept)


def pointers(model: type[Entity]) -> Iterator[tuple[type[Entity], str]]:
    """Each class and attribute that holds keys of this entity: foreign keys, and scope columns that repeat them."""
    key = inspect(model).local_table.c.id
    scope = f"{firm}_id" if (firm := getattr(model, "__firm_key__", "")) else ""
    for cls in sorted(registry().values(), key=lambda one: one.__name__):
        if cls.__as_it_was__:
            continue
        for prop in inspect(cls).column_attrs:
            if prop.columns[0].references(key) or (prop.key == scope and not prop.columns[0].foreign_keys):
                yield cls, prop.key


def abouts() -> Iterator[tuple[type[Entity], str, str]]:
    """Each class whose rows may be about a row of any entity, with the columns of that one's name and key."""
    for cls in sorted(registry().values(), key=lambda one: one.__name__):
        if cls.__about__ is not None and not cls.__as_it_was__:
            yield (cls, *cls.__about__)


def weigh(row: Entity) -> dict[type[Entity], int]:
    """How many rows of each entity would be moved, of those that the person may see: a sealed visit is not counted."""
    clauses: dict[type[Entity], list[Any]] = {}
    for cls, name in pointers(type(row)):
        clauses.setdefault(cls, []).append(getattr(cls, name) == row.id)
    for cls, entity, key in abouts():
        clauses.setdefault(cls, []).append((getattr(cls, entity) == type(row).__name__) & (getattr(cls, key) == row.id))
    seen = {cls: some for cls, some in clauses.items() if cls.__part_of__ or cls.__scope__ is not Scope.SYSTEM}
    session = current_session()
    counted = {cls: session.scalar(select(func.count(cls.id)).where(or_(*some))) for cls, some in seen.items()}
    return {cls: int(rows) for cls, rows in counted.items() if rows}


@dataclass(frozen=True)
class Choice:
    """What a person decided: the columns taken from the one that goes, those that it only fills where the one that
    stays has nothing, why, and upon which versions of both (kept, gone)."""

    taken: frozenset[str]
    filled: frozenset[str]
    reason: str
    seen: tuple[int, int]


def merge(kept: Any, gone: Any, choice: Choice) -> dict[str, int]:
    """Make two rows one, in one transaction. Returns how many rows of each entity were moved.

    Raises Conflict (another version, a rule of uniqueness that nobody makes room under), Refused.
    """
    model, keys = type(kept), (kept.id, gone.id)

    def once() -> dict[str, int]:
        with unscoped(f"merge {model.__name__} {keys[1]} into {keys[0]}"), unit_of_work(Verb.UPDATE, choice.reason):
            return _merge(model, keys, choice)

    return retry_once(once)


def _merge(model: Any, keys: tuple[int, int], choice: Choice) -> dict[str, int]:
    session = current_session()
    rows = {key: _locked(model, key) for key in sorted(keys)}  # in one order: two at once never wait in a ring
    kept, gone = (rows[key] for key in keys)
    if (kept.version, gone.version) != choice.seen:
        raise Conflict(CHANGED)
    check_pair(gone, kept)
    names = [*choice.taken, *(name for name in choice.filled if getattr(kept, name) in (None, ""))]
    values = {name: getattr(gone, name) for name in names}
    moved: Counter[str] = Counter()
    _put(gone, kept, moved)
    setattr(gone, model.__superseded__, kept.id)
    if after := _afters.get(model):
        after(gone, kept, values)
    session.flush()  # what must be unique is free before the other one takes it
    for name, value in values.items():
        setattr(kept, name, value)
    flag_modified(kept, TOUCHED)  # it holds more than before, whatever its columns: who decided upon it decides again
    save(kept, Verb.UPDATE, accepted=EVERYTHING)
    for row, other in ((gone, kept), (kept, gone)):
        remark(Verb.UPDATE, WHAT, office_id=row.made_office_id, about=(model.__name__, row.id), other=other.id,
               kept=kept.id, moved=dict(moved))  # fmt: skip
    return dict(moved)


def _locked(model: Any, key: int) -> Any:
    some = select(model).where(model.id == key).with_for_update(of=model)
    row = current_session().scalars(some.execution_options(populate_existing=True)).unique().one_or_none()
    if row is None:
        raise Conflict(CHANGED)
    return row


def _put(gone: Any, kept: Any, moved: Counter[str]) -> None:
    """Put everything that points at one row to another of its class."""
    for cls, name in pointers(type(kept)):
        _move(cls, name, gone, kept, moved)
    for cls, entity, key in abouts():
        _move(cls, key, gone, kept, moved, getattr(cls, entity) == type(kept).__name__)


def _move(cls: Any, name: str, gone: Any, kept: Any, moved: Counter[str], *clauses: Any) -> None:
    """The rows of one class whose attribute is the key of the one that goes."""
    rows = _pointing(cls, name, gone.id, *clauses)
    if not rows:
        return
    folded: Mapping[Any, Any] = {}
    if meeting := _meetings.get(cls):
        folded = meeting(name, rows, _pointing(cls, name, kept.id, *clauses))
        current_session().flush()
    for row, other in folded.items():
        _put(row, other, moved)
        current_session().expire(row)
        current_session().delete(row)
        moved[f"{cls.__name__} folded"] += 1
    staying = [row for row in rows if row not in folded]
    for row in staying:
        setattr(row, name, kept.id)
        _follow(row, name, gone, kept)
    moved[cls.__name__] += len(staying)
    try:
        current_session().flush()
    except IntegrityError as error:
        text = _("两边都有同样的“%(what)s”，合并后会重复，请先处理其中一条。", what=_(str(cls.__label__)))
        raise Conflict(text) from error


def _pointing(cls: Any, name: str, key: int, *clauses: Any) -> list[Any]:
    some = select(cls).where(getattr(cls, name) == key, *clauses).order_by(cls.id).with_for_update(of=cls)
    return list(current_session().scalars(some.execution_options(populate_existing=True)).unique())


def _follow(row: Any, name: str, gone: Any, kept: Any) -> None:
    """What belongs to the row that stays is answered for by its office, in its lines, and found by its words."""
    for relation in inspect(type(row)).relationships:
        if {column.key for column in relation.local_columns} == {name} and relation.key in row.__dict__:
            current_session().expire(row, [relation.key])  # read anew beside its key
    firm = getattr(kept, "__firm_key__", "")
    if not isinstance(row, Scoped) or not firm or hasattr(row, "__firm_key__"):
        return
    if firm == "site":
        row.office_id, row.lines, row.enterprise_id = kept.office_id, kept.lines, kept.enterprise_id
    elif not row.site_id and row.office_id == gone.office_id:
        row.office_id = kept.office_id
    words: Any = row
    if getattr(row, "search_text", None) and words.search_text == gone.search_text:
        words.search_text = kept.search_text  # a copy of its owner's
