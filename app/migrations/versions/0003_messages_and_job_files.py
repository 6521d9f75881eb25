"""messages, titles and files of jobs

Revision: 0003
After: 0001
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Forward."""
    op.create_table(
        "message",
        sa.Column("account_id", BIG, nullable=False),
        sa.Column("title", sa.String(length=120), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("url", sa.String(length=500), nullable=False),
        sa.Column("read_at", sa.DateTime(), nullable=True),
        *_common(),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_message_account_id_account")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_message")),
        sa.UniqueConstraint("public_id", name=op.f("uq_message_public_id")),
    )
    unread = sa.text("read_at IS NULL")
    with op.batch_alter_table("message", schema=None) as batch_op:
        batch_op.create_index("ix_message_account_id_id", ["account_id", "id"], unique=False)
        batch_op.create_index(
            "ix_message_unread", ["account_id"], unique=False, sqlite_where=unread, postgresql_where=unread
        )
    with op.batch_alter_table("job", schema=None) as batch_op:
        batch_op.add_column(sa.Column("title", sa.String(length=120), nullable=False, server_default=""))
    with op.batch_alter_table("job", schema=None) as batch_op:
        batch_op.alter_column("title", server_default=None)  # it was for the rows there were
        batch_op.create_index("ix_job_account_id_id", ["account_id", "id"], unique=False)
    op.create_table(
        "job_file",
        sa.Column("job_id", BIG, nullable=False),
        sa.Column("stored", sa.String(length=60), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("mimetype", sa.String(length=100), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("until", sa.DateTime(), nullable=False),
        sa.Column("removed_at", sa.DateTime(), nullable=True),
        *_common(),
        sa.ForeignKeyConstraint(["job_id"], ["job.id"], name=op.f("fk_job_file_job_id_job")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_job_file")),
        sa.UniqueConstraint("job_id", name=op.f("uq_job_file_job_id")),
        sa.UniqueConstraint("public_id", name=op.f("uq_job_file_public_id")),
    )
    with op.batch_alter_table("job_file", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_job_file_until"), ["until"], unique=False)


def _common() -> tuple[sa.Column[object], ...]:
    """What every table of ours has."""
    return (
        sa.Column("id", BIG, nullable=False),
        sa.Column("public_id", sa.String(length=22), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("made_at", sa.DateTime(), nullable=False),
        sa.Column("made_by_id", BIG, nullable=True),
    )


def downgrade() -> None:
    """Back. A job that was cancelled is over: the older program knows no such state, so it becomes a failed one."""
    with op.batch_alter_table("job_file", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_job_file_until"))
    op.drop_table("job_file")
    job = sa.table("job", sa.column("state"), sa.column("attempts"))
    op.execute(job.update().where(job.c.state == "已取消").values(state="失败", attempts=5))
    with op.batch_alter_table("job", schema=None) as batch_op:
        batch_op.drop_index("ix_job_account_id_id")
        batch_op.drop_column("title")
    with op.batch_alter_table("message", schema=None) as batch_op:
        batch_op.drop_index("ix_message_unread")
        batch_op.drop_index("ix_message_account_id_id")
    op.drop_table("message")
