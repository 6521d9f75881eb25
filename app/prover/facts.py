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

Fact = dict[str, Any]
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
                names = [prop.key for prop in inspect(cls).column_attrs]
                asked = select(*(getattr(cls, name) for name in names))
                self.rows[cls] = {
                    fact["id"]: fact for fact in (dict(zip(names, row, strict=True)) for row in session.execute(asked))
                }

    def changes(self, tables: Iterable[str]) -> list[tuple[type[Entity], int, Fact | None, Fact | None]]:
        """(class, key, before, after) of each row of these tables that is not what it was; the facts are renewed."""
        classes = [self.tables[name] for name in sorted(set(tables)) if name in self.tables]
        before = {cls: self.rows[cls] for cls in classes}
        self.read(classes)
        found = []
        for cls in classes:
            after = self.rows[cls]
            for key in sorted(before[cls].keys() | after.keys()):
                old, new = before[cls].get(key), after.get(key)
                if old != new:
                    found.append((cls, key, old, new))
        return found


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
