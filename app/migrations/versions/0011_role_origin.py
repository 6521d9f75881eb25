"""roles say whose they are: the program's or the administrators'

Revision: 0011
After: 0008
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0008"
branch_labels = None
depends_on = None


ROLE = sa.table("access_role", sa.column("origin", sa.String), sa.column("builtin", sa.Boolean))


def upgrade() -> None:
    """`builtin` becomes `origin`, which a grant's states can be about."""
    with op.batch_alter_table("access_role") as table:
        table.add_column(sa.Column("origin", sa.String(length=10), nullable=False, server_default="自设"))
    op.execute(ROLE.update().where(ROLE.c.builtin).values(origin="内置"))
    with op.batch_alter_table("access_role") as table:
        table.alter_column("origin", server_default=None)
        table.drop_column("builtin")


def downgrade() -> None:
    """Back to a mark; rows and their grants stay."""
    with op.batch_alter_table("access_role") as table:
        table.add_column(sa.Column("builtin", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.execute(ROLE.update().where(ROLE.c.origin == "内置").values(builtin=sa.true()))
    with op.batch_alter_table("access_role") as table:
        table.alter_column("builtin", server_default=None)
        table.drop_column("origin")
