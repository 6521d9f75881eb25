"""What is wrong with a role's table, cell by cell: for the start, which refuses it, and for the screen."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from flask_babel import lazy_gettext as _
from sqlalchemy import inspect

from app.core.access import limits
from app.core.access.policy import Coverage
from app.core.entity import Entity, Scope, registry
from app.core.office import Family
from app.core.verbs import Verb

HIDDEN, READONLY = "hidden", "readonly"
BOOKKEEPING = {"id", "public_id", "version", "made_at", "made_by_id", "office_id", "made_office_id", "enterprise_id",
               "site_id", "lines", "path"}  # fmt: skip
WORDS: dict[str, tuple[str, Any]] = {
    "malformed": ("the table is no table", _("权限表的格式不对。")),
    "entity": ("unknown entity {}", _("系统里没有这个对象。")),
    "ungoverned": ("{} has no grants of its own", _("这个对象随所属记录，不能单独授权。")),
    "read": ("verbs without read", _("有其他权限却不能查看；请同时给“查看”。")),
    "verb": ("'{}' is not a valid Verb", _("没有这项操作。")),
    "coverage": ("'{}' is not a valid Coverage", _("没有这种范围。")),
    "twice": ("coverage {} twice", _("同一种范围写了两次。")),
    "states": ("an empty list of states", _("限定了状态，却一个状态也没有选。")),
    "state": ("unknown state {}", _("没有这个状态：%(detail)s。")),
    "unfit": ("coverage {} means nothing for its rows", _("这种范围对这个对象没有意义：%(detail)s。")),
    "family": ("coverage {} is not for this family", _("这类角色不能用这种范围：%(detail)s。")),
    "beyond": ("not for this family", _("这类角色不能有这项权限。")),
    "floor": ("only from a higher rank on", _("这项权限只有更高级别的角色才能有。")),
    "unread": ("reaches rows that it can't read ({})", _("范围或状态超出了能查看的记录：%(detail)s。")),
    "step": ("no such step leaves these states", _("所选状态下没有这一步操作。")),
    "nothing": ("columns withheld of what it can't read", _("没有查看权限，不必设隐藏或只读的列。")),
    "column": ("unknown column {}", _("没有这一列：%(detail)s。")),
    "needed": ("column {} must be filled in to create", _("新建时必须填写的列不能隐藏或只读：%(detail)s。")),
}


@dataclass(frozen=True)
class Problem:
    """One contradiction: of which entity and verb ("hidden", "readonly": of its columns; "": of the whole)."""

    entity: str
    verb: str
    what: str
    detail: str = ""

    def __str__(self) -> str:
        where = ".".join(part for part in (self.entity, self.verb) if part and self.what not in {"entity", "read"})
        where = self.entity if self.what == "read" else where
        text = WORDS[self.what][0].format(self.detail)
        return f"{where}: {text}" if where else text


@dataclass(frozen=True)
class Shape:
    """What a role is made of. No family: only what would be wrong whatever the family is looked for."""

    grants: Mapping[str, Any]
    hidden: Mapping[str, Any] = field(default_factory=dict)
    readonly: Mapping[str, Any] = field(default_factory=dict)
    family: str | None = None
    rank: int = 0
    custom: bool = False


def role_problems(shape: Shape) -> list[Problem]:
    """Everything that is wrong with a role, in the order of its table. Asks no database."""
    if not all(isinstance(one, Mapping) for one in (shape.grants, shape.hidden, shape.readonly)):
        return [Problem("", "", "malformed")]
    found: list[Problem] = []
    known, ours = registry(), limits.governed()
    for entity, cells in shape.grants.items():
        if entity not in ours:
            found.append(Problem(entity, "", "ungoverned" if entity in known else "entity", entity))
        elif not isinstance(cells, Mapping):
            found.append(Problem(entity, "", "malformed"))
        else:
            found += _entity_problems(shape, ours[entity], cells)
    for what, columns in ((HIDDEN, shape.hidden), (READONLY, shape.readonly)):
        for entity, names in columns.items():
            if entity not in ours:
                found.append(Problem(entity, what, "entity", entity))
            else:
                found += _column_problems(shape, ours[entity], what, names)
    return found


def _entity_problems(shape: Shape, cls: type[Entity], table: Mapping[str, Any]) -> Iterator[Problem]:
    entity = cls.policy_name()
    if Verb.READ.value not in table:
        yield Problem(entity, "", "read")
    for verb, cells in table.items():
        broken = [*_malformed(entity, verb, cells)]
        yield from broken
        if broken:
            continue
        yield from _cell_problems(cls, verb, cells)
        if shape.family is not None:
            yield from _limit_problems(shape, cls, Verb(verb), cells)
        if verb != Verb.READ and cls.__scope__ is not Scope.REFERENCE:
            yield from _unread(cls, verb, cells, table.get(Verb.READ.value, ()))


def _malformed(entity: str, verb: str, cells: Any) -> Iterator[Problem]:
    """What can't even be read: judged before anything else of the cell."""
    if verb not in set(Verb):
        yield Problem(entity, verb, "verb", verb)
    elif not isinstance(cells, list) or not cells:
        yield Problem(entity, verb, "malformed")
    else:
        for cell in cells:
            if not _is_cell(cell):
                yield Problem(entity, verb, "malformed")
            elif cell[0] not in set(Coverage):
                yield Problem(entity, verb, "coverage", str(cell[0]))


def _is_cell(cell: Any) -> bool:
    """Whether it is a coverage and its states, by form."""
    if not (isinstance(cell, list | tuple) and len(cell) == 2 and isinstance(cell[0], str)):
        return False
    return cell[1] is None or (isinstance(cell[1], list | tuple) and all(isinstance(one, str) for one in cell[1]))


def _cell_problems(cls: type[Entity], verb: str, cells: Any) -> Iterator[Problem]:
    """States that are not there or that no step leaves; coverages that the rows can't answer, or named twice."""
    entity, states, named = cls.policy_name(), states_of(cls), [cell[0] for cell in cells]
    sources = sources_of(cls, verb)
    for coverage, allowed in cells:
        if named.count(coverage) > 1:
            yield Problem(entity, verb, "twice", coverage)
        if coverage not in limits.fitting(cls):
            yield Problem(entity, verb, "unfit", coverage)
        if allowed is not None and not allowed:
            yield Problem(entity, verb, "states")
        unknown = [str(one) for one in allowed or () if states is not None and one not in states]
        if unknown:
            yield Problem(entity, verb, "state", ", ".join(sorted(unknown)))
        elif allowed and sources and not sources & set(allowed):
            yield Problem(entity, verb, "step")


def states_of(cls: type[Entity]) -> frozenset[str] | None:
    """Every state a row can be in, or None when the entity has no state that is limited."""
    column = inspect(cls).columns.get(cls.state_column())
    if column is None:
        return frozenset()
    if column.info.get("choices") is not None:
        return frozenset(one.value for one in column.info["choices"])
    flow = cls.__workflow__
    return None if flow is None else frozenset({flow.initial, *(one.to for one in flow.transitions)})


def sources_of(cls: type[Entity], verb: str) -> frozenset[str]:
    """The states that the entity's steps under a verb leave; none for what is no step."""
    steps = cls.__workflow__.transitions if cls.__workflow__ else ()
    return frozenset(state for one in steps if one.verb == verb for state in one.sources)


def _limit_problems(shape: Shape, cls: type[Entity], verb: Verb, cells: Any) -> Iterator[Problem]:
    entity, family = cls.policy_name(), Family(shape.family or "")
    limit = limits.LIMITS[family].get(cls.__sphere__)
    if limit is None or verb not in limit.verbs:
        yield Problem(entity, verb, "beyond")
        return
    for coverage, _states in cells:
        if coverage not in limit.coverages:
            yield Problem(entity, verb, "family", coverage)
    if shape.custom and verb not in limits.verbs(family, shape.rank, cls):
        held = (entity, verb.value) in limits.baseline.floors[family]
        yield Problem(entity, verb, "floor" if held else "beyond")


def _unread(cls: type[Entity], verb: str, cells: Any, reads: Any) -> Iterator[Problem]:
    """A cell that goes further than what the role reads: the table promises what it can't keep."""
    if not isinstance(reads, list | tuple) or not all(_is_cell(cell) for cell in reads):
        return
    for coverage, allowed in cells:
        within = [states for name, states in reads if name == coverage]
        fine = any(states is None or (allowed is not None and set(allowed) <= set(states)) for states in within)
        if reads and not fine:
            yield Problem(cls.policy_name(), verb, "unread", coverage)


def _column_problems(shape: Shape, cls: type[Entity], what: str, names: Any) -> Iterator[Problem]:
    entity = cls.policy_name()
    if not isinstance(names, list | tuple) or not all(isinstance(name, str) for name in names):
        yield Problem(entity, what, "malformed")
        return
    table = shape.grants.get(entity)
    if names and not table:
        yield Problem(entity, what, "nothing")
    offered = {name for one in columns_of(cls) for name in both(cls, one)}
    for name in names:
        if name not in offered:
            yield Problem(entity, what, "column", str(name))
        elif isinstance(table, Mapping) and Verb.CREATE.value in table and _needed(cls, name):
            yield Problem(entity, what, "needed", str(name))


def columns_of(cls: type[Entity]) -> list[str]:
    """The columns that a role can withhold; a key goes by its relationship. Not the state, nor core's bookkeeping."""
    mapper = inspect(cls)
    to_one = [one for one in mapper.relationships if one.direction.name == "MANYTOONE"]
    keys = {next(iter(one.local_columns)).key: one.key for one in to_one}
    found = []
    for prop in mapper.column_attrs:
        info = prop.columns[0].info
        closed = info.get("derived") or (info.get("secret") and not info.get("format"))
        if prop.key not in BOOKKEEPING and prop.key != cls.state_column() and not closed and info.get("label"):
            found.append(keys.get(prop.key, prop.key))
    return found


def both(cls: type[Entity], name: str) -> tuple[str, ...]:
    """A column's names: its own, and that of the relationship that stands for it."""
    relation = inspect(cls).relationships.get(name)
    return (name,) if relation is None else (name, str(next(iter(relation.local_columns)).key))


def _needed(cls: type[Entity], name: str) -> bool:
    column = inspect(cls).columns.get(both(cls, name)[-1])
    return (
        column is not None
        and not column.nullable
        and column.default is None
        and not (column.info.get("system") or column.info.get("derived"))
    )
