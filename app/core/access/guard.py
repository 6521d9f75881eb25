"""The session's guard: reads are filtered, writes are judged against old row, new row and parents. Fails closed."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Iterable
from functools import cache
from typing import Any, cast
from weakref import WeakKeyDictionary

from flask_babel import lazy_gettext as _
from sqlalchemy import Table, event, inspect, null, select
from sqlalchemy.orm import InstanceState, ORMExecuteState, Session, with_loader_criteria
from sqlalchemy.sql.visitors import iterate

from app.core.access.columns import ends_of
from app.core.access.context import Access, current_access, has_access_context
from app.core.access.ownership import COPIED, TOUCHED, follow_owner, related, stamp, touch_wholes
from app.core.access.predicate import foreign_key, predicate
from app.core.db import AppSession, FabModel
from app.core.entity import Entity, Scope, system_columns
from app.core.errors import AccessRefused, Conflict
from app.core.verbs import Verb
from app.core.writing import Act, current_unit

log = logging.getLogger(__name__)
Rows = dict[tuple[type[Entity], Verb], set[int]]


@event.listens_for(AppSession, "do_orm_execute")
def _filter(state: ORMExecuteState) -> None:
    """Attach the person's predicates to every statement; refuse what can't be resolved to our entities."""
    if "unscoped" in state.session.info:
        return
    if not state.is_select:
        raise AccessRefused("bulk writing is refused in a scoped session")
    if not state.is_orm_statement or any(not _known(mapper.class_) for mapper in state.all_mappers):
        log.error("refused statement: %s", state.statement)
        raise AccessRefused("a statement names an entity the access rules do not know")
    access = current_access()
    criteria = (_criterion(access, cls) for cls in _reached_by(state))
    state.statement = state.statement.options(*criteria)


def _known(cls: type[Any]) -> bool:
    return issubclass(cls, Entity) and (bool(cls.__part_of__) or cls.__scope__ is not Scope.SYSTEM)


_walked: WeakKeyDictionary[Any, list[type[Any]]] = WeakKeyDictionary()  # statements that live on are walked once


def _reached_by(state: ORMExecuteState) -> list[type[Any]]:
    if state.statement not in _walked:
        _walked[state.statement] = _reached(state)
    return _walked[state.statement]


def _reached(state: ORMExecuteState) -> list[type[Any]]:
    """Every class whose rows the statement can touch: those of its tables, and what relationships lead to from there.

    A superset on purpose: eager loading and `has`/`any` walk relationships, subqueries and joins name tables. Of sixty
    entities a statement touches a few, and each criterion costs building once a request and a place in the cache key.
    """
    named = {mapper.class_ for mapper in state.all_mappers}
    tables = _classes()
    for element in iterate(cast("Any", state.statement)):
        table = element if isinstance(element, Table) else getattr(element, "table", None)
        if isinstance(table, Table):  # a column's table counts as well as a table itself
            named.update(tables.get(table.key, ()))
    found = frozenset[type[Any]]().union(*(_related(cast("Any", cls)) for cls in named))
    limited = (cls for cls in found if not (issubclass(cls, Entity) and cls.__scope__ is Scope.REFERENCE))
    return sorted(limited, key=lambda cls: cls.__name__)


@cache
def _classes() -> dict[str, list[type[Any]]]:
    """Table name to the classes that are mapped to it; asked for once all entities are declared."""
    found: dict[str, list[type[Any]]] = defaultdict(list)
    for mapper in FabModel.registry.mappers:
        for table in mapper.tables:
            found[table.key].append(mapper.class_)
    return found


@cache
def _related(cls: type[Any]) -> frozenset[type[Any]]:
    """The class and all that its relationships lead to, directly or not."""
    found, ahead = {cls}, [cls]
    while ahead:
        new = {relation.mapper.class_ for relation in inspect(ahead.pop()).relationships} - found
        found |= new
        ahead += new
    return frozenset(found)


def _criterion(access: Access, cls: type[Any]) -> Any:
    """The loader criterion of a class: its predicate; FAB's own tables are closed."""
    key = ("criterion", cls)
    if key not in access.compiled:
        clause = predicate(access, cls, Verb.READ) if issubclass(cls, Entity) else cls.id.is_(None)
        access.compiled[key] = with_loader_criteria(cls, clause, include_aliases=True)
    return access.compiled[key]


@event.listens_for(AppSession, "before_flush")
def _judge_before(session: Session, _context: Any, _instances: Any) -> None:
    """Stamp new rows; then judge every changed or deleted row by the database's own old values."""
    access = None if "unscoped" in session.info else current_access()
    _fill(session, access)
    if access is None:
        return
    judged: Rows = defaultdict(set)
    through: Rows = defaultdict(set)
    for row in _written(session):
        act = act_of(session, row)
        _judge_columns(access, row, act)
        for parent, key in _parents_it_opens(row):
            through[parent, Verb.READ].add(key)
        target = act.upon or row
        if inspect(target).persistent:
            judged[type(target), act.verb].add(target.id)
    cleared = session.info.setdefault("cleared", set())
    for (cls, verb), keys in judged.items():
        fresh = {key for key in keys if (cls, verb, key) not in cleared}
        _require(session, access, cls, verb, fresh, states=True)
        cleared.update((cls, verb, key) for key in fresh)
    for (cls, verb), keys in through.items():
        _require(session, access, cls, verb, keys, states=True)


def _fill(session: Session, access: Access | None) -> None:
    """What core itself writes: makers and scope of new rows, scope of rows with another owner, versions of wholes."""
    for row in session.new:
        stamp(row, access or _actor())
    if access is not None:
        for row in session.dirty:
            if isinstance(row, Entity) and session.is_modified(row):
                follow_owner(row)
    touch_wholes(session)


def _parents_it_opens(row: Entity) -> Iterable[tuple[type[Entity], int]]:
    """Rows that this one is going to make readable by pointing at them (a person by an appointment of one's own firm).

    They are judged before the flush: after it, whoever pointed at a stranger's person could read that person.
    """
    state: InstanceState[Entity] = inspect(row)
    for relation in state.mapper.relationships:
        cls = relation.mapper.class_
        if relation.direction.name != "MANYTOONE" or not getattr(cls, "__read_via__", ""):
            continue
        name = foreign_key(relation)
        other = row.__dict__.get(relation.key)
        key = getattr(row, name) if other is None else other.id if inspect(other).persistent else None
        moved = (
            state.transient
            or state.pending
            or any(state.attrs[one].history.has_changes() for one in (name, relation.key))
        )
        if key is not None and moved and not state.deleted:
            yield cls, key


def _actor() -> Access | None:
    return current_access() if has_access_context() else None


def _written(session: Session) -> list[Entity]:
    changed = [row for row in session.dirty if session.is_modified(row)]
    return [row for row in (*session.new, *changed, *session.deleted) if isinstance(row, Entity)]


def act_of(session: Session, row: Entity) -> Act:
    """Under which verb a row is written, and upon which row that is judged.

    Declared by `perform`; otherwise a part is its whole's update, and anything else its own create, update, delete.
    """
    unit = current_unit(session)
    declared = unit.acts.get(id(row)) if unit else None
    if declared is not None:
        return declared
    if row.__part_of__:
        whole = related(row, row.__part_of__)
        if whole is None:
            raise AccessRefused(f"{type(row).__name__} without its {row.__part_of__}")
        act = act_of(session, whole)
        new = whole in session.new
        return Act(Verb.CREATE if new else act.verb if act.verb is not Verb.CREATE else Verb.UPDATE, act.upon or whole)
    if row in session.new:
        return Act(Verb.CREATE)
    return Act(Verb.DELETE if row in session.deleted else Verb.UPDATE)


def _judge_columns(access: Access, row: Entity, act: Act) -> None:
    """A plain update touches no column of core's; no write touches a column the role may only read."""
    stored: InstanceState[Entity] = inspect(row)
    changed = {attr.key for attr in stored.attrs if attr.history.has_changes()} - {"version"}
    if stored.session is not None and row in stored.session.info.get("touched", ()):
        changed.discard(TOUCHED)
    if stored.session is not None and row in stored.session.info.get("followed", ()):
        changed -= set(COPIED)
    if act.verb is Verb.UPDATE and act.upon is None and not act.step and (own := changed & system_columns(type(row))):
        raise AccessRefused(_("这些内容由系统填写，不能直接修改：%(names)s", names=", ".join(sorted(own))))
    kept = changed & access.readonly(type(row).policy_name())
    if act.verb in {Verb.CREATE, Verb.UPDATE} and kept and (kept := kept - _filled(type(row))):
        raise AccessRefused(_("您的角色不能修改：%(names)s", names=", ".join(sorted(kept))))
    _judge_start(row, act)


def _judge_start(row: Entity, act: Act) -> None:
    """A new row begins where its workflow begins."""
    workflow = row.__workflow__
    if act.verb is Verb.CREATE and act.upon is None and workflow is not None:
        state = getattr(row, workflow.column)
        if state not in {None, workflow.initial}:
            raise AccessRefused(_("新记录只能从“%(state)s”开始", state=_(str(workflow.initial))))


def _filled(cls: type[Entity]) -> frozenset[str]:
    """What the system fills in, by both names: nobody types it, whoever may not see it."""
    own = system_columns(cls)
    return own | {relation for key, relation in ends_of(cls.__name__).items() if key in own}


@event.listens_for(AppSession, "after_flush")
def _judge_after(session: Session, _context: Any) -> None:
    """Judge the rows as they now stand, and every parent they point at; a refusal rolls the transaction back."""
    if "unscoped" in session.info:
        return
    access = current_access()
    judged: Rows = defaultdict(set)
    parents: Rows = defaultdict(set)
    for row in _written(session):
        if row in session.deleted:
            continue
        act = act_of(session, row)
        target = act.upon or row
        judged[type(target), act.verb].add(target.id)
        for parent, key in _changed_parents(row, new=row in session.new):
            parents[parent, Verb.READ].add(key)
    for (cls, verb), keys in judged.items():
        _require(session, access, cls, verb, keys, states=False)
    for (cls, verb), keys in parents.items():
        _require(session, access, cls, verb, keys, states=True, living=True)


def _changed_parents(row: Entity, *, new: bool) -> Iterable[tuple[type[Entity], int]]:
    state: InstanceState[Entity] = inspect(row)
    for relation in state.mapper.relationships:
        cls = relation.mapper.class_
        if relation.direction.name != "MANYTOONE" or not issubclass(cls, Entity) or cls.__scope__ is not Scope.OFFICE:
            continue
        name = foreign_key(relation)
        key = getattr(row, name)
        if key is not None and (new or state.attrs[name].history.has_changes()):
            yield cls, key


def _require(
    session: Session, access: Access, cls: type[Entity], verb: Verb, keys: set[int], *, states: bool,
    living: bool = False,
) -> None:  # fmt: skip
    """All these rows must satisfy the predicate; `living`: none may have been taken over by another one (Conflict).

    Asked on the connection, below the session's own filter.
    """
    if not keys:
        return
    successor = getattr(cls, cls.__superseded__) if living and cls.__superseded__ else null()
    allowed = select(cls.id, successor).where(cls.id.in_(sorted(keys)), predicate(access, cls, verb, states=states))
    rows = session.connection().execute(allowed).all()
    if any(other is not None for _key, other in rows):
        raise Conflict(_("这条记录所属的%(what)s已并入另一个，请改选合并后的那一个。", what=_(str(cls.__label__))))
    if (found := {key for key, _other in rows}) != keys:
        missing = sorted(keys - found)
        text = _("您不能对%(what)s进行这项操作。", what=_(str(cls.__label__)))
        raise AccessRefused(text, entity=cls.__name__, verb=verb, keys=missing)


@event.listens_for(AppSession, "after_commit")
@event.listens_for(AppSession, "after_rollback")
def _forget(session: Session) -> None:
    session.info.pop("cleared", None)
    session.info.pop("touched", None)
    session.info.pop("followed", None)
