"""落实自查表 of firms.

Revision: 0036
After: 0035
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0036"
down_revision = "0035"
branch_labels = None
depends_on = None

TABLE = "self_assessment"
BigId = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """A new table."""
    live = sa.text("state != '已作废'")
    targets = (("enterprise_id", "enterprise"), ("office_id", "office"), ("made_office_id", "office"))
    op.create_table(
        TABLE,
        sa.Column("enterprise_id", BigId, nullable=False),
        sa.Column("occasion", sa.String(length=10), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("unit", sa.String(length=120), nullable=False),
        sa.Column("edition", sa.Integer(), nullable=False),
        sa.Column("results", sa.JSON(), nullable=False),
        sa.Column("notes", sa.JSON(), nullable=False),
        sa.Column("not_done", sa.Integer(), nullable=False),
        sa.Column("differs", sa.Text(), nullable=False),
        sa.Column("submitted_at", sa.DateTime(), nullable=True),
        sa.Column("decided_at", sa.DateTime(), nullable=True),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("search_text", sa.String(length=1000), nullable=False),
        sa.Column("lines", sa.Integer(), nullable=False),
        sa.Column("office_id", BigId, nullable=False),
        sa.Column("made_office_id", BigId, nullable=False),
        sa.Column("site_id", BigId, nullable=True),
        sa.Column("id", BigId, nullable=False),
        sa.Column("public_id", sa.String(length=22), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("made_at", sa.DateTime(), nullable=False),
        sa.Column("made_by_id", BigId, nullable=True),
        *(sa.ForeignKeyConstraint([name], [f"{other}.id"], name=f"fk_{TABLE}_{name}_{other}")
          for name, other in targets),
        sa.PrimaryKeyConstraint("id", name=f"pk_{TABLE}"),
        sa.UniqueConstraint("public_id", name=f"uq_{TABLE}_public_id"),
        sqlite_autoincrement=True,
    )  # fmt: skip
    for name in ("office_id", "made_office_id", "enterprise_id", "site_id"):
        op.create_index(f"ix_{TABLE}_{name}", TABLE, [name])
    op.create_index(f"ix_{TABLE}_office_id_state", TABLE, ["office_id", "state"])
    op.create_index(f"uq_{TABLE}_live", TABLE, ["enterprise_id", "occasion", "year"], unique=True, sqlite_where=live,
                    postgresql_where=live)  # fmt: skip


def downgrade() -> None:
    """Back."""
    op.drop_table(TABLE)
