"""the search index, filled for the rows that are there; indexes for lists of any size

Revision: 0008
After: 0007
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


LISTS = {
    "enterprise": (["made_at", "name", "code", "state"], ["org_form"], "state"),
    "site": (["made_at", "name", "kind", "risk_grade", "state"], ["licence_until"], "state"),
    "inspection": (["date", "kind", "result", "state"], ["selection", "unannounced", "inspector_id"], "date"),
    "notice": (["made_at", "number", "deadline", "signed_at", "state"], ["immediate", "drafter_id"], "state"),
    "daily_check": (["check_date", "unit", "state"], ["zero_risk", "late", "transcribed"], "check_date"),
}  # table: the orders of its lists, the default one first; its filters; the column of the index that these replace


def upgrade() -> None:
    """The table, then its rows: those of entities whose columns are all there by now; the start mends the rest."""
    from app.core.search_index import rebuild

    op.create_table(
        "search_gram",
        sa.Column("gram", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("row_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("gram", "row_id", name=op.f("pk_search_gram")),
        sqlite_with_rowid=False,
    )
    rebuild(op.get_bind())
    moved = sa.text("made_office_id != office_id")
    for table, (orders, filters, old) in LISTS.items():
        for label, columns in _named(orders, filters):
            op.create_index(f"ix_{table}_list_{label}", table, ["office_id", *columns])
            op.create_index(f"ix_{table}_made_{label}", table, ["made_office_id", *columns],
                            sqlite_where=moved, postgresql_where=moved)
        for label, columns in _named(orders, []):
            op.create_index(f"ix_{table}_all_{label}", table, columns)
        op.drop_index(f"ix_{table}_office_id_{old}", table)


def downgrade() -> None:
    """Back: the rows themselves were never touched."""
    for table, (orders, filters, old) in LISTS.items():
        for label, _columns in _named(orders, filters):
            op.drop_index(f"ix_{table}_list_{label}", table)
            op.drop_index(f"ix_{table}_made_{label}", table)
        for label, _columns in _named(orders, []):
            op.drop_index(f"ix_{table}_all_{label}", table)
        op.create_index(f"ix_{table}_office_id_{old}", table, ["office_id", old])
    op.drop_table("search_gram")


def _named(orders: list[str], filters: list[str]) -> list[tuple[str, list[str]]]:
    """The name and the columns of each index: what is asked for, the default order, the key."""
    found = [list(dict.fromkeys([name, orders[0], "id"])) for name in (*orders, *filters)]
    return [("_".join(columns[:-1]), columns) for columns in found]
