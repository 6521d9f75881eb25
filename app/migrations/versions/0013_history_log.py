"""a log that can be searched; entries that nobody changes; checkpoints for chains whose oldest entries are past

Revision: 0013
After: 0012
"""

from __future__ import annotations

import json
from typing import Any

import sqlalchemy as sa
from alembic import op

from app.core.history_entry import columns_of

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

NEW = {"actor_name": 60, "address": 45, "kind": 10, "result": 10, "summary": 200}
SEARCHED = ("office_id", "actor_id", "verb", "kind", "result", "address", "entity")
TABLES = ("history_entry", "history_link", "history_head", "history_checkpoint")
KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

# who may do what to these tables: entries and links go only below a checkpoint, heads and checkpoints only forward
BELOW = "(SELECT seq FROM history_checkpoint WHERE office_id = OLD.office_id)"
GONE = f"OLD.seq <= COALESCE({BELOW}, 0)"
RULES = {
    "history_entry": {"UPDATE": "FALSE", "DELETE": GONE},
    "history_link": {"UPDATE": "FALSE", "DELETE": GONE},
    "history_head": {"UPDATE": "NEW.seq = OLD.seq + 1 AND NEW.office_id = OLD.office_id", "DELETE": "FALSE"},
    "history_checkpoint": {"UPDATE": "NEW.seq > OLD.seq AND NEW.office_id = OLD.office_id", "DELETE": "FALSE"},
}


def upgrade() -> None:
    """Columns, filled from the bodies that are there; indexes; the checkpoints; the triggers last."""
    with op.batch_alter_table("history_entry") as batch:
        for name, length in NEW.items():
            batch.add_column(sa.Column(name, sa.String(length), nullable=False, server_default=""))
    _fill()
    with op.batch_alter_table("history_entry") as batch:
        for name in NEW:
            batch.alter_column(name, existing_type=sa.String(NEW[name]), existing_nullable=False, server_default=None)
        batch.drop_index("ix_history_entry_actor_id")
        batch.drop_index("ix_history_entry_at")
    op.create_index("ix_history_entry_at_id", "history_entry", ["at", "id"])
    for name in SEARCHED:
        op.create_index(f"ix_history_entry_{name}_at", "history_entry", [name, "at", "id"])
    op.create_index("ix_history_entry_summary", "history_entry", ["summary"])
    with op.batch_alter_table("history_link") as batch:
        batch.create_unique_constraint(
            "uq_history_link_office_id_seq_entity_row_id", ["office_id", "seq", "entity", "row_id"]
        )
    op.create_table(
        "history_checkpoint",
        sa.Column("office_id", sa.BigInteger(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.Column("seal", sa.String(64), nullable=False),
        sa.Column("id", KEY, nullable=False),
        sa.Column("public_id", sa.String(22), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("made_at", sa.DateTime(), nullable=False),
        sa.Column("made_by_id", KEY, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_history_checkpoint")),
        sa.UniqueConstraint("office_id", name=op.f("uq_history_checkpoint_office_id")),
        sa.UniqueConstraint("public_id", name=op.f("uq_history_checkpoint_public_id")),
    )
    _guard()


def downgrade() -> None:
    """Back: the triggers first; what is below a checkpoint does not come back."""
    _unguard()
    op.drop_table("history_checkpoint")
    with op.batch_alter_table("history_link") as batch:
        batch.drop_constraint("uq_history_link_office_id_seq_entity_row_id", type_="unique")
    op.drop_index("ix_history_entry_summary", "history_entry")
    for name in SEARCHED:
        op.drop_index(f"ix_history_entry_{name}_at", "history_entry")
    op.drop_index("ix_history_entry_at_id", "history_entry")
    with op.batch_alter_table("history_entry") as batch:
        batch.create_index("ix_history_entry_actor_id", ["actor_id"])
        batch.create_index("ix_history_entry_at", ["at"])
        for name in NEW:
            batch.drop_column(name)


def _fill() -> None:
    """What the new columns repeat of each body, and the public ids that are now a piece of the hash."""
    names = ("id", "body", "hash", *NEW, "public_id", "made_at", "at", "version")
    table = sa.table("history_entry", *(sa.column(name) for name in names))
    connection, last = op.get_bind(), 0
    while True:
        wanted = sa.select(table.c.id, table.c.body, table.c.hash).where(table.c.id > last).order_by(table.c.id)
        rows = connection.execute(wanted.limit(1_000)).all()
        if not rows:
            return
        for row in rows:
            told = columns_of(json.loads(row.body), row.hash)
            values: dict[str, Any] = {name: told[name] for name in (*NEW, "public_id", "version")}
            values["made_at"] = table.c.at
            connection.execute(sa.update(table).where(table.c.id == row.id).values(values))
        last = rows[-1].id


def _guard() -> None:
    """Triggers that refuse, whoever asks: the last line behind the program's own."""
    if op.get_bind().dialect.name == "sqlite":
        for table, rules in RULES.items():
            for act, allowed in rules.items():
                op.execute(
                    f"CREATE TRIGGER guard_{table}_{act.lower()} BEFORE {act} ON {table} WHEN NOT ({allowed}) "
                    "BEGIN SELECT RAISE(ABORT, 'history is append-only'); END"
                )
        return
    op.execute(
        "CREATE FUNCTION history_guard() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'history is append-only'; END $$"
    )
    op.execute(_may_go())
    for table, rules in RULES.items():
        for act, allowed in rules.items():
            name, when = f"guard_{table}_{act.lower()}", allowed.replace(GONE, "FALSE")
            function = "history_may_go" if allowed == GONE else "history_guard"
            op.execute(
                f"CREATE TRIGGER {name} BEFORE {act} ON {table} FOR EACH ROW WHEN (NOT ({when})) "
                f"EXECUTE FUNCTION {function}()"
            )
        op.execute(
            f"CREATE TRIGGER guard_{table}_truncate BEFORE TRUNCATE ON {table} EXECUTE FUNCTION history_guard()"
        )


def _may_go() -> str:
    """PostgreSQL's WHEN holds no subquery, so its function asks for the checkpoint."""
    return (
        "CREATE FUNCTION history_may_go() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN IF {GONE} THEN RETURN OLD; END IF; RAISE EXCEPTION 'history is append-only'; END $$"
    )


def _unguard() -> None:
    sqlite = op.get_bind().dialect.name == "sqlite"
    for table, rules in RULES.items():
        for act in (*rules, *(() if sqlite else ("TRUNCATE",))):
            op.execute(f"DROP TRIGGER guard_{table}_{act.lower()}" + ("" if sqlite else f" ON {table}"))
    if not sqlite:
        op.execute("DROP FUNCTION history_guard()")
        op.execute("DROP FUNCTION history_may_go()")
