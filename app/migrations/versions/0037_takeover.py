"""Cases done on paper before this system, and how far a station has brought in what it had.

Revision: 0037
After: 0036
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0037"
down_revision = "0036"
branch_labels = None
depends_on = None

NUMBERED = sa.text("number != ''")


def _key() -> Any:
    return sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _own(table: str) -> list[Any]:
    """What every row of an office has."""
    return [
        sa.Column("lines", sa.Integer(), nullable=False),
        sa.Column("office_id", _key(), nullable=False),
        sa.Column("made_office_id", _key(), nullable=False),
        sa.Column("enterprise_id", _key(), nullable=True),
        _to(table, "office_id", "office"),
        _to(table, "made_office_id", "office"),
        sa.Column("id", _key(), nullable=False),
        sa.Column("public_id", sa.String(length=22), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("made_at", sa.DateTime(), nullable=False),
        sa.Column("made_by_id", _key(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=f"pk_{table}"),
        sa.UniqueConstraint("public_id", name=f"uq_{table}_public_id"),
    ]


def _to(table: str, column: str, other: str) -> Any:
    return sa.ForeignKeyConstraint([column], [f"{other}.id"], name=f"fk_{table}_{column}_{other}")


def _index(table: str, *columns: str) -> None:
    op.create_index(f"ix_{table}_{'_'.join(columns)}", table, list(columns))


def upgrade() -> None:
    """New tables."""
    case, step = "prior_case", "takeover_step"
    op.create_table(
        case,
        sa.Column("site_id", _key(), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("number", sa.String(length=80), nullable=False),
        sa.Column("done_on", sa.Date(), nullable=False),
        sa.Column("officers", sa.String(length=80), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("deadline", sa.Date(), nullable=True),
        sa.Column("account_id", _key(), nullable=True),
        sa.Column("handler_id", _key(), nullable=True),
        sa.Column("rechecked_on", sa.Date(), nullable=True),
        sa.Column("outcome", sa.String(length=10), nullable=True),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.CheckConstraint("(rechecked_on IS NULL) = (outcome IS NULL)", name=f"ck_{case}_recheck"),
        _to(case, "site_id", "site"),
        _to(case, "account_id", "account"),
        _to(case, "handler_id", "account"),
        *_own(case),
        sqlite_autoincrement=True,
    )
    for column in ("office_id", "made_office_id", "enterprise_id", "site_id", "account_id", "handler_id"):
        _index(case, column)
    _index(case, "office_id", "done_on")
    _index(case, "office_id", "state")
    op.create_index("uq_prior_case_number", case, ["site_id", "kind", "number"], unique=True,
                    sqlite_where=NUMBERED, postgresql_where=NUMBERED)  # fmt: skip
    op.create_table(
        step,
        sa.Column("part", sa.String(length=20), nullable=False),
        sa.Column("note", sa.String(length=200), nullable=False),
        sa.Column("site_id", _key(), nullable=True),
        *_own(step),
        sqlite_autoincrement=True,
    )
    for column in ("office_id", "made_office_id", "enterprise_id", "site_id"):
        _index(step, column)
    op.create_index("uq_takeover_step", step, ["office_id", "part"], unique=True)


def downgrade() -> None:
    """Away with them."""
    op.drop_table("takeover_step")
    op.drop_table("prior_case")
