"""One SQL criterion per entity and verb, built once a request from the postings in force."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, and_, bindparam, false, inspect, or_, select, true
from sqlalchemy.orm import RelationshipProperty

from app.core import clock
from app.core.access.context import Access, Firms, Held
from app.core.access.policy import Coverage
from app.core.entity import Entity, Scope, registry
from app.core.types import UtcDateTime
from app.core.verbs import Verb

Columns = Any  # a mapped class, an alias of it, or its table's columns
subjects: list[type[Entity]] = []  # classes whose rows papers are about (core.document registers them)


def predicate(access: Access, cls: type[Entity], verb: Verb, *, states: bool = True) -> ColumnElement[bool]:
    """The rows of `cls` on which the person may do `verb`.

    `states=False` leaves out what a grant says about states: for judging a row after a transition has moved it.
    """
    key = (cls, verb, states)
    if key not in access.compiled:
        access.compiled[key] = _build(access, cls, cls, verb, states)
    found: ColumnElement[bool] = access.compiled[key]
    return found


def _build(access: Access, cls: type[Entity], columns: Columns, verb: Verb, states: bool) -> ColumnElement[bool]:
    if cls.__part_of__:
        return _part(access, cls, columns, verb, states)
    if cls.__about__ is not None:
        return _about(access, cls, columns, verb)
    if cls.__scope__ is Scope.SYSTEM:
        return false()
    if cls.__scope__ is Scope.OWN:
        return columns.account_id == access.person.id  # type: ignore[no-any-return]
    if cls.__scope__ is Scope.REFERENCE and verb is Verb.READ:
        return true()
    clauses = [clause for _held, _grant, clause in deciding(access, cls, columns, verb, states)]
    reached = or_(*clauses) if clauses else false()
    if verb is Verb.READ and (via := _via(access, cls, columns)) is not None:
        reached = or_(reached, via)
    if verb is Verb.READ and cls.__shared__:
        reached = or_(reached, getattr(columns, cls.__shared__).is_(True))
    return and_(reached, _seal(access, cls, columns))


def deciding(
    access: Access, cls: type[Entity], columns: Columns, verb: Verb, states: bool
) -> list[tuple[Held, str, ColumnElement[bool]]]:
    """Each grant that reaches some row: the posting, the coverage, the criterion (`explain` asks one by one)."""
    found = []
    for held in access.postings:
        for coverage, allowed in held.grants.get(cls.policy_name(), {}).get(verb.value, ()):
            clause = _coverage(access, held, cls, columns, Coverage(coverage), verb)
            if states and allowed is not None:
                clause = and_(clause, getattr(columns, cls.state_column()).in_(allowed))
            found.append((held, coverage, clause))
    return found


def answered_for(access: Access, cls: type[Entity], entity: str, verb: Verb) -> ColumnElement[bool]:
    """The rows of `cls` that lie where the person's grants of a verb on an entity reach by office and line now.

    The sites one may inspect at; the firms that count as an office's own, whoever made them: what is only read because
    the office once made it, or has a site of it, is another's, and would be counted twice.
    """
    columns: Columns = cls
    clauses = []
    for held in access.postings:
        for name, _states in held.grants.get(entity, {}).get(verb.value, ()):
            coverage = Coverage(name)
            now = Verb.UPDATE if coverage in {Coverage.SUBTREE, Coverage.SUPERVISED} else verb
            clauses.append(_coverage(access, held, cls, columns, coverage, now))
    return or_(*clauses) if clauses else false()


def steps_to(
    access: Access, held: Held, cls: type[Entity], verb: Verb, grant: tuple[str, list[str] | None]
) -> list[tuple[str, ColumnElement[bool]]]:
    """The criteria that one grant is made of, one after the other: whose row, which line, which state, the seal."""
    coverage, allowed = Coverage(grant[0]), grant[1]
    columns: Columns = cls
    whole = _coverage(access, held, cls, columns, coverage, verb)
    found = []
    if coverage in {Coverage.SUBTREE, Coverage.SUPERVISED}:
        unit = access.offices[held.office_id]
        office = unit.id if coverage is Coverage.SUBTREE else unit.parent_id or unit.id
        found.append(("office", _within(cls, columns, access.subtree(office), 0, verb, access)))
        found.append(("line", whole))
    else:
        found.append((coverage.value, whole))
    if allowed is not None:
        found.append(("state", getattr(columns, cls.state_column()).in_(allowed)))
    return [*found, ("sealed", _seal(access, cls, columns))]


def _coverage(
    access: Access, held: Held, cls: type[Entity], columns: Columns, coverage: Coverage, verb: Verb
) -> ColumnElement[bool]:
    match coverage:
        case Coverage.ALL:
            return true()
        case Coverage.OWN:
            mine = columns.id if cls.__name__ == "Account" else columns.account_id
            return mine == access.person.id  # type: ignore[no-any-return]
        case Coverage.FIRM:
            return _own_firms(access, held, cls, columns, verb)
        case Coverage.ASSIGNED:
            named = _any_of(columns.id, access.assigned.get(cls.policy_name(), frozenset()))
            parents = bool(getattr(cls, "__firm_key__", "")) and verb is Verb.READ
            return or_(named, _firms(columns, cls, access.assigned_firms)) if parents else named
        case Coverage.SUBTREE:
            return _within(cls, columns, access.subtree(held.office_id), held.lines, verb, access)
        case Coverage.SUPERVISED:
            unit = access.offices[held.office_id]
            return _within(
                cls, columns, access.subtree(unit.parent_id or unit.id), held.lines or unit.lines, verb, access
            )


def _within(
    cls: type[Entity], columns: Columns, offices: frozenset[int], lines: int, verb: Verb, access: Access
) -> ColumnElement[bool]:
    """Rows that these offices answer for, or (reading) once made, in these lines (0: all)."""
    clause: ColumnElement[bool] = true()
    if len(offices) < len(access.offices):
        if cls.__name__ == "Office":  # a new one, which nobody's offices hold yet, is where its parent is
            clause = or_(_one_of(columns.id, offices), _one_of(columns.parent_id, offices))
        else:
            clause = _one_of(columns.office_id, offices)
        if verb is Verb.READ and hasattr(cls, "made_office_id"):
            clause = or_(clause, _one_of(columns.made_office_id, offices))
        if verb is Verb.READ and (lent := lent_firms(cls, columns, offices)) is not None:
            clause = or_(clause, lent)
    if lines and hasattr(cls, "lines"):
        in_line = columns.lines.op("&")(lines) != 0
        clause = and_(clause, or_(in_line, and_(columns.lines == 0, _of_no_line(cls, columns, lines))))
    return clause


def lent_firms(cls: type[Entity], columns: Columns, offices: frozenset[int]) -> ColumnElement[bool] | None:
    """Firms of another office of which one of these answers for a site, and rows about such a firm as a whole."""
    of_firm = getattr(cls, "__firm_key__", "") == "enterprise"
    if not (of_firm or cls.__with_firm__):
        return None
    lending = next((one for one in registry().values() if one.__lends_firm__), None)
    if lending is None:
        return None
    table: Any = inspect(lending).local_table.alias()
    firms = select(table.c.enterprise_id).where(_one_of(table.c.office_id, offices))
    return columns.id.in_(firms) if of_firm else and_(columns.site_id.is_(None), columns.enterprise_id.in_(firms))


def _of_no_line(cls: type[Entity], columns: Columns, lines: int) -> ColumnElement[bool]:
    """Rows without a line: what is about a whole firm goes with the firm's lines, a person with the appointments."""
    if getattr(cls, "__read_via__", ""):
        return false()
    if getattr(cls, "__firm_key__", "") or not hasattr(cls, "enterprise_id"):
        return true()
    firm = next((one for one in registry().values() if getattr(one, "__firm_key__", "") == "enterprise"), None)
    if firm is None:
        return true()
    table: Any = inspect(firm).local_table.alias()
    reached = select(table.c.id).where(table.c.id == columns.enterprise_id, table.c.lines.op("&")(lines) != 0)
    return or_(columns.enterprise_id.is_(None), reached.exists())


def _one_of(column: Any, keys: frozenset[int]) -> ColumnElement[bool]:
    ids = sorted(keys)
    return column == ids[0] if len(ids) == 1 else column.in_(ids)  # type: ignore[no-any-return]


def _firms(columns: Columns, cls: type[Entity], firms: Firms, *, parents: bool = True) -> ColumnElement[bool]:
    """Rows about these firms. Who holds a site only reads that site's rows, and the enterprise it belongs to."""
    firm_key = getattr(cls, "__firm_key__", "")
    if firm_key == "enterprise":
        return _any_of(columns.id, firms.whole | firms.parents if parents else firms.whole)
    site = columns.id if firm_key == "site" else columns.site_id
    own = or_(_any_of(columns.enterprise_id, firms.whole), _any_of(site, firms.sites))
    if parents and cls.__firm_wide__:
        own = or_(own, and_(columns.site_id.is_(None), _any_of(columns.enterprise_id, firms.parents)))
    return own


def _own_firms(access: Access, held: Held, cls: type[Entity], columns: Columns, verb: Verb) -> ColumnElement[bool]:
    """Reading: every firm of the person, and what may be read along. Writing: where the role's own duty is held."""
    if verb is not Verb.READ:
        return _firms(columns, cls, access.firms.of_duty(held.role_name), parents=False)
    own = _firms(columns, cls, access.firms)
    along = access.firms.along
    return own if along is None else or_(own, _firms(columns, cls, along, parents=not cls.__firm_wide__))


def _any_of(column: Any, keys: frozenset[int]) -> ColumnElement[bool]:
    return column.in_(sorted(keys)) if keys else false()


NOW = bindparam("sealed_until", callable_=clock.now, type_=UtcDateTime)  # asked each time the statement runs


def _seal(access: Access, cls: type[Entity], columns: Columns) -> ColumnElement[bool]:
    """A sealed row is seen by those assigned and by its approver until it opens, by nobody else."""
    seal = cls.__seal__
    if seal is None:
        return true()
    flag, until, approver = (getattr(columns, name) for name in (seal.flag, seal.until, seal.approver))
    named = _any_of(columns.id, access.assigned.get(cls.policy_name(), frozenset()))
    return or_(flag.is_(False), until <= NOW, named, approver == access.person.id)


def _part(access: Access, cls: type[Entity], columns: Columns, verb: Verb, states: bool) -> ColumnElement[bool]:
    """A part is reached with its whole, under the same verb (writing a part is updating the whole)."""
    relation = inspect(cls).relationships[cls.__part_of__]
    whole = whole_of(cls)
    table = inspect(whole).local_table.alias()
    on_whole = verb if verb not in {Verb.CREATE, Verb.DELETE} else Verb.UPDATE
    local = getattr(columns, foreign_key(relation))
    return select(table.c.id).where(table.c.id == local, _build(access, whole, table.c, on_whole, states)).exists()


def _about(access: Access, cls: type[Entity], columns: Columns, verb: Verb) -> ColumnElement[bool]:
    """A row about another one, whatever its class, is read by whoever reads that one; nobody writes it by a grant."""
    if verb is not Verb.READ:
        return false()
    assert cls.__about__ is not None
    entity, row_id = (getattr(columns, name) for name in cls.__about__)
    found = []
    for other in getattr(cls, "__subjects__", subjects):
        table = inspect(other).local_table.alias()
        reached = select(table.c.id).where(table.c.id == row_id, _build(access, other, table.c, verb, True)).exists()
        found.append(and_(entity == other.__name__, reached))
    return or_(*found) if found else false()


def _via(access: Access, cls: type[Entity], columns: Columns) -> ColumnElement[bool] | None:
    """Rows read through another entity that points at them (a Person through any Appointment one may read)."""
    name = getattr(cls, "__read_via__", "")
    if not name:
        return None
    relation = inspect(cls).relationships[name]
    other: type[Entity] = relation.mapper.class_
    table = relation.mapper.local_table.alias()
    back = next(iter(relation.remote_side)).name
    reached = _build(access, other, table.c, Verb.READ, True)
    return select(table.c.id).where(table.c[back] == columns.id, reached).exists()


def whole_of(cls: type[Entity]) -> type[Entity]:
    """The class a part belongs to."""
    found: type[Entity] = inspect(cls).relationships[cls.__part_of__].mapper.class_
    return found


def foreign_key(relation: RelationshipProperty[Any]) -> str:
    """The attribute name of a many-to-one's column."""
    return str(next(iter(relation.local_columns)).key)
