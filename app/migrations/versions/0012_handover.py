"""hand-over of work, postings that end at once, appointments that take two administrators

Revision: 0012
After: 0011
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _own() -> list[sa.Column[object]]:
    """What every table of ours has."""
    return [
        sa.Column("id", KEY, nullable=False),
        sa.Column("public_id", sa.String(length=22), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("made_at", sa.DateTime(), nullable=False),
        sa.Column("made_by_id", KEY, nullable=True),
    ]


def upgrade() -> None:
    """Forward."""
    op.add_column("posting", sa.Column("ended_at", sa.DateTime(), nullable=True))
    op.add_column("posting", sa.Column("end_kind", sa.String(length=10), nullable=True))
    op.add_column("posting", sa.Column("end_reason", sa.String(length=500), nullable=True))
    for table in ("inspection", "notice"):
        _add_handler(table)
    _handover()
    _proposal()


def _add_handler(table: str) -> None:
    """On SQLite in place: rebuilding a table to which other rows point is refused while foreign keys are enforced."""
    name = op.f(f"fk_{table}_handler_id_account")
    if op.get_context().dialect.name == "sqlite":
        op.execute(f"ALTER TABLE {table} ADD COLUMN handler_id INTEGER CONSTRAINT {name} REFERENCES account (id)")
    else:
        op.add_column(table, sa.Column("handler_id", KEY, nullable=True))
        op.create_foreign_key(name, table, "account", ["handler_id"], ["id"])
    op.create_index(op.f(f"ix_{table}_handler_id"), table, ["handler_id"])


def _handover() -> None:
    op.create_table(
        "handover",
        sa.Column("posting_id", KEY, nullable=False),
        sa.Column("giver_id", KEY, nullable=False),
        sa.Column("account_id", KEY, nullable=False),
        sa.Column("supervisor_id", KEY, nullable=True),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("date", sa.Date(), nullable=False),
        sa.Column("reason", sa.String(length=500), nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("kept", sa.Integer(), nullable=False),
        sa.Column("answered_at", sa.DateTime(), nullable=True),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("office_id", KEY, nullable=False),
        sa.Column("made_office_id", KEY, nullable=False),
        sa.Column("lines", sa.Integer(), nullable=False),
        sa.Column("enterprise_id", KEY, nullable=True),
        sa.Column("site_id", KEY, nullable=True),
        *_own(),
        *(
            sa.ForeignKeyConstraint([name], [f"{table}.id"], name=op.f(f"fk_handover_{name}_{table}"))
            for name, table in (
                ("posting_id", "posting"), ("giver_id", "account"), ("account_id", "account"),
                ("supervisor_id", "account"), ("office_id", "office"), ("made_office_id", "office"),
            )  # fmt: skip
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_handover")),
        sa.UniqueConstraint("public_id", name=op.f("uq_handover_public_id")),
    )
    for name in ("posting_id", "giver_id", "account_id", "office_id", "made_office_id", "enterprise_id", "site_id"):
        op.create_index(op.f(f"ix_handover_{name}"), "handover", [name])
    op.create_table(
        "handover_line",
        sa.Column("handover_id", KEY, nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("entity", sa.String(length=60), nullable=False),
        sa.Column("row_id", KEY, nullable=False),
        sa.Column("outcome", sa.String(length=20), nullable=False),
        *_own(),
        sa.ForeignKeyConstraint(["handover_id"], ["handover.id"], name=op.f("fk_handover_line_handover_id_handover")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_handover_line")),
        sa.UniqueConstraint("public_id", name=op.f("uq_handover_line_public_id")),
    )
    op.create_index(op.f("ix_handover_line_handover_id"), "handover_line", ["handover_id"])
    op.create_index("ix_handover_line_entity_row_id", "handover_line", ["entity", "row_id"])


def _proposal() -> None:
    op.create_table(
        "posting_proposal",
        sa.Column("account_id", KEY, nullable=False),
        sa.Column("office_id", KEY, nullable=False),
        sa.Column("role_id", KEY, nullable=False),
        sa.Column("title", sa.String(length=40), nullable=False),
        sa.Column("date_from", sa.Date(), nullable=False),
        sa.Column("date_to", sa.Date(), nullable=True),
        sa.Column("grounds", sa.Text(), nullable=False),
        sa.Column("proposer_id", KEY, nullable=False),
        sa.Column("expires_on", sa.Date(), nullable=False),
        sa.Column("answerer_id", KEY, nullable=True),
        sa.Column("answered_at", sa.DateTime(), nullable=True),
        sa.Column("state", sa.String(length=10), nullable=False),
        *_own(),
        sa.CheckConstraint("date_to IS NULL OR date_to >= date_from", name=op.f("ck_posting_proposal_dates")),
        *(
            sa.ForeignKeyConstraint([name], [f"{table}.id"], name=op.f(f"fk_posting_proposal_{name}_{table}"))
            for name, table in (
                ("account_id", "account"), ("office_id", "office"), ("role_id", "access_role"),
                ("proposer_id", "account"), ("answerer_id", "account"),
            )  # fmt: skip
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_posting_proposal")),
        sa.UniqueConstraint("public_id", name=op.f("uq_posting_proposal_public_id")),
    )
    op.create_index(op.f("ix_posting_proposal_office_id"), "posting_proposal", ["office_id"])


def downgrade() -> None:
    """Back."""
    op.drop_table("posting_proposal")
    op.drop_table("handover_line")
    op.drop_table("handover")
    for table in ("notice", "inspection"):
        op.drop_index(op.f(f"ix_{table}_handler_id"), table_name=table)
        if op.get_context().dialect.name != "sqlite":
            op.drop_constraint(op.f(f"fk_{table}_handler_id_account"), table, type_="foreignkey")
        op.drop_column(table, "handler_id")
    for name in ("end_reason", "end_kind", "ended_at"):
        op.drop_column("posting", name)
