"""监管责任人, 片区, 场所移交; firms that several offices answer for.

Revision: 0033
After: 0032
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0033"
down_revision = "0032"
branch_labels = None
depends_on = None

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
OPEN_PRINCIPAL = sa.text("role = '主管' AND date_to IS NULL")
PENDING = sa.text("moved_on IS NULL AND (state = '待接收' OR state = '已接收')")


def upgrade() -> None:
    """New tables; a site may have a 片区."""
    _precincts()
    _caretakers()
    _transfers()
    op.create_table(
        "enterprise_office",
        sa.Column("enterprise_id", KEY, nullable=False),
        sa.Column("office_id", KEY, nullable=False),
        sa.ForeignKeyConstraint(["enterprise_id"], ["enterprise.id"], name=op.f("fk_enterprise_office_enterprise_id_enterprise")),
        sa.ForeignKeyConstraint(["office_id"], ["office.id"], name=op.f("fk_enterprise_office_office_id_office")),
        sa.Column("id", KEY, nullable=False),
        sa.Column("public_id", sa.String(length=22), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("made_at", sa.DateTime(), nullable=False),
        sa.Column("made_by_id", KEY, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_enterprise_office")),
        sa.UniqueConstraint("public_id", name=op.f("uq_enterprise_office_public_id")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_enterprise_office_enterprise_id"), "enterprise_office", ["enterprise_id"], unique=False)
    op.create_index("uq_enterprise_office", "enterprise_office", ["office_id", "enterprise_id"], unique=True)


def _precincts() -> None:
    op.create_table(
        "precinct",
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("note", sa.String(length=200), nullable=False),
        sa.Column("lines", sa.Integer(), nullable=False),
        sa.Column("enterprise_id", KEY, nullable=True),
        sa.Column("site_id", KEY, nullable=True),
        sa.Column("office_id", KEY, nullable=False),
        sa.Column("made_office_id", KEY, nullable=False),
        sa.ForeignKeyConstraint(["made_office_id"], ["office.id"], name=op.f("fk_precinct_made_office_id_office")),
        sa.ForeignKeyConstraint(["office_id"], ["office.id"], name=op.f("fk_precinct_office_id_office")),
        sa.Column("id", KEY, nullable=False),
        sa.Column("public_id", sa.String(length=22), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("made_at", sa.DateTime(), nullable=False),
        sa.Column("made_by_id", KEY, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_precinct")),
        sa.UniqueConstraint("public_id", name=op.f("uq_precinct_public_id")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_precinct_enterprise_id"), "precinct", ["enterprise_id"], unique=False)
    op.create_index(op.f("ix_precinct_made_office_id"), "precinct", ["made_office_id"], unique=False)
    op.create_index(op.f("ix_precinct_office_id"), "precinct", ["office_id"], unique=False)
    op.create_index(op.f("ix_precinct_site_id"), "precinct", ["site_id"], unique=False)
    op.create_index("uq_precinct_office_id_name", "precinct", ["office_id", "name"], unique=True)
    op.create_table(
        "precinct_area",
        sa.Column("precinct_id", KEY, nullable=False),
        sa.Column("area_id", KEY, nullable=False),
        sa.ForeignKeyConstraint(["precinct_id"], ["precinct.id"], name=op.f("fk_precinct_area_precinct_id_precinct")),
        sa.ForeignKeyConstraint(["area_id"], ["area.id"], name=op.f("fk_precinct_area_area_id_area")),
        sa.Column("id", KEY, nullable=False),
        sa.Column("public_id", sa.String(length=22), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("made_at", sa.DateTime(), nullable=False),
        sa.Column("made_by_id", KEY, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_precinct_area")),
        sa.UniqueConstraint("public_id", name=op.f("uq_precinct_area_public_id")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_precinct_area_area_id"), "precinct_area", ["area_id"], unique=False)
    op.create_index(op.f("ix_precinct_area_precinct_id"), "precinct_area", ["precinct_id"], unique=False)
    op.create_index("uq_precinct_area", "precinct_area", ["precinct_id", "area_id"], unique=True)
    # plain ALTERs: SQLite would copy the table otherwise, and others point at it
    name = op.f("fk_site_precinct_id_precinct")
    if op.get_bind().dialect.name == "sqlite":
        op.execute(f"ALTER TABLE site ADD COLUMN precinct_id INTEGER CONSTRAINT {name} REFERENCES precinct (id)")
    else:
        op.add_column("site", sa.Column("precinct_id", KEY, nullable=True))
        op.create_foreign_key(name, "site", "precinct", ["precinct_id"], ["id"])
    op.create_index(op.f("ix_site_precinct_id"), "site", ["precinct_id"], unique=False)


def _caretakers() -> None:
    op.create_table(
        "caretaker",
        sa.Column("site_id", KEY, nullable=False),
        sa.Column("role", sa.String(length=10), nullable=False),
        sa.Column("account_id", KEY, nullable=False),
        sa.Column("date_from", sa.Date(), nullable=False),
        sa.Column("date_to", sa.Date(), nullable=True),
        sa.Column("lines", sa.Integer(), nullable=False),
        sa.Column("enterprise_id", KEY, nullable=True),
        sa.Column("office_id", KEY, nullable=False),
        sa.Column("made_office_id", KEY, nullable=False),
        sa.ForeignKeyConstraint(["made_office_id"], ["office.id"], name=op.f("fk_caretaker_made_office_id_office")),
        sa.ForeignKeyConstraint(["office_id"], ["office.id"], name=op.f("fk_caretaker_office_id_office")),
        sa.CheckConstraint("date_to IS NULL OR date_to >= date_from", name=op.f("ck_caretaker_dates")),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name=op.f("fk_caretaker_site_id_site")),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_caretaker_account_id_account")),
        sa.Column("id", KEY, nullable=False),
        sa.Column("public_id", sa.String(length=22), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("made_at", sa.DateTime(), nullable=False),
        sa.Column("made_by_id", KEY, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_caretaker")),
        sa.UniqueConstraint("public_id", name=op.f("uq_caretaker_public_id")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_caretaker_enterprise_id"), "caretaker", ["enterprise_id"], unique=False)
    op.create_index(op.f("ix_caretaker_made_office_id"), "caretaker", ["made_office_id"], unique=False)
    op.create_index(op.f("ix_caretaker_office_id"), "caretaker", ["office_id"], unique=False)
    op.create_index("ix_caretaker_account_id_date_to", "caretaker", ["account_id", "date_to"], unique=False)
    op.create_index("ix_caretaker_site_id_date_from", "caretaker", ["site_id", "date_from"], unique=False)
    op.create_index(
        "uq_caretaker_principal", "caretaker", ["site_id"], unique=True, sqlite_where=OPEN_PRINCIPAL,
        postgresql_where=OPEN_PRINCIPAL,
    )  # fmt: skip


def _transfers() -> None:
    op.create_table(
        "site_transfer",
        sa.Column("site_id", KEY, nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("firm", sa.String(length=120), nullable=False),
        sa.Column("address", sa.String(length=200), nullable=False),
        sa.Column("account_id", KEY, nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("reason", sa.String(length=500), nullable=False),
        sa.Column("answerer_id", KEY, nullable=True),
        sa.Column("answered_at", sa.DateTime(), nullable=True),
        sa.Column("moved_on", sa.Date(), nullable=True),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("lines", sa.Integer(), nullable=False),
        sa.Column("enterprise_id", KEY, nullable=True),
        sa.Column("office_id", KEY, nullable=False),
        sa.Column("made_office_id", KEY, nullable=False),
        sa.ForeignKeyConstraint(["made_office_id"], ["office.id"], name=op.f("fk_site_transfer_made_office_id_office")),
        sa.ForeignKeyConstraint(["office_id"], ["office.id"], name=op.f("fk_site_transfer_office_id_office")),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name=op.f("fk_site_transfer_site_id_site")),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_site_transfer_account_id_account")),
        sa.ForeignKeyConstraint(["answerer_id"], ["account.id"], name=op.f("fk_site_transfer_answerer_id_account")),
        sa.Column("id", KEY, nullable=False),
        sa.Column("public_id", sa.String(length=22), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("made_at", sa.DateTime(), nullable=False),
        sa.Column("made_by_id", KEY, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_site_transfer")),
        sa.UniqueConstraint("public_id", name=op.f("uq_site_transfer_public_id")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_site_transfer_account_id"), "site_transfer", ["account_id"], unique=False)
    op.create_index(op.f("ix_site_transfer_enterprise_id"), "site_transfer", ["enterprise_id"], unique=False)
    op.create_index(op.f("ix_site_transfer_made_office_id"), "site_transfer", ["made_office_id"], unique=False)
    op.create_index(op.f("ix_site_transfer_office_id"), "site_transfer", ["office_id"], unique=False)
    op.create_index(op.f("ix_site_transfer_site_id"), "site_transfer", ["site_id"], unique=False)
    op.create_index("ix_site_transfer_office_id_state", "site_transfer", ["office_id", "state"], unique=False)
    op.create_index(
        "uq_site_transfer_pending", "site_transfer", ["site_id"], unique=True, sqlite_where=PENDING,
        postgresql_where=PENDING,
    )  # fmt: skip
    op.create_table(
        "site_transfer_line",
        sa.Column("transfer_id", KEY, nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("open_rows", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["transfer_id"], ["site_transfer.id"], name=op.f("fk_site_transfer_line_transfer_id_site_transfer")),
        sa.Column("id", KEY, nullable=False),
        sa.Column("public_id", sa.String(length=22), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("made_at", sa.DateTime(), nullable=False),
        sa.Column("made_by_id", KEY, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_site_transfer_line")),
        sa.UniqueConstraint("public_id", name=op.f("uq_site_transfer_line_public_id")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_site_transfer_line_transfer_id"), "site_transfer_line", ["transfer_id"], unique=False)


def downgrade() -> None:
    """Back."""
    op.drop_table("enterprise_office")
    op.drop_table("site_transfer_line")
    op.drop_table("site_transfer")
    op.drop_table("caretaker")
    op.drop_index(op.f("ix_site_precinct_id"), table_name="site")
    if op.get_bind().dialect.name != "sqlite":
        op.drop_constraint(op.f("fk_site_precinct_id_precinct"), "site", type_="foreignkey")
    op.drop_column("site", "precinct_id")
    op.drop_table("precinct_area")
    op.drop_table("precinct")
