"""the search index, filled for the rows that are there; indexes for lists of any size

Revision: 0007
After: 0001
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0001"
branch_labels = None
depends_on = None


LISTS = {
    "enterprise": (["name", "code", "state", "org_form", "made_at"], "made_at", "state"),
    "site": (["name", "kind", "risk_grade", "state", "licence_until", "made_at"], "made_at", "state"),
    "inspection": (["kind", "selection", "result", "state", "date"], "date", "date"),
    "notice": (["number", "deadline", "signed_at", "state", "made_at"], "made_at", "state"),
}  # table: the columns of its lists, their default order, the column of the index that these replace


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
    for table, (names, default, old) in LISTS.items():
        for name in names:
            columns = list(dict.fromkeys([name, default, "id"]))
            label = "_".join(columns[:-1])
            op.create_index(f"ix_{table}_list_{label}", table, ["office_id", *columns])
            op.create_index(f"ix_{table}_made_{label}", table, ["made_office_id", *columns],
                            sqlite_where=moved, postgresql_where=moved)
        op.drop_index(f"ix_{table}_office_id_{old}", table)


def downgrade() -> None:
    """Back: the rows themselves were never touched."""
    for table, (names, default, old) in LISTS.items():
        for name in names:
            label = "_".join(dict.fromkeys([name, default]))
            op.drop_index(f"ix_{table}_list_{label}", table)
            op.drop_index(f"ix_{table}_made_{label}", table)
        op.create_index(f"ix_{table}_office_id_{old}", table, ["office_id", old])
    op.drop_table("search_gram")
