"""Firms and sites that become one: keys to compare them by, who took over, pairs that are not one;
the main line; risk grades line by line.

Revision: 0035
After: 0034
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0035"
down_revision = "0034"
branch_labels = None
depends_on = None

KEYS = ("name_key", "address_key")
CODE = "uq_enterprise_code"
LISTED = "main_line_made_at"
BATCH = 500
LINES = (("食品生产", 1), ("食品销售", 2), ("餐饮服务", 4))
BigId = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """New columns with the keys of the rows that are there; the code of what was merged away is free again."""
    op.create_table(
        "distinct_pair",
        sa.Column("entity", sa.String(length=60), nullable=False),
        sa.Column("low_id", BigId, nullable=False),
        sa.Column("high_id", BigId, nullable=False),
        sa.Column("id", BigId, nullable=False),
        sa.Column("public_id", sa.String(length=22), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("made_at", sa.DateTime(), nullable=False),
        sa.Column("made_by_id", BigId, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_distinct_pair")),
        sa.UniqueConstraint("entity", "low_id", "high_id", name=op.f("uq_distinct_pair_entity_low_id_high_id")),
        sa.UniqueConstraint("public_id", name=op.f("uq_distinct_pair_public_id")),
        sqlite_autoincrement=True,
    )
    for table in ("enterprise", "site"):
        for name in KEYS:
            op.add_column(table, sa.Column(name, sa.String(length=200), nullable=True))
        op.add_column(table, sa.Column("main_line", sa.String(length=10), nullable=True))
        for word, bit in reversed(LINES):  # the first of its lines
            op.execute(f"UPDATE {table} SET main_line = '{word}' WHERE (lines & {bit}) != 0")
        _add_key(table)
        op.create_index(op.f(f"ix_{table}_merged_into_id"), table, ["merged_into_id"])
        _fill(table)
        op.create_index(f"ix_{table}_name_key", table, ["name_key"])
        _list_indexes(table)
    for name, length in (("backing", 20), ("backing_official", 60)):
        op.add_column("site", sa.Column(name, sa.String(length=length), nullable=True))
    op.add_column("site", sa.Column("grades", sa.String(length=60), nullable=True))
    _gradings()
    op.create_index("ix_enterprise_address_key", "enterprise", ["address_key"])
    op.create_index("ix_site_licence_no", "site", ["licence_no"])
    _code_index("state NOT IN ('注销', '已并入')")


def _list_indexes(table: str) -> None:
    columns, moved = ["main_line", "made_at", "id"], sa.text("made_office_id != office_id")
    op.create_index(f"ix_{table}_list_{LISTED}", table, ["office_id", *columns])
    op.create_index(f"ix_{table}_made_{LISTED}", table, ["made_office_id", *columns], sqlite_where=moved,
                    postgresql_where=moved)  # fmt: skip


def _gradings() -> None:
    """Tables of grades and notes; the grade that a site has is one of each of its lines from the day it was entered."""
    op.create_table(
        "risk_grading",
        sa.Column("line", sa.String(length=10), nullable=False),
        sa.Column("grade", sa.String(length=1), nullable=False),
        sa.Column("score", sa.Numeric(precision=5, scale=1), nullable=True),
        sa.Column("year", sa.Integer(), nullable=True),
        sa.Column("basis", sa.String(length=200), nullable=False),
        sa.Column("date_from", sa.Date(), nullable=False),
        *_of_site("risk_grading"),
        sa.CheckConstraint("score IS NULL OR (score >= 0 AND score <= 110)", name=op.f("ck_risk_grading_score")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "site_note",
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("text", sa.String(length=500), nullable=False),
        sa.Column("date", sa.Date(), nullable=False),
        *_of_site("site_note"),
        sqlite_autoincrement=True,
    )
    for table in ("risk_grading", "site_note"):
        for name in ("site_id", "office_id", "made_office_id", "enterprise_id"):
            op.create_index(op.f(f"ix_{table}_{name}"), table, [name])
    op.create_index("ix_risk_grading_site_id_line", "risk_grading", ["site_id", "line", "date_from"])
    op.create_index("ix_risk_grading_office_id_date_from", "risk_grading", ["office_id", "date_from"])
    op.create_index("ix_site_note_office_id_date", "site_note", ["office_id", "date"])
    _keep_grades()


def _of_site(table: str) -> list[sa.schema.SchemaItem]:
    offices = [sa.ForeignKeyConstraint([name], ["office.id"], name=op.f(f"fk_{table}_{name}_office"))
               for name in ("office_id", "made_office_id")]  # fmt: skip
    return [
        sa.Column("site_id", BigId, nullable=False),
        sa.Column("lines", sa.Integer(), nullable=False),
        sa.Column("enterprise_id", BigId, nullable=True),
        sa.Column("office_id", BigId, nullable=False),
        sa.Column("made_office_id", BigId, nullable=False),
        sa.Column("id", BigId, nullable=False),
        sa.Column("public_id", sa.String(length=22), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("made_at", sa.DateTime(), nullable=False),
        sa.Column("made_by_id", BigId, nullable=True),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name=op.f(f"fk_{table}_site_id_site")),
        *offices,
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
        sa.UniqueConstraint("public_id", name=op.f(f"uq_{table}_public_id")),
    ]


def _keep_grades() -> None:
    from app.core.types import public_id

    names = ("id", "lines", "enterprise_id", "office_id", "made_office_id", "made_at", "made_by_id", "risk_grade",
             "grades")  # fmt: skip
    site = sa.table("site", *(sa.column(name, sa.DateTime() if name == "made_at" else None) for name in names))
    copied = ("lines", "enterprise_id", "office_id", "made_office_id", "made_at", "made_by_id")
    more = ("line", "grade", "year", "basis", "site_id", "public_id", "version")
    grading = sa.table("risk_grading", sa.column("date_from", sa.Date()),
                       *(sa.column(name, sa.DateTime() if name == "made_at" else None) for name in (*copied, *more)))  # fmt: skip
    connection, last = op.get_bind(), 0
    some = sa.select(*(site.c[name] for name in names)).where(site.c.risk_grade.is_not(None)).order_by(site.c.id)
    while found := connection.execute(some.where(site.c.id > last).limit(BATCH)).all():
        rows = [
            {name: getattr(one, name) for name in copied}
            | {"line": word, "grade": one.risk_grade, "year": one.made_at.year, "basis": "登记时填写",
               "date_from": one.made_at.date(), "site_id": one.id, "public_id": public_id(), "version": 1}
            for one in found for word, bit in LINES if one.lines & bit
        ]  # fmt: skip
        if rows:
            connection.execute(grading.insert(), rows)
        told = [{"of": one.id, "words": "，".join(f"{word} {one.risk_grade}" for word, bit in LINES if one.lines & bit)}
                for one in found]  # fmt: skip
        connection.execute(site.update().where(site.c.id == sa.bindparam("of")).values(grades=sa.bindparam("words")), told)
        last = found[-1].id


def _add_key(table: str) -> None:
    """Plain ALTER: SQLite would copy the table otherwise, and others point at it."""
    if op.get_bind().dialect.name == "sqlite":
        name = f"fk_{table}_merged_into_id_{table}"
        op.execute(f"ALTER TABLE {table} ADD COLUMN merged_into_id INTEGER CONSTRAINT {name} REFERENCES {table} (id)")
        return
    op.add_column(table, sa.Column("merged_into_id", BigId, nullable=True))
    op.create_foreign_key(op.f(f"fk_{table}_merged_into_id_{table}"), table, table, ["merged_into_id"], ["id"])


def _fill(table: str) -> None:
    from app.core.likeness import address_key, name_key
    from app.services import likeness  # noqa: F401 - tells the regions

    connection, last = op.get_bind(), 0
    rows = sa.table(table, *(sa.column(name) for name in ("id", "name", "address", *KEYS)))
    some = sa.select(rows.c.id, rows.c.name, rows.c.address).order_by(rows.c.id).limit(BATCH)
    change = rows.update().where(rows.c.id == sa.bindparam("of")).values(name_key=sa.bindparam("n"),
                                                                         address_key=sa.bindparam("a"))  # fmt: skip
    while found := connection.execute(some.where(rows.c.id > last)).all():
        connection.execute(change, [{"of": one.id, "n": name_key(one.name), "a": address_key(one.address)}
                                    for one in found])  # fmt: skip
        last = found[-1].id


def _code_index(where: str) -> None:
    op.drop_index(CODE, "enterprise")
    op.create_index(CODE, "enterprise", ["code"], unique=True, sqlite_where=sa.text(where),
                    postgresql_where=sa.text(where))  # fmt: skip


def downgrade() -> None:
    """Back; what was merged away counts as 注销, which frees its code as well."""
    for table in ("enterprise", "site"):
        op.execute(f"UPDATE {table} SET state = '注销' WHERE state = '已并入'")
    _code_index("state != '注销'")
    op.drop_index("ix_site_licence_no", "site")
    op.drop_index("ix_enterprise_address_key", "enterprise")
    for table in ("site", "enterprise"):
        op.drop_index(f"ix_{table}_name_key", table)
        for kind in ("list", "made"):
            op.drop_index(f"ix_{table}_{kind}_{LISTED}", table)
        op.drop_index(op.f(f"ix_{table}_merged_into_id"), table)
        _drop_key(table)
        for name in (*KEYS, "main_line"):
            op.drop_column(table, name)
    for name in ("grades", "backing_official", "backing"):
        op.drop_column("site", name)
    op.drop_table("site_note")
    op.drop_table("risk_grading")
    op.drop_table("distinct_pair")


def _drop_key(table: str) -> None:
    if op.get_bind().dialect.name != "sqlite":
        op.drop_constraint(op.f(f"fk_{table}_merged_into_id_{table}"), table, type_="foreignkey")
    op.drop_column(table, "merged_into_id")
