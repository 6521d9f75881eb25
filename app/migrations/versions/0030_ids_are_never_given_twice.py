"""On SQLite an id is never given a second time: histories, papers and assignments name rows by it.

SQLite gives the id of a deleted last row to the next one unless the key is AUTOINCREMENT; PostgreSQL's sequences never
do. Only the text of the schema changes, nothing of what lies on the disk, so it is rewritten in place: copying the tables
would need foreign keys off, and other tables point at them.

Revision: 0030
After: 0014
"""

from __future__ import annotations

import re

import sqlalchemy as sa
from alembic import op

revision = "0030"
down_revision = "0014"
branch_labels = None
depends_on = None

KEY = re.compile(r"^(\s*)id INTEGER NOT NULL(\s*),", re.MULTILINE)
CONSTRAINT = re.compile(r"\s*CONSTRAINT pk_\w+ PRIMARY KEY \(id\)\s*,", re.MULTILINE)
NUMBERED = re.compile(r"^(\s*)id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT(\s*),", re.MULTILINE)
OTHER = re.compile(r"^\s*(CONSTRAINT|FOREIGN KEY|UNIQUE|CHECK)\b", re.MULTILINE)


def upgrade() -> None:
    """Number on from the highest id that was ever given, as far as rows and histories still tell."""
    if op.get_bind().dialect.name != "sqlite":
        return
    op.execute("CREATE TABLE numbered (id INTEGER PRIMARY KEY AUTOINCREMENT)")  # brings sqlite_sequence into being
    op.execute("DROP TABLE numbered")
    changed = {name: told for name, sql in _tables().items() if (told := _numbered(sql)) is not None}
    _rewrite(changed)
    for name in changed:
        entity = "".join(part.title() for part in name.split("_"))
        op.execute(
            sa.text(
                f"INSERT INTO sqlite_sequence (name, seq) SELECT '{name}', max("  # noqa: S608 - a table's own name
                f"coalesce((SELECT max(id) FROM {name}), 0), "
                "coalesce((SELECT max(row_id) FROM history_entry WHERE entity = :entity), 0))"
            ).bindparams(entity=entity)
        )


def downgrade() -> None:
    """Back to keys that may be given again."""
    if op.get_bind().dialect.name != "sqlite":
        return
    plain = {name: told for name, sql in _tables().items() if (told := _plain(name, sql)) is not None}
    _rewrite(plain)
    for name in plain:
        op.execute(sa.text("DELETE FROM sqlite_sequence WHERE name = :name").bindparams(name=name))


def _tables() -> dict[str, str]:
    found = op.get_bind().execute(sa.text("SELECT name, sql FROM sqlite_master WHERE type = 'table' AND sql NOT NULL"))
    return {name: sql for name, sql in found}


def _numbered(sql: str) -> str | None:
    """The table's text with a key that is numbered for good; None for one whose key is another, or is so already."""
    if not KEY.search(sql) or not CONSTRAINT.search(sql):
        return None
    return CONSTRAINT.sub("", KEY.sub(r"\1id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT\2,", sql, count=1), count=1)


def _plain(name: str, sql: str) -> str | None:
    """The text as it was: the key's constraint stands before the first other one, or at the end."""
    if not NUMBERED.search(sql):
        return None
    before = NUMBERED.sub(r"\1id INTEGER NOT NULL\2,", sql, count=1)
    constraint = OTHER.search(before)
    if constraint is None:
        return re.sub(r"\s*\)\s*$", f",\n\tCONSTRAINT pk_{name} PRIMARY KEY (id)\n)", before)
    return f"{before[: constraint.start()]}\n\tCONSTRAINT pk_{name} PRIMARY KEY (id), {before[constraint.start() :]}"


def _rewrite(texts: dict[str, str]) -> None:
    """Put new texts of tables into the schema, in this transaction, and have every connection read it again."""
    bind = op.get_bind()
    bind.execute(sa.text("PRAGMA writable_schema = ON"))
    for name, sql in texts.items():
        bind.execute(
            sa.text("UPDATE sqlite_master SET sql = :sql WHERE type = 'table' AND name = :name"),
            {"sql": sql, "name": name},
        )
    cookie = bind.execute(sa.text("PRAGMA schema_version")).scalar_one()
    bind.execute(sa.text(f"PRAGMA schema_version = {int(cookie) + 1}"))
    bind.execute(sa.text("PRAGMA writable_schema = OFF"))
    wrong = bind.execute(sa.text("PRAGMA quick_check")).scalars().all()
    if wrong != ["ok"]:
        raise RuntimeError(f"the schema could not be rewritten: {wrong}")
