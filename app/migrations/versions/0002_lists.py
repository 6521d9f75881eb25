"""saved filters, list preferences, bulk acts

Revision: 0002
After: 0001
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def common() -> list[sa.Column[object]]:
    """The columns of every entity."""
    return [
        sa.Column("id", BIG, nullable=False),
        sa.Column("public_id", sa.String(length=22), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("made_at", sa.DateTime(), nullable=False),
        sa.Column("made_by_id", BIG, nullable=True),
    ]


def keys(table: str) -> list[sa.Constraint]:
    """The keys of every entity."""
    return [
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
        sa.UniqueConstraint("public_id", name=op.f(f"uq_{table}_public_id")),
    ]


def to_account(table: str) -> sa.Constraint:
    """The person whose row it is."""
    return sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f(f"fk_{table}_account_id_account"))


def upgrade() -> None:
    """Forward."""
    op.create_table(
        "saved_filter",
        sa.Column("entity", sa.String(length=60), nullable=False),
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("arguments", sa.Text(), nullable=False),
        sa.Column("sharing", sa.String(length=10), nullable=False),
        sa.Column("account_id", BIG, nullable=True),
        sa.Column("office_id", BIG, nullable=False),
        *common(),
        sa.CheckConstraint(
            "(sharing = '个人') = (account_id IS NOT NULL)", name=op.f("ck_saved_filter_own_or_shared")
        ),
        to_account("saved_filter"),
        sa.ForeignKeyConstraint(["office_id"], ["office.id"], name=op.f("fk_saved_filter_office_id_office")),
        *keys("saved_filter"),
    )
    op.create_index("ix_saved_filter_entity_account_id", "saved_filter", ["entity", "account_id"])
    op.create_index("ix_saved_filter_entity_office_id", "saved_filter", ["entity", "office_id"])
    op.create_table(
        "list_preference",
        sa.Column("account_id", BIG, nullable=False),
        sa.Column("entity", sa.String(length=60), nullable=False),
        sa.Column("shown", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("default_filter_id", BIG, nullable=True),
        *common(),
        to_account("list_preference"),
        sa.ForeignKeyConstraint(
            ["default_filter_id"],
            ["saved_filter.id"],
            name=op.f("fk_list_preference_default_filter_id_saved_filter"),
            ondelete="SET NULL",
        ),
        sa.UniqueConstraint("account_id", "entity", name=op.f("uq_list_preference_account_id_entity")),
        *keys("list_preference"),
    )
    op.create_index(op.f("ix_list_preference_default_filter_id"), "list_preference", ["default_filter_id"])
    op.create_table(
        "bulk_run",
        sa.Column("account_id", BIG, nullable=False),
        sa.Column("key", sa.String(length=40), nullable=False),
        sa.Column("entity", sa.String(length=60), nullable=False),
        sa.Column("act", sa.String(length=60), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("outcomes", sa.JSON(none_as_null=True), nullable=True),
        *common(),
        to_account("bulk_run"),
        sa.UniqueConstraint("account_id", "key", name=op.f("uq_bulk_run_account_id_key")),
        *keys("bulk_run"),
    )


def downgrade() -> None:
    """Back."""
    op.drop_table("bulk_run")
    op.drop_index(op.f("ix_list_preference_default_filter_id"), table_name="list_preference")
    op.drop_table("list_preference")
    op.drop_index("ix_saved_filter_entity_office_id", table_name="saved_filter")
    op.drop_index("ix_saved_filter_entity_account_id", table_name="saved_filter")
    op.drop_table("saved_filter")
