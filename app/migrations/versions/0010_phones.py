"""activation codes, PINs and remembered telephones of the firms' people

Revision: 0010
After: 0009
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _common(table: str, *, one: bool = False) -> list[sa.schema.SchemaItem]:
    """The columns of every entity, and the account that the row is of."""
    found: list[sa.schema.SchemaItem] = [
        sa.Column("account_id", BIG, nullable=False),
        sa.Column("id", BIG, nullable=False),
        sa.Column("public_id", sa.String(length=22), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("made_at", sa.DateTime(), nullable=False),
        sa.Column("made_by_id", BIG, nullable=True),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=f"fk_{table}_account_id_account"),
        sa.PrimaryKeyConstraint("id", name=f"pk_{table}"),
        sa.UniqueConstraint("public_id", name=f"uq_{table}_public_id"),
    ]
    unique = "account_id" if one else "digest"
    return [*found, sa.UniqueConstraint(unique, name=f"uq_{table}_{unique}")]


def upgrade() -> None:
    """Forward: nobody is activated yet."""
    op.create_table(
        "activation_code",
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("until", sa.DateTime(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("used_at", sa.DateTime(), nullable=True),
        sa.Column("void_at", sa.DateTime(), nullable=True),
        *_common("activation_code"),
    )
    op.create_index("ix_activation_code_account_id", "activation_code", ["account_id"])
    op.create_table(
        "phone_pin",
        sa.Column("stored", sa.String(length=256), nullable=False),
        sa.Column("set_at", sa.DateTime(), nullable=True),
        sa.Column("consent", sa.String(length=20), nullable=False),
        sa.Column("consent_at", sa.DateTime(), nullable=True),
        *_common("phone_pin", one=True),
    )
    op.create_table(
        "phone",
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("agent", sa.String(length=60), nullable=False),
        sa.Column("until", sa.DateTime(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("proved_at", sa.DateTime(), nullable=True),
        sa.Column("ended_at", sa.DateTime(), nullable=True),
        *_common("phone"),
    )
    op.create_index("ix_phone_account_id", "phone", ["account_id"])
    op.add_column("person", sa.Column("activation", sa.String(length=10), nullable=True))


def downgrade() -> None:
    """Back: the firms' people are not remembered."""
    op.drop_column("person", "activation")
    for table in ("phone", "phone_pin", "activation_code"):
        op.drop_table(table)
