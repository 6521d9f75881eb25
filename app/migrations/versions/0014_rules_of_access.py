"""headquarters and hosts of firms, how long a visit is sealed, who has written a notice

Revision: 0014
After: 0013
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

COLUMNS: tuple[tuple[str, str, Any], ...] = (
    ("enterprise", "head_code", sa.String(18)),
    ("site", "host_code", sa.String(18)),
    ("inspection", "sealed_until", sa.DateTime()),
    ("notice", "writers", sa.JSON()),
)
INDEXED = (("enterprise", "head_code"), ("site", "host_code"))


def upgrade() -> None:
    """New columns only: no table is built anew."""
    for table, name, kind in COLUMNS:
        op.add_column(table, sa.Column(name, kind, nullable=True))
    for table, name in INDEXED:
        op.create_index(f"ix_{table}_{name}", table, [name])


def downgrade() -> None:
    """The columns go with what was in them."""
    for table, name in INDEXED:
        op.drop_index(f"ix_{table}_{name}", table)
    for table, name, _kind in reversed(COLUMNS):
        op.drop_column(table, name)
