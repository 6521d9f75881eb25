"""Who must have a 食品安全总监: rules, yardsticks, decisions, overrides; figures of sites.

Revision: 0032
After: 0031
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None

FIGURES = ("staff", "revenue", "floor_area", "seats", "meals")
FLAGS = ("special_food", "headquarters", "must_have_director")


def upgrade() -> None:
    """New tables; what sites are asked for, with "no" for those that are there (the next start decides them)."""
    op.create_table(
        "director_rule",
        sa.Column("key", sa.String(length=40), nullable=True),
        sa.Column("edition", sa.String(length=20), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("condition", sa.String(length=10), nullable=False),
        sa.Column("at_least", sa.Integer(), nullable=True),
        sa.Column("more_than", sa.Boolean(), nullable=False),
        sa.Column("both", sa.Boolean(), nullable=False),
        sa.Column("basis", sa.String(length=200), nullable=False),
        sa.Column("note", sa.String(length=200), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.Column("confirmed", sa.Boolean(), nullable=False),
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("public_id", sa.String(length=22), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("made_at", sa.DateTime(), nullable=False),
        sa.Column("made_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.CheckConstraint("valid_to IS NULL OR valid_to >= valid_from", name=op.f("ck_director_rule_dates")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_director_rule")),
        sa.UniqueConstraint("key", name=op.f("uq_director_rule_key")),
        sa.UniqueConstraint("public_id", name=op.f("uq_director_rule_public_id")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "size_yardstick",
        sa.Column("key", sa.String(length=40), nullable=True),
        sa.Column("trade", sa.String(length=10), nullable=False),
        sa.Column("staff", sa.Integer(), nullable=True),
        sa.Column("revenue", sa.Integer(), nullable=True),
        sa.Column("floor_area", sa.Integer(), nullable=True),
        sa.Column("seats", sa.Integer(), nullable=True),
        sa.Column("every", sa.Boolean(), nullable=False),
        sa.Column("used", sa.Boolean(), nullable=False),
        sa.Column("basis", sa.String(length=200), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.Column("confirmed", sa.Boolean(), nullable=False),
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("public_id", sa.String(length=22), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("made_at", sa.DateTime(), nullable=False),
        sa.Column("made_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.CheckConstraint("valid_to IS NULL OR valid_to >= valid_from", name=op.f("ck_size_yardstick_dates")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_size_yardstick")),
        sa.UniqueConstraint("key", name=op.f("uq_size_yardstick_key")),
        sa.UniqueConstraint("public_id", name=op.f("uq_size_yardstick_public_id")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "director_rule_kind",
        sa.Column("rule_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("kind", sa.String(length=30), nullable=False),
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("public_id", sa.String(length=22), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("made_at", sa.DateTime(), nullable=False),
        sa.Column("made_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.ForeignKeyConstraint(
            ["rule_id"], ["director_rule.id"], name=op.f("fk_director_rule_kind_rule_id_director_rule")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_director_rule_kind")),
        sa.UniqueConstraint("public_id", name=op.f("uq_director_rule_kind_public_id")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_director_rule_kind_rule_id"), "director_rule_kind", ["rule_id"], unique=False)
    op.create_index("uq_director_rule_kind", "director_rule_kind", ["rule_id", "kind"], unique=True)

    op.create_table(
        "director_decision",
        sa.Column("site_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("must", sa.Boolean(), nullable=False),
        sa.Column("rule_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("words", sa.String(length=200), nullable=False),
        sa.Column("missing", sa.String(length=120), nullable=False),
        sa.Column("cause", sa.String(length=10), nullable=False),
        sa.Column("date_from", sa.Date(), nullable=False),
        sa.Column("date_to", sa.Date(), nullable=True),
        sa.Column("lines", sa.Integer(), nullable=False),
        sa.Column("enterprise_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("office_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("made_office_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("public_id", sa.String(length=22), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("made_at", sa.DateTime(), nullable=False),
        sa.Column("made_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.ForeignKeyConstraint(
            ["made_office_id"], ["office.id"], name=op.f("fk_director_decision_made_office_id_office")
        ),
        sa.ForeignKeyConstraint(["office_id"], ["office.id"], name=op.f("fk_director_decision_office_id_office")),
        sa.ForeignKeyConstraint(
            ["rule_id"], ["director_rule.id"], name=op.f("fk_director_decision_rule_id_director_rule")
        ),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name=op.f("fk_director_decision_site_id_site")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_director_decision")),
        sa.UniqueConstraint("public_id", name=op.f("uq_director_decision_public_id")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_director_decision_enterprise_id"), "director_decision", ["enterprise_id"], unique=False)
    op.create_index(op.f("ix_director_decision_made_office_id"), "director_decision", ["made_office_id"], unique=False)
    op.create_index(op.f("ix_director_decision_office_id"), "director_decision", ["office_id"], unique=False)
    op.create_index(
        "ix_director_decision_office_id_date_from", "director_decision", ["office_id", "date_from"], unique=False
    )
    op.create_index(op.f("ix_director_decision_rule_id"), "director_decision", ["rule_id"], unique=False)
    op.create_index(op.f("ix_director_decision_site_id"), "director_decision", ["site_id"], unique=False)
    op.create_index(
        "uq_director_decision_now",
        "director_decision",
        ["site_id"],
        unique=True,
        sqlite_where=sa.text("date_to IS NULL"),
        postgresql_where=sa.text("date_to IS NULL"),
    )

    op.create_table(
        "director_override",
        sa.Column("site_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("must", sa.Boolean(), nullable=False),
        sa.Column("reason", sa.String(length=200), nullable=False),
        sa.Column("document", sa.String(length=120), nullable=False),
        sa.Column("date_from", sa.Date(), nullable=False),
        sa.Column("date_to", sa.Date(), nullable=True),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("lines", sa.Integer(), nullable=False),
        sa.Column("enterprise_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("office_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("made_office_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("public_id", sa.String(length=22), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("made_at", sa.DateTime(), nullable=False),
        sa.Column("made_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.CheckConstraint("date_to IS NULL OR date_to >= date_from", name=op.f("ck_director_override_dates")),
        sa.ForeignKeyConstraint(
            ["made_office_id"], ["office.id"], name=op.f("fk_director_override_made_office_id_office")
        ),
        sa.ForeignKeyConstraint(["office_id"], ["office.id"], name=op.f("fk_director_override_office_id_office")),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name=op.f("fk_director_override_site_id_site")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_director_override")),
        sa.UniqueConstraint("public_id", name=op.f("uq_director_override_public_id")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_director_override_enterprise_id"), "director_override", ["enterprise_id"], unique=False)
    op.create_index(op.f("ix_director_override_made_office_id"), "director_override", ["made_office_id"], unique=False)
    op.create_index(op.f("ix_director_override_office_id"), "director_override", ["office_id"], unique=False)
    op.create_index("ix_director_override_office_id_state", "director_override", ["office_id", "state"], unique=False)
    op.create_index(op.f("ix_director_override_site_id"), "director_override", ["site_id"], unique=False)

    # plain ALTERs: SQLite would copy the table otherwise, and others point at it
    no = sa.false()
    op.add_column("enterprise", sa.Column("must_have_director", sa.Boolean(), nullable=False, server_default=no))
    op.add_column("enterprise", sa.Column("ended_on", sa.Date(), nullable=True))
    # when they ended was not kept: from today on they are in no ledger
    op.execute("UPDATE enterprise SET ended_on = CURRENT_DATE WHERE state IN ('注销', '吊销')")
    for name in FIGURES:
        op.add_column("site", sa.Column(name, sa.Integer(), nullable=True))
    for name in FLAGS:
        op.add_column("site", sa.Column(name, sa.Boolean(), nullable=False, server_default=no))
    for table in ("enterprise", "site"):
        columns = ["must_have_director", "made_at", "id"]
        label, moved = "_".join(columns[:-1]), sa.text("made_office_id != office_id")
        op.create_index(f"ix_{table}_list_{label}", table, ["office_id", *columns])
        op.create_index(f"ix_{table}_made_{label}", table, ["made_office_id", *columns], sqlite_where=moved,
                        postgresql_where=moved)  # fmt: skip
    op.add_column("site", sa.Column("trade", sa.String(length=10), nullable=True))
    op.add_column("site", sa.Column("canteen_kind", sa.String(length=30), nullable=True))


def downgrade() -> None:
    """Back."""
    for table in ("enterprise", "site"):
        for kind in ("list", "made"):
            op.drop_index(f"ix_{table}_{kind}_must_have_director_made_at", table)
    for name in ("canteen_kind", "trade", *FLAGS, *FIGURES):
        op.drop_column("site", name)
    op.drop_column("enterprise", "ended_on")
    op.drop_column("enterprise", "must_have_director")
    op.drop_table("director_override")
    op.drop_table("director_decision")
    op.drop_table("director_rule_kind")
    op.drop_table("size_yardstick")
    op.drop_table("director_rule")
