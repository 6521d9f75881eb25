"""Saving a row: one path for forms, import, API and command line.

Generic checks come from the columns; a service registers what an entity needs beside them with `on_save`.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, TypeVar

from flask_babel import gettext as _
from sqlalchemy import String, Text, inspect
from sqlalchemy.exc import IntegrityError

from app.core.codes import INVISIBLE
from app.core.db import current_session
from app.core.entity import Entity
from app.core.errors import Conflict, Invalid
from app.core.verbs import Verb
from app.core.writing import duplicate_of, unit_of_work

E = TypeVar("E", bound=Entity)
BIDI = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")  # reorder what is read
LONGEST = 20_000  # characters of a text column without a length


class Everything(frozenset[str]):
    """Accepts every doubt: for imports that have listed them already."""

    def __contains__(self, _name: object) -> bool:
        return True


EVERYTHING = Everything()
NONE: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Doubt:
    """Something that may be right but needs a person's tick."""

    name: str
    field: str
    text: str


@dataclass
class Check:
    """What saving found: errors by field, and doubts not yet ticked.

    `known` holds what was read once for many rows (`before_many`); a hook that does not find its part there asks.
    """

    accepted: frozenset[str] = frozenset()
    errors: dict[str, str] = field(default_factory=dict)
    doubts: list[Doubt] = field(default_factory=list)
    known: Mapping[str, Any] = field(default_factory=dict)

    def error(self, name: str, text: Any) -> None:
        """The field is wrong."""
        self.errors.setdefault(name, str(text))

    def doubt(self, name: str, text: Any) -> None:
        """The field looks wrong; a tick named after it and its text's place lets it pass."""
        tick = f"accept-{name}"
        if tick not in self.accepted:
            self.doubts.append(Doubt(tick, name, str(text)))


class Refused(Invalid):
    """The row was not saved; carries the errors by field and the doubts that need a tick."""

    def __init__(self, check: Check) -> None:
        super().__init__(_("有内容需要改正，尚未保存。"), dict(check.errors))
        self.doubts = check.doubts


Hook = Callable[[Any, Check], None]
_hooks: dict[type[Entity], list[Hook]] = {}
Reader = Callable[[list[dict[str, Any]]], dict[str, Any]]
_readers: dict[type[Entity], list[Reader]] = {}


def on_save(model: type[Entity]) -> Callable[[Hook], Hook]:
    """Register what a service does and checks whenever a row of `model` is saved."""

    def decorate(function: Hook) -> Hook:
        known = _hooks.setdefault(model, [])
        if function not in known:
            known.append(function)
        return function

    return decorate


def before_many(model: type[Entity]) -> Callable[[Reader], Reader]:
    """Register what is read once before many rows are saved: from their values to facts for `Check.known`."""

    def decorate(function: Reader) -> Reader:
        known = _readers.setdefault(model, [])
        if function not in known:
            known.append(function)
        return function

    return decorate


def known_of(model: type[Entity], values: list[dict[str, Any]]) -> dict[str, Any]:
    """The facts for rows with these values."""
    found: dict[str, Any] = {}
    for reader in _readers.get(model, ()):
        found |= reader(values)
    return found


def checked(row: Entity, accepted: frozenset[str] = NONE, known: Mapping[str, Any] | None = None) -> Check:
    """What a row's hooks and columns say of it; hooks also fill what is derived."""
    check = Check(accepted, known=known or {})
    tidy(row)
    with current_session().no_autoflush:  # a hook that asks the database must not write a row that it has yet to judge
        for hook in _hooks.get(type(row), ()):
            hook(row, check)
    for problem in (*column_problems(row), *cycle_problems(row)):
        check.error(*problem)
    if not check.errors:  # a hook says in the entity's own words what is wrong with its parts
        for problem in part_problems(row):
            check.error(*problem)
    return check


def tidy(row: Entity) -> None:
    """Take out of every text what nobody sees, on the row and on its parts: two names that look alike are one name.

    Whichever door a text came in by; forms do the same to what is typed, so that it is shown as it will be kept.
    """
    for one in (row, *_loaded_parts(row)):
        for prop in inspect(type(one)).column_attrs:
            value, target = one.__dict__.get(prop.key), prop.columns[0]  # what is not loaded has not been written
            if not isinstance(value, str) or value.isascii() or target.info.get("system") or target.info.get("secret"):
                continue
            if isinstance(target.type, String) and (seen := value.translate(INVISIBLE)) != value:
                setattr(one, prop.key, seen)


def _loaded_parts(row: Entity) -> Iterable[Entity]:
    for relation in inspect(type(row)).relationships:
        if relation.direction.name == "ONETOMANY" and _is_part(relation.mapper.class_) and relation.key in row.__dict__:
            yield from getattr(row, relation.key)


def save(row: E, verb: Verb, *, accepted: frozenset[str] = NONE, reason: str = "") -> E:
    """Check and write a row with its parts, in one unit of work. Raises Refused, Conflict, Forbidden."""
    with unit_of_work(verb, reason):
        session = current_session()
        check = checked(row, accepted)
        if check.errors or check.doubts:
            raise Refused(check)
        session.add(row)
        try:
            session.flush()
        except IntegrityError as error:
            raise refusal_of(row, error) from error
    return row


def column_problems(row: Entity) -> Iterable[tuple[str, str]]:
    """What the columns themselves forbid: missing, too long, unknown choice, control characters."""
    for prop in inspect(type(row)).column_attrs:
        target = prop.columns[0]
        info = target.info
        value = getattr(row, prop.key)
        if value is None or value == "":
            asked = not info.get("system") and not target.primary_key
            if asked and not target.nullable and target.default is None and not target.foreign_keys:
                yield prop.key, _("请填写。")
        elif isinstance(value, str) and (why := text_problem(value, target.type, info.get("choices"))):
            yield prop.key, why
        elif isinstance(value, date) and not 1900 <= value.year <= 2200:
            yield prop.key, _("日期不在合理范围内。")


def part_problems(row: Entity) -> Iterable[tuple[str, str]]:
    """The same of the parts that hang on the row: relation.position.column, 1 is the first."""
    for relation in inspect(type(row)).relationships:
        if relation.direction.name == "ONETOMANY" and _is_part(relation.mapper.class_) and relation.key in row.__dict__:
            for number, part in enumerate(getattr(row, relation.key), 1):
                yield from ((f"{relation.key}.{number}.{name}", why) for name, why in column_problems(part))


def _is_part(cls: Any) -> bool:
    return issubclass(cls, Entity) and bool(cls.__part_of__)


def cycle_problems(row: Entity) -> Iterable[tuple[str, str]]:
    """A row of a tree that would be its own parent or below itself: no database could say where it is."""
    for relation in inspect(type(row)).relationships:
        if relation.mapper.class_ is type(row) and relation.direction.name == "MANYTOONE":
            above, seen = getattr(row, relation.key), set[int]()
            while above is not None and above is not row and id(above) not in seen:
                seen.add(id(above))
                above = getattr(above, relation.key)
            if above is not None:
                yield relation.key, _("上级不能是它自己或它的下级。")


def text_problem(value: str, kind: Any, choices: Any = None) -> str:
    """What is wrong with a text for a column of this type: signs that can't be shown, too long, no choice of these."""
    longest = kind.length if isinstance(kind, String) and kind.length else LONGEST
    if any(unicodedata.category(char) in {"Cc", "Cs", "Co", "Cn"} and char not in "\r\n\t" for char in value):
        return str(_("含有不能显示的字符，请删除后重新输入。"))
    if BIDI.intersection(value):
        return str(_("含有改变书写方向的字符，请删除后重新输入。"))
    if not value.translate(INVISIBLE).strip():
        return str(_("请填写看得见的内容。"))
    if len(value) > longest and isinstance(kind, (String, Text)):
        return str(_("最多 %(n)s 个字，现在 %(m)s 个。", n=longest, m=len(value)))
    if choices is not None and value not in set(choices):
        return str(_("不在可选范围内。"))
    return ""


def refusal_of(row: Entity, error: IntegrityError) -> Exception:
    """A constraint's refusal in the user's words; never SQL."""
    if not duplicate_of(error):
        return Conflict(_("这条记录还与其他记录关联，不能这样改。"))
    diag = getattr(error.orig, "diag", None)
    named = f"{getattr(diag, 'constraint_name', '') or ''} {error.orig}"
    table = inspect(type(row)).local_table
    for target in table.columns:
        if f"{table.name}.{target.name}" in named or f"uq_{table.name}_{target.name}" in named:
            return Refused(Check(errors={target.key: _("已有相同的记录。")}))
    return Conflict(_("已有相同的记录。"))
