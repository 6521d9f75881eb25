"""Other systems' exports held against ours, line by line; whether a firm or an inspector is on the 风控平台.

Revision: 0039
After: 0038
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0039"
down_revision = "0038"
branch_labels = None
depends_on = None

WHOLE, LINE = "reconciliation", "reconciliation_line"
COUNTS = ("total", "same", "different", "ours_only", "theirs_only", "unclear", "bad")
LISTED = ["platform_account", "made_at", "id"]


def _key() -> Any:
    return sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _to(table: str, column: str, other: str) -> Any:
    return sa.ForeignKeyConstraint([column], [f"{other}.id"], name=f"fk_{table}_{column}_{other}")


def _scoped(table: str) -> list[Any]:
    """What every row has that an office answers for."""
    return [
        sa.Column("lines", sa.Integer(), nullable=False),
        *(sa.Column(name, _key(), nullable=True) for name in ("enterprise_id", "site_id", "made_by_id")),
        *(sa.Column(name, _key(), nullable=False) for name in ("office_id", "made_office_id", "id")),
        sa.Column("public_id", sa.String(length=22), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("made_at", sa.DateTime(), nullable=False),
        _to(table, "office_id", "office"),
        _to(table, "made_office_id", "office"),
        sa.PrimaryKeyConstraint("id", name=f"pk_{table}"),
        sa.UniqueConstraint("public_id", name=f"uq_{table}_public_id"),
    ]


def _texts(nullable: bool, **lengths: int) -> list[Any]:
    return [sa.Column(name, sa.String(length=length), nullable=nullable) for name, length in lengths.items()]


def upgrade() -> None:
    """Two tables; nobody is known to have an account yet."""
    op.create_table(
        WHOLE,
        *_texts(False, source=20, extent=10, state=10, sheet=100),
        *_texts(True, note=200),
        sa.Column("as_of", sa.Date(), nullable=False),
        *(sa.Column(name, sa.Integer(), nullable=False) for name in (*COUNTS, "heading")),
        *(sa.Column(name, sa.JSON(), nullable=False) for name in ("mapping", "problems")),
        *_scoped(WHOLE),
        sqlite_autoincrement=True,
    )
    op.create_table(
        LINE,
        *(sa.Column(name, _key(), nullable=False) for name in ("reconciliation_id", "position")),
        *_texts(False, source=20, kind=10, name=120, fields=200, state=10, why=500),
        *_texts(True, change=10, code=60, matched=10),
        sa.Column("as_of", sa.Date(), nullable=False),
        *(sa.Column(name, sa.JSON(), nullable=False) for name in ("theirs", "ours", "seen", "candidates")),
        sa.Column("resolver_id", _key(), nullable=True),
        sa.Column("resolved_at", sa.DateTime(), nullable=True),
        *_scoped(LINE),
        _to(LINE, "reconciliation_id", WHOLE),
        _to(LINE, "enterprise_id", "enterprise"),
        _to(LINE, "site_id", "site"),
        _to(LINE, "resolver_id", "account"),
        sa.UniqueConstraint("reconciliation_id", "position", name=f"uq_{LINE}_reconciliation_id_position"),
        sqlite_autoincrement=True,
    )
    for table in (WHOLE, LINE):
        for name in ("office_id", "made_office_id", "enterprise_id", "site_id"):
            op.create_index(f"ix_{table}_{name}", table, [name])
    op.create_index(f"ix_{LINE}_office_id_state", LINE, ["office_id", "state"])
    op.add_column("account", sa.Column("platform_account", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.add_column(
        "enterprise", sa.Column("platform_account", sa.String(length=10), server_default="未开通", nullable=False)
    )
    for table in ("account", "enterprise"):
        op.add_column(table, sa.Column("platform_since", sa.Date(), nullable=True))
    moved = sa.text("made_office_id != office_id")
    op.create_index("ix_enterprise_list_platform_account_made_at", "enterprise", ["office_id", *LISTED])
    op.create_index("ix_enterprise_made_platform_account_made_at", "enterprise", ["made_office_id", *LISTED],
                    sqlite_where=moved, postgresql_where=moved)  # fmt: skip


def downgrade() -> None:
    """Back; what was compared and who has an account goes."""
    for kind in ("list", "made"):
        op.drop_index(f"ix_enterprise_{kind}_platform_account_made_at", "enterprise")
    for table in ("account", "enterprise"):
        for name in ("platform_since", "platform_account"):
            op.drop_column(table, name)
    op.drop_table(LINE)
    op.drop_table(WHOLE)
