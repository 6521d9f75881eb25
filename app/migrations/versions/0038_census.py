"""摸底: rounds, what each station hands in, a line a site.

Revision: 0038
After: 0037
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0038"
down_revision = "0037"
branch_labels = None
depends_on = None

BigId = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
ORDERS, FILTERS = ("name", "state"), ("kind", "scale", "why")


def _own(table: str) -> list[Any]:
    """What every table has."""
    return [
        sa.Column("id", BigId, nullable=False),
        sa.Column("public_id", sa.String(length=22), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("made_at", sa.DateTime(), nullable=False),
        sa.Column("made_by_id", BigId, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
        sa.UniqueConstraint("public_id", name=op.f(f"uq_{table}_public_id")),
    ]


def _key(table: str, column: str, other: str) -> Any:
    return sa.ForeignKeyConstraint([column], [f"{other}.id"], name=op.f(f"fk_{table}_{column}_{other}"))


def _scope(table: str) -> list[Any]:
    """Whose a row is."""
    return [
        sa.Column("lines", sa.Integer(), nullable=False),
        sa.Column("enterprise_id", BigId, nullable=True),
        sa.Column("office_id", BigId, nullable=False),
        sa.Column("made_office_id", BigId, nullable=False),
        *(_key(table, name, "office") for name in ("office_id", "made_office_id")),
    ]


def upgrade() -> None:
    """Three new tables."""
    op.create_table(
        "census_round",
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("as_of", sa.Date(), nullable=False),
        sa.Column("due", sa.Date(), nullable=False),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("state", sa.String(length=10), nullable=False),
        *(sa.Column(name, sa.DateTime(), nullable=True) for name in ("opened_at", "ready_at", "ended_at")),
        *_own("census_round"),
        sqlite_autoincrement=True,
    )
    _returns()
    _lines()
    _list_indexes()


def _returns() -> None:
    table = "census_return"
    op.create_table(
        table,
        sa.Column("round_id", BigId, nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("handed_by_id", BigId, nullable=True),
        sa.Column("handed_at", sa.DateTime(), nullable=True),
        sa.Column("answered_by_id", BigId, nullable=True),
        sa.Column("answered_at", sa.DateTime(), nullable=True),
        sa.Column("site_id", BigId, nullable=True),
        _key(table, "round_id", "census_round"),
        *(_key(table, name, "account") for name in ("handed_by_id", "answered_by_id")),
        *_scope(table),
        *_own(table),
        sqlite_autoincrement=True,
    )
    for name in ("enterprise_id", "site_id", "office_id", "made_office_id"):
        op.create_index(op.f(f"ix_{table}_{name}"), table, [name])
    op.create_index(f"ix_{table}_round_id_office_id", table, ["round_id", "office_id"])


def _lines() -> None:
    table = "census_line"
    op.create_table(
        table,
        *(sa.Column(name, BigId, nullable=False) for name in ("round_id", "sheet_id", "site_id")),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("firm", sa.String(length=120), nullable=False),
        sa.Column("kind", sa.String(length=30), nullable=False),
        sa.Column("scale", sa.String(length=10), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("why", sa.String(length=10), nullable=True),
        sa.Column("reason", sa.String(length=500), nullable=False),
        sa.Column("decided_by_id", BigId, nullable=True),
        sa.Column("decided_at", sa.DateTime(), nullable=True),
        _key(table, "round_id", "census_round"),
        _key(table, "sheet_id", "census_return"),
        _key(table, "site_id", "site"),
        _key(table, "decided_by_id", "account"),
        *_scope(table),
        *_own(table),
        sqlite_autoincrement=True,
    )
    for name in ("enterprise_id", "office_id", "made_office_id"):
        op.create_index(op.f(f"ix_{table}_{name}"), table, [name])
    op.create_index(f"ix_{table}_site_id", table, ["site_id"])
    op.create_index(f"ix_{table}_sheet_id_state", table, ["sheet_id", "state"])
    op.create_index(f"uq_{table}_round_id_site_id", table, ["round_id", "site_id"], unique=True)


def _list_indexes() -> None:
    """As `core.ordering.list_indexes` names them."""
    table, moved = "census_line", sa.text("made_office_id != office_id")
    for name in ("", *ORDERS, *FILTERS):
        columns = [*([name] if name else []), "made_at", "id"]
        label = "_".join(columns[:-1])
        op.create_index(f"ix_{table}_list_{label}", table, ["office_id", *columns])
        op.create_index(f"ix_{table}_made_{label}", table, ["made_office_id", *columns], sqlite_where=moved,
                        postgresql_where=moved)  # fmt: skip
        if name not in FILTERS:
            op.create_index(f"ix_{table}_all_{label}", table, columns)


def downgrade() -> None:
    """Without them."""
    for table in ("census_line", "census_return", "census_round"):
        op.drop_table(table)
