"""Bans of persons, what an appointment rests on, what firms report of their people,
attempts at exams, the papers a firm must have.

Revision: 0034
After: 0033
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0034"
down_revision = "0033"
branch_labels = None
depends_on = None


def _key() -> Any:
    return sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _own(table: str) -> list[Any]:
    """What every table has."""
    return [
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


def _scope(table: str, **own: bool) -> list[Any]:
    """The columns of a row that an office answers for; `own` names those the table declares itself."""
    found: list[Any] = [
        sa.Column("lines", sa.Integer(), nullable=False),
        sa.Column("office_id", _key(), nullable=False),
        sa.Column("made_office_id", _key(), nullable=False),
        _to(table, "office_id", "office"),
        _to(table, "made_office_id", "office"),
    ]
    return found + [sa.Column(name, _key(), nullable=True) for name in ("enterprise_id", "site_id") if name not in own]


def _index(table: str, *columns: str) -> None:
    op.create_index(f"ix_{table}_{'_'.join(columns)}", table, list(columns))


def _scope_indexes(table: str) -> None:
    for column in ("office_id", "made_office_id", "enterprise_id", "site_id"):
        _index(table, column)


def upgrade() -> None:
    """New tables."""
    op.create_table(
        "appointment_ability",
        sa.Column("appointment_id", _key(), nullable=False),
        sa.Column("ability", sa.String(length=20), nullable=False),
        sa.Column("evidence", sa.String(length=200), nullable=False),
        _to("appointment_ability", "appointment_id", "appointment"),
        *_own("appointment_ability"),
        sqlite_autoincrement=True,
    )
    _index("appointment_ability", "appointment_id")
    op.create_table(
        "ban",
        sa.Column("person_id", _key(), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("basis", sa.String(length=200), nullable=False),
        sa.Column("decision", sa.String(length=80), nullable=False),
        sa.Column("authority", sa.String(length=80), nullable=False),
        sa.Column("date_from", sa.Date(), nullable=False),
        sa.Column("date_to", sa.Date(), nullable=True),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("search_text", sa.String(length=1000), nullable=False),
        sa.CheckConstraint("date_to IS NULL OR date_to >= date_from", name="ck_ban_dates"),
        _to("ban", "person_id", "person"),
        *_scope("ban"),
        *_own("ban"),
        sqlite_autoincrement=True,
    )
    _scope_indexes("ban")
    _index("ban", "person_id")
    _index("ban", "office_id", "date_from")
    # a plain ALTER: SQLite would copy the table otherwise, and others point at it
    op.add_column("appointment", sa.Column("stand_in", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("exam", sa.Column("attempt", sa.Integer(), nullable=False, server_default="1"))
    # a retake that was entered before is the second try, or a later one
    op.execute("UPDATE exam SET attempt = 2 WHERE retake_of_id IS NOT NULL")
    _staff_change()
    _policy_document()


def _policy_document() -> None:
    one = "policy_document"
    op.create_table(
        one,
        sa.Column("enterprise_id", _key(), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("made_on", sa.Date(), nullable=True),
        sa.Column("note", sa.String(length=200), nullable=False),
        sa.Column("search_text", sa.String(length=1000), nullable=False),
        _to(one, "enterprise_id", "enterprise"),
        *_scope(one, enterprise_id=True),
        *_own(one),
        sqlite_autoincrement=True,
    )
    _scope_indexes(one)
    _index(one, "office_id", "state")
    _index(one, "enterprise_id", "kind")


def _staff_change() -> None:
    one = "staff_change"
    op.create_table(
        one,
        sa.Column("enterprise_id", _key(), nullable=False),
        sa.Column("site_id", _key(), nullable=True),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("role", sa.String(length=20), nullable=False),
        sa.Column("date_from", sa.Date(), nullable=False),
        sa.Column("date_to", sa.Date(), nullable=True),
        sa.Column("predecessor_id", _key(), nullable=True),
        sa.Column("person_id", _key(), nullable=True),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("id_card", sa.LargeBinary(), nullable=True),
        sa.Column("mobile", sa.LargeBinary(), nullable=True),
        sa.Column("full_time", sa.Boolean(), nullable=False, server_default=sa.false()),
        sa.Column("document", sa.String(length=120), nullable=False),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("reported_at", sa.DateTime(), nullable=True),
        sa.Column("decided_at", sa.DateTime(), nullable=True),
        sa.Column("appointment_id", _key(), nullable=True),
        sa.Column("passed", sa.Integer(), nullable=True),
        sa.Column("search_text", sa.String(length=1000), nullable=False),
        sa.CheckConstraint("date_to IS NULL OR date_to >= date_from", name="ck_staff_change_dates"),
        _to(one, "enterprise_id", "enterprise"),
        _to(one, "site_id", "site"),
        _to(one, "person_id", "person"),
        _to(one, "predecessor_id", "appointment"),
        _to(one, "appointment_id", "appointment"),
        *_scope(one, enterprise_id=True, site_id=True),
        *_own(one),
        sqlite_autoincrement=True,
    )
    _scope_indexes(one)
    for column in ("person_id", "predecessor_id", "appointment_id"):
        _index(one, column)
    _index(one, "office_id", "state")


def downgrade() -> None:
    """Back."""
    op.drop_table("policy_document")
    op.drop_table("staff_change")
    op.drop_column("exam", "attempt")
    op.drop_column("appointment", "stand_in")
    op.drop_table("ban")
    op.drop_table("appointment_ability")
