"""The rows of a file put on records: the same for a trial, which is rolled back, and for the import itself.

Look-ups are read for all rows at once; each row then passes the hooks and checks of every save, and is flushed with
some hundred others, judged by the session's guard under the person's own rights.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import inspect, select
from sqlalchemy.exc import DataError, IntegrityError

from app.core.access.context import current_access
from app.core.access.masking import is_masked, maskable, stands_for
from app.core.access.predicate import predicate
from app.core.db import current_session
from app.core.entity import Entity
from app.core.errors import Invalid
from app.core.importing.chunks import by_chunks
from app.core.importing.lines import CHANGED, LONGEST_SHOWN, NEW, SAME, WRONG, Line, Spec
from app.core.importing.naming import (
    CHUNK,
    References,
    living,
    naming_of,
    rows_by,
    stored_name,
    stored_value,
)
from app.core.saving import Refused, checked, known_of, refusal_of
from app.core.verbs import Verb

MOST_NAMED = 5
Key = tuple[Any, ...]


class _Flushed(Invalid):
    """A hook has written a row that turned out wrong: only a savepoint takes it away again."""


class Batch:
    """One look at some rows, inside a unit of work where they are taken. `own`: keys of rows that the same import has
    made, which its cells can't have meant."""

    def __init__(self, spec: Spec, lines: Sequence[Line], own: frozenset[int] = frozenset()) -> None:
        self.spec, self.lines, self.model, self.own = spec, lines, spec.model, own
        self.naming = naming_of(spec.model)
        self.columns = [prop.key for prop in inspect(spec.model).column_attrs]
        self.maskable = [name for name in self.columns if maskable(spec.model, name)]
        plain = inspect(spec.model).columns
        self.texts = {name for name in spec.targets if name in plain and plain[name].default is not None
                      and plain[name].default.is_scalar and plain[name].default.arg == ""}  # fmt: skip
        self.known: dict[str, Any] = {}
        self.mine: set[int] = set()  # keys of the stored rows that the person may change
        self.may_make = current_access().may(spec.model.policy_name(), Verb.CREATE)

    def look(self) -> None:
        """Find what the rows name and what is stored of them already; nothing is written."""
        self._resolve()
        self._tidy()
        self._find_stored()

    def compare(self) -> None:
        """Refuse what stands in the file twice; after `look` at all rows of it."""
        seen: dict[Any, list[tuple[Line, bool]]] = defaultdict(list)
        for line in self.lines:
            for place, key in enumerate(self._keys_of(line)):
                seen[key].append((line, place == 0))
        for alike in seen.values():
            _refuse_repeated(alike)

    def take(self) -> Counter[str]:
        """Put every row on its record and flush; how many are new, changed, the same, wrong."""
        self.look()
        good = [line for line in self.lines if line.verdict != WRONG]
        self._ask_rights([line.row.id for line in good if line.row is not None])
        self.known = known_of(self.model, [line.values for line in good])
        by_chunks(good, self._take, self._refuse)
        return Counter(line.verdict for line in self.lines)

    # -- relations ----------------------------------------------------------------------------------------------------

    def _resolve(self) -> None:
        unclear: list[tuple[Line, str, str, list[Any]]] = []
        for name, target in self.spec.targets.items():
            named = [line for line in self.lines if name in line.refs]
            if target.other is None or not named:
                continue
            references = References(target.other)
            references.load({line.refs[name] for line in named})
            for line in named:
                rows = self._others(references.matches(text := line.refs[name]))
                if len(rows) == 1:
                    line.values[name] = rows[0]
                elif rows:
                    unclear.append((line, name, text, rows))
                else:
                    line.wrong(name, _("没有找到“%(text)s”，或者您无权查看。", text=text[:LONGEST_SHOWN]))
        for line, name, text, rows in unclear:
            self._choose(line, name, text, rows)

    def _others(self, rows: list[Any]) -> list[Any]:
        return [row for row in rows if row.id not in self.own or type(row) is not self.model] if self.own else rows

    def _choose(self, line: Line, name: str, text: str, rows: list[Any]) -> None:
        """Of several rows of one name, the one that belongs to what else the line names (a site of its firm)."""
        fit = [row for row in rows if _belongs(row, line.values)]
        if len(fit) == 1:
            line.values[name] = fit[0]
            return
        told = _("、").join(_named(row, naming_of(type(row)).found_by) for row in rows[:MOST_NAMED])
        values = {"text": text[:LONGEST_SHOWN], "n": len(rows), "names": told}
        line.wrong(name, _("“%(text)s”有 %(n)s 个：%(names)s。请改填代码等能区分的内容。", **values))

    def _tidy(self) -> None:
        for line in self.lines:
            for name in self.naming.canonical:
                if name in line.values:
                    line.values[name] = self.naming.tidy(name, line.values[name])

    # -- which rows are there already ---------------------------------------------------------------------------------

    def _keys_of(self, line: Line) -> list[tuple[tuple[str, ...], Key]]:
        """The keys whose columns all stand in the line, the deciding one first."""
        found = []
        for names in self.naming.keys:
            key = tuple(stored_value(self.model, name, line.values.get(name)) for name in names)
            if None not in key:
                found.append((names, key))
        return found

    def _find_stored(self) -> None:
        by_key: dict[tuple[str, ...], list[tuple[Line, Key]]] = defaultdict(list)
        for line in self.lines:
            for names, key in self._keys_of(line)[:1]:
                by_key[names].append((line, key))
        for names, pairs in by_key.items():
            stored = rows_by(self.model, names[0], (key[0] for _line, key in pairs))
            for line, key in pairs:
                self._meet(line, names, key, stored.get(key[0], []))

    def _meet(self, line: Line, names: tuple[str, ...], key: Key, rows: list[Any]) -> None:
        columns = [stored_name(self.model, name) for name in names]
        rows = living(self.naming, [row for row in rows if tuple(getattr(row, name) for name in columns) == key])
        if len(rows) > 1:
            told = _("、").join(_named(row, self.naming.found_by) for row in rows[:MOST_NAMED])
            line.wrong(names[0], _("库里有 %(n)s 条符合：%(names)s，分不清是哪一条。", n=len(rows), names=told))
        elif rows:
            line.row, line.version = rows[0], rows[0].version

    def _ask_rights(self, keys: list[int]) -> None:
        access = current_access()
        for start in range(0, len(keys), CHUNK):
            some = self.model.id.in_(keys[start : start + CHUNK])
            allowed = select(self.model.id).where(some, predicate(access, self.model, Verb.UPDATE))
            self.mine.update(current_session().scalars(allowed))

    # -- one row ------------------------------------------------------------------------------------------------------

    def _take(self, line: Line) -> None:
        """Fill the record and check it; a row that is wrong leaves nothing behind."""
        line.problems, line.doubts, line.verdict = [], [], ""
        row = line.row if line.version is not None else self.model()
        line.row = row
        line.before = {name: getattr(row, name) for name in self.columns} if line.version is not None else {}
        line.veiled = {name for name in self.maskable if line.version is not None and is_masked(row, name)}
        put = self._fill(line, row)
        check = checked(row, known=self.known)
        for name, text in check.errors.items():
            if not any(name in (told, f"{told}_id") for told, _text in line.problems):
                line.wrong(name, text)
        line.doubts = [(one.field, one.text) for one in check.doubts]
        if not line.problems:
            self._judge(line, row)
        if line.problems:
            self._release(line, row, put)
        elif line.verdict == NEW:
            current_session().add(row)

    def _fill(self, line: Line, row: Any) -> dict[str, Any]:
        """Set what the line says; returns the old values of what was set."""
        put: dict[str, Any] = {}
        for name, target in self.spec.targets.items():
            if name in line.starred:
                if line.version is None or not stands_for(line.starred[name], getattr(row, name)):
                    line.wrong(name, _("这里打了星号，看不出原来的内容；请填写完整，或者不对应这一列。"))
                continue
            if line.version is None:
                value = line.values.get(name, target.parser.default)
            elif name in line.values:
                value = line.values[name]
            elif self.spec.erase and name in line.blank and self._clearable(name):
                value = "" if name in self.texts else None
            else:
                continue
            if target.required and (value in (None, "") or (value == 0 and target.parser.kind == "checks")):
                line.wrong(name, _("请填写。"))
            elif value is not None or line.version is not None:
                self._set(row, name, value, put)
        return put

    def _clearable(self, name: str) -> bool:
        """Whether a column can be without a value: what it may not lack stays as it is."""
        return name in self.texts or bool(inspect(self.model).columns[stored_name(self.model, name)].nullable)

    def _set(self, row: Any, name: str, value: Any, put: dict[str, Any]) -> None:
        """Set one value where it differs. A relation is compared by its key: nothing is loaded for that."""
        key = value.id if isinstance(value, Entity) else value
        stored = getattr(row, name if name in self.columns else stored_name(self.model, name))
        if stored != key and not (isinstance(key, str) and stands_for(key, stored)):
            put[name] = getattr(row, name)
            setattr(row, name, value)

    def _judge(self, line: Line, row: Any) -> None:
        if line.version is None:
            line.verdict = NEW
            if not self.may_make:
                line.wrong("", _("您的角色不能新建这类记录。"))
        elif not current_session().is_modified(row):
            line.verdict = SAME
        elif row.id in self.mine:
            line.verdict = CHANGED
        else:
            line.wrong("", _("这条记录您可以查看，但不能修改。"))

    def _release(self, line: Line, row: Any, put: dict[str, Any]) -> None:
        """Take back what was set, so that neither this row nor a collection it was put into is written."""
        session = current_session()
        for name, value in put.items():
            setattr(row, name, value)
        if line.version is not None:
            session.expire(row)
        elif row in session:
            raise _Flushed

    def _refuse(self, line: Line, error: Exception) -> None:
        """What the database or the guard said of a row taken by itself."""
        if line.problems:
            return
        told = refusal_of(line.row, error) if isinstance(error, IntegrityError) else error
        if isinstance(told, Refused):
            for name, text in told.fields.items():
                line.wrong(name, text)
        elif isinstance(told, DataError):
            line.wrong("", _("有内容超出了范围。"))
        else:
            line.wrong("", told)


def _refuse_repeated(alike: list[tuple[Line, bool]]) -> None:
    """Of the lines with one key: the first that is decided by it counts, unless another is decided by a better key."""
    stronger = [line for line, decides in alike if not decides]
    decided = [line for line, decides in alike if decides]
    first = stronger[0] if stronger else decided[0] if decided else None
    for line in decided if stronger else decided[1:]:
        if first is not None:
            line.wrong("", _("与第 %(n)s 行重复。", n=first.number))


def _belongs(row: Any, values: dict[str, Any]) -> bool:
    """Whether every parent of the row that the line also names is the one named."""
    named = {type(one): one.id for one in values.values() if isinstance(one, Entity)}
    parents = [one for one in inspect(type(row)).relationships if one.direction.name == "MANYTOONE"]
    keys = [(one.mapper.class_, getattr(row, next(iter(one.local_columns)).key)) for one in parents]
    shared = [(cls, key) for cls, key in keys if cls in named]
    return bool(shared) and all(named[cls] == key for cls, key in shared)


def _named(row: Any, found_by: tuple[str, ...]) -> str:
    """A row as a message names it: with what tells it from others, nothing secret and nothing hidden."""
    columns, hidden = inspect(type(row)).columns, current_access().hidden(row.policy_name())
    names = [name for name in (*found_by, "address") if name in columns and name not in hidden]
    told = [str(getattr(row, name) or "") for name in names if not columns[name].info.get("secret")]
    more = [text for text in dict.fromkeys(told) if text and text != str(row)]
    return f"{row}（{'，'.join(more)}）" if more else str(row)
