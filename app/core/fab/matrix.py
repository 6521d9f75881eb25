"""A role's table in words: which entity, which act, how far, in which states; for screens, history and workbooks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import inspect

from app.core.access import limits
from app.core.access.policy import Coverage
from app.core.access.problems import (
    HIDDEN,
    READONLY,
    WORDS,
    Problem,
    Shape,
    columns_of,
    sources_of,
    states_of,
)
from app.core.entity import Entity, Sphere, registry
from app.core.fab.cells import label_of, said
from app.core.fab.trail import register_differ
from app.core.office import AccessRole, RoleOrigin
from app.core.verbs import VERB_WORDS, Verb

COVERAGES = {
    Coverage.SUBTREE: ("本机构及下级", "任职机构和它的下级机构负责的记录"),
    Coverage.SUPERVISED: ("所管条线", "上级机构范围内、任职机构所管条线的记录"),
    Coverage.FIRM: ("任职企业", "本人在企业任职期间，该企业或场所的记录"),
    Coverage.ASSIGNED: ("指派", "指派给本人的记录和它们的主体"),
    Coverage.OWN: ("本人", "本人自己的记录"),
    Coverage.ALL: ("公共资料", "不属于某个机构、人人共用的资料"),
}
COLUMN_WORDS = {HIDDEN: "隐藏的列", READONLY: "只读的列"}
TOOLS = "个人工具"


def shape_of(role: AccessRole) -> Shape:
    """A stored role as what is judged."""
    custom = role.origin != RoleOrigin.BUILTIN
    return Shape(role.grants or {}, role.hidden or {}, role.readonly or {}, role.family, role.rank or 0, custom)


def coverage_word(coverage: str) -> str:
    """本机构及下级."""
    return said(COVERAGES[Coverage(coverage)][0]) if coverage in set(Coverage) else coverage


def entity_word(entity: str) -> str:
    """企业; the name itself where nothing is called so."""
    cls = registry().get(entity)
    return said(cls.__label__) if cls is not None and cls.__label__ else entity


def verb_word(cls: type[Entity] | None, verb: str) -> str:
    """What a verb is called on the entity: its steps' own words, else the general one."""
    steps = cls.__workflow__.transitions if cls is not None and cls.__workflow__ else ()
    labels = dict.fromkeys(said(one.label) for one in steps if one.verb == verb)
    if labels:
        return "／".join(labels)
    return said(VERB_WORDS[Verb(verb)]) if verb in set(Verb) else verb


def told(problem: Problem) -> str:
    """A contradiction in the person's words."""
    detail = problem.detail
    cls = registry().get(problem.entity)
    if problem.verb in COLUMN_WORDS and cls is not None and detail in columns_of(cls):
        detail = label_of(cls, detail)
    elif detail in set(Coverage):
        detail = coverage_word(detail)
    elif problem.what == "state":
        detail = "、".join(said(one) for one in detail.split(", "))
    return str(WORDS[problem.what][1]) % {"detail": detail}


def cells_word(cells: Any) -> str:
    """无; 本机构及下级; 本机构及下级（草稿、待审核）；指派."""
    found = []
    for coverage, states in cells or ():
        word, only = coverage_word(coverage), "、".join(said(one) for one in states or ())
        found.append(_("%(what)s（%(value)s）", what=word, value=only) if only else word)
    return "；".join(found) or str(_("无"))


def changes(old: Mapping[str, Any] | None, new: Mapping[str, Any] | None) -> Iterator[tuple[str, str, str]]:
    """What differs between two tables of grants: 企业 · 修改, 无, 本机构及下级."""
    before, after = old or {}, new or {}
    for entity in dict.fromkeys([*before, *after]):
        cls = registry().get(entity)
        one, other = before.get(entity) or {}, after.get(entity) or {}
        for verb in sorted({*one, *other}, key=_place):
            words = cells_word(one.get(verb)), cells_word(other.get(verb))
            if words[0] != words[1]:
                yield (f"{entity_word(entity)} · {verb_word(cls, verb)}", *words)


def _place(verb: str) -> int:
    return list(Verb).index(Verb(verb)) if verb in set(Verb) else len(Verb)


def columns_word(entity: str, names: Iterable[str]) -> str:
    """The labels of withheld columns; a relationship and its key are one."""
    cls = registry().get(entity)
    if cls is None:
        return "、".join(names)
    shown = [name for name in columns_of(cls) if name in set(names)]
    return "、".join(label_of(cls, name) for name in shown) or str(_("无"))


@register_differ(AccessRole, "grants")
def _grants_differ(old: Any, new: Any) -> Iterator[tuple[str, str, str]]:
    yield from changes(old, new)


@register_differ(AccessRole, "hidden")
def _hidden_differ(old: Any, new: Any) -> Iterator[tuple[str, str, str]]:
    yield from column_changes(HIDDEN, old, new)


@register_differ(AccessRole, "readonly")
def _readonly_differ(old: Any, new: Any) -> Iterator[tuple[str, str, str]]:
    yield from column_changes(READONLY, old, new)


def column_changes(what: str, old: Any, new: Any) -> Iterator[tuple[str, str, str]]:
    """企业 · 隐藏的列, 无, 电话."""
    before, after = old or {}, new or {}
    for entity in dict.fromkeys([*before, *after]):
        words = columns_word(entity, before.get(entity, ())), columns_word(entity, after.get(entity, ()))
        if words[0] != words[1]:
            yield (f"{entity_word(entity)} · {said(COLUMN_WORDS[what])}", *words)


# -- the matrix -------------------------------------------------------------------------------------------------------


@dataclass
class Choice:
    """A coverage that a cell may have: whether it does, and the states it can be limited to."""

    coverage: str
    word: str
    held: bool
    states: list[tuple[str, str, bool]] = field(default_factory=list)

    @property
    def only(self) -> list[str]:
        """The states it is limited to, in words; none: in every state."""
        return [word for _value, word, on in self.states if on]


@dataclass
class MatrixCell:
    """One act on one entity. `closed`: it means nothing there, or this role can't have it."""

    verb: str
    label: str
    choices: list[Choice]
    problems: list[str]
    closed: bool = False

    @property
    def marks(self) -> list[Choice]:
        """What the role has."""
        return [one for one in self.choices if one.held]


@dataclass
class MatrixRow:
    """One entity: the common acts, its own steps, its columns as (name, label, hidden, read-only)."""

    entity: str
    label: str
    cells: list[MatrixCell]
    steps: list[MatrixCell]
    columns: list[tuple[str, str, bool, bool]]
    problems: list[str]
    column_problems: list[str]

    @property
    def held(self) -> bool:
        """Whether the role has anything here."""
        return any(cell.marks for cell in (*self.cells, *self.steps))

    @property
    def hidden(self) -> list[str]:
        """Labels of the hidden columns."""
        return [label for _name, label, hidden, _ro in self.columns if hidden]

    @property
    def readonly(self) -> list[str]:
        """Labels of the read-only columns."""
        return [label for _name, label, hidden, readonly in self.columns if readonly and not hidden]

    @property
    def wrong(self) -> list[str]:
        """Everything that is wrong in this row."""
        cells = [why for cell in (*self.cells, *self.steps) for why in cell.problems]
        return [*self.problems, *cells, *self.column_problems]


@dataclass
class MatrixGroup:
    """The entities of one subject."""

    label: str
    rows: list[MatrixRow]


def matrix(shape: Shape, subjects: list[tuple[str, list[str]]], problems: Iterable[Problem] = ()) -> list[MatrixGroup]:
    """The whole table by subject: (label, entities) in the order of the navigation, what is left at the end."""
    ours, wrong = limits.governed(), list(problems)
    return [
        MatrixGroup(label, [_row(ours[name], shape, wrong) for name in names])
        for label, names in grouped(subjects).items()
        if names
    ]


def grouped(subjects: list[tuple[str, list[str]]]) -> dict[str, list[str]]:
    """Every entity that has grants, under its subject."""
    ours = limits.governed()
    groups = {label: [name for name in names if name in ours] for label, names in subjects}
    for name in [name for name in ours if not any(name in names for names in groups.values())]:
        groups.setdefault(_place_of(ours[name], groups), []).append(name)
    return groups


def _place_of(cls: type[Entity], groups: Mapping[str, list[str]]) -> str:
    """Where an entity without a place in the navigation stands: with its owner, with the administration, or last."""
    owners = (cls.__owner__,) if isinstance(cls.__owner__, str) else cls.__owner__
    near = [inspect(cls).relationships[name].mapper.class_.__name__ for name in owners if name]
    if cls.__sphere__ in {Sphere.ADMINISTRATION, Sphere.LOG}:
        near.append("AccessRole")
    return next((label for label, names in groups.items() if set(near) & set(names)), said(TOOLS))


def _row(cls: type[Entity], shape: Shape, wrong: list[Problem]) -> MatrixRow:
    entity = cls.policy_name()
    mine = [one for one in wrong if one.entity == entity]
    flow = [one.verb for one in cls.__workflow__.transitions] if cls.__workflow__ else []
    steps = [verb for verb in dict.fromkeys([*flow, *limits.verbs_of(cls)]) if verb not in limits.FIRST]
    hidden, readonly = shape.hidden.get(entity, ()), shape.readonly.get(entity, ())
    return MatrixRow(
        entity, said(cls.__label__),
        [_cell(cls, verb, shape, mine) for verb in limits.FIRST], [_cell(cls, verb, shape, mine) for verb in steps],
        [(name, label_of(cls, name), name in hidden, name in readonly) for name in columns_of(cls)],
        [told(one) for one in mine if not one.verb], [told(one) for one in mine if one.verb in COLUMN_WORDS],
    )  # fmt: skip


def _cell(cls: type[Entity], verb: Verb, shape: Shape, wrong: list[Problem]) -> MatrixCell:
    held = dict(_cells(shape, cls, verb))
    family = shape.family or ""
    able = verb in limits.verbs(family, shape.rank, cls)
    offered = limits.coverages(family, cls) if able else []
    choices = [
        Choice(one.value, coverage_word(one), one.value in held, _states(cls, verb, held.get(one.value)))
        for one in Coverage
        if one in offered or one.value in held
    ]
    problems = [told(one) for one in wrong if one.verb == verb]
    return MatrixCell(verb.value, verb_word(cls, verb), choices, problems, not choices)


def _cells(shape: Shape, cls: type[Entity], verb: Verb) -> list[Any]:
    table = shape.grants.get(cls.policy_name(), {})
    cells = table.get(verb.value, ()) if isinstance(table, Mapping) else ()
    return [cell for cell in cells if isinstance(cell, list | tuple) and len(cell) == 2]


def _states(cls: type[Entity], verb: Verb, held: Any) -> list[tuple[str, str, bool]]:
    """The states that a cell can be limited to: those a step leaves, all of them for what is no step."""
    sources, states = sources_of(cls, verb), states_of(cls) or frozenset()
    if verb is Verb.CREATE:
        states = frozenset()
    column = cls.__table__.columns.get(cls.state_column())
    choices = column.info.get("choices") if column is not None else None
    ordered = [one.value for one in choices] if choices else sorted(states)
    named = [one for one in ordered if one in (sources or states)]
    return [(one, said(one), one in (held or ())) for one in dict.fromkeys([*named, *(held or ())])]
