"""roles say whose they are: the program's or the administrators'

Revision: 0011
After: 0010
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


ROLE = sa.table("access_role", sa.column("origin", sa.String), sa.column("builtin", sa.Boolean))


def upgrade() -> None:
    """`builtin` becomes `origin`, which a grant's states can be about. No table is rebuilt: postings point at it."""
    op.add_column("access_role", sa.Column("origin", sa.String(length=10), nullable=False, server_default="自设"))
    op.execute(ROLE.update().where(ROLE.c.builtin).values(origin="内置"))
    op.drop_column("access_role", "builtin")


def downgrade() -> None:
    """Back to a mark; rows and their grants stay."""
    op.add_column("access_role", sa.Column("builtin", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.execute(ROLE.update().where(ROLE.c.origin == "内置").values(builtin=sa.true()))
    op.drop_column("access_role", "origin")
