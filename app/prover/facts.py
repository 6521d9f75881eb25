"""What stands in the database, read past the program: every row of every entity as plain values."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Engine, event, inspect, select

from app.core.access.predicate import subjects
from app.core.db import unscoped
from app.core.entity import Entity, registry
from app.core.history_entry import HistoryEntry, HistoryLink

Fact = dict[str, Any]
APPENDED = (HistoryEntry, HistoryLink)  # triggers refuse to change or delete their rows
WRITING = re.compile(r"\s*(?:INSERT INTO|UPDATE|DELETE FROM)\s+\"?(\w+)")


class Facts:
    """Rows by entity and key. Read once; after a write only the tables that were written are read again."""

    def __init__(self) -> None:
        self.rows: dict[type[Entity], dict[int, Fact]] = {}
        self.classes = sorted(registry().values(), key=lambda cls: cls.__name__)
        self.named = {cls.__name__: cls for cls in self.classes}
        self.tables = {inspect(cls).local_table.name: cls for cls in self.classes}
        self.subjects = list(subjects)

    def read(self, classes: Iterable[type[Entity]] | None = None) -> None:
        """Read these entities' tables (all)."""
        with unscoped("prover: facts", quiet=True) as session:
            for cls in self.classes if classes is None else classes:
                asked, names = _asked(cls)
                self.rows[cls] = {
                    fact["id"]: fact for fact in (dict(zip(names, row, strict=True)) for row in session.execute(asked))
                }

    def read_new(self, classes: Iterable[type[Entity]]) -> None:
        """Read what was added to tables whose rows never change."""
        with unscoped("prover: facts", quiet=True) as session:
            for cls in classes:
                asked, names = _asked(cls)
                known = self.rows[cls]
                new = session.execute(asked.where(cls.id > max(known, default=0)))
                facts = (dict(zip(names, row, strict=True)) for row in new)
                self.rows[cls] = known | {fact["id"]: fact for fact in facts}

    def changes(self, tables: Iterable[str]) -> list[tuple[type[Entity], int, Fact | None, Fact | None]]:
        """(class, key, before, after) of each row of these tables that is not what it was; the facts are renewed."""
        classes = [self.tables[name] for name in sorted(set(tables)) if name in self.tables]
        before = {cls: self.rows[cls] for cls in classes}
        self.read(one for one in classes if one not in APPENDED)
        self.read_new(one for one in classes if one in APPENDED)
        found = []
        for cls in classes:
            after = self.rows[cls]
            moved = after.keys() - before[cls].keys() if cls in APPENDED else before[cls].keys() | after.keys()
            for key in sorted(moved):
                old, new = before[cls].get(key), after.get(key)
                if old != new:
                    found.append((cls, key, old, new))
        return found


def _asked(cls: type[Entity]) -> tuple[Any, list[str]]:
    """The statement that reads a table, and the names of what it reads."""
    names = [prop.key for prop in inspect(cls).column_attrs]
    return select(*(getattr(cls, name) for name in names)), names


@contextmanager
def written_tables(engine: Engine) -> Iterator[set[str]]:
    """The tables that are written meanwhile."""
    found: set[str] = set()

    def listen(_c: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        if match := WRITING.match(statement):
            found.add(match[1])

    event.listen(engine, "before_cursor_execute", listen)
    try:
        yield found
    finally:
        event.remove(engine, "before_cursor_execute", listen)
