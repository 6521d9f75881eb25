"""What an import has made and changed lies on its parts, one a transaction, no longer on the run as a whole.

What can still be taken back becomes the one part of its run; the sealed text stays as it is.

Revision: 0031
After: 0030
"""

from __future__ import annotations

import secrets

import sqlalchemy as sa
from alembic import op

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None

RUNS = sa.table(
    "import_run", sa.column("id"), sa.column("undo"), sa.column("made"), sa.column("changed"),
    sa.column("done_at", sa.DateTime()),
)  # fmt: skip
PARTS = sa.table(
    "import_part", sa.column("run_id"), sa.column("number"), sa.column("made"), sa.column("changed"),
    sa.column("written", sa.JSON()), sa.column("told", sa.JSON()), sa.column("undo"), sa.column("public_id"),
    sa.column("version"), sa.column("made_at", sa.DateTime()),
)  # fmt: skip


def upgrade() -> None:
    """A part for each run that can be taken back."""
    key = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "import_part",
        sa.Column("run_id", key, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("made", sa.Integer(), nullable=False),
        sa.Column("changed", sa.Integer(), nullable=False),
        sa.Column("written", sa.JSON(), nullable=False),
        sa.Column("undo", sa.LargeBinary(), nullable=True),
        sa.Column("told", sa.JSON(), nullable=False),
        sa.Column("id", key, nullable=False),
        sa.Column("public_id", sa.String(length=22), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("made_at", sa.DateTime(), nullable=False),
        sa.Column("made_by_id", key, nullable=True),
        sa.ForeignKeyConstraint(["run_id"], ["import_run.id"], name=op.f("fk_import_part_run_id_import_run")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_import_part")),
        sa.UniqueConstraint("public_id", name=op.f("uq_import_part_public_id")),
        sa.UniqueConstraint("run_id", "number", name=op.f("uq_import_part_run_id_number")),
        sqlite_autoincrement=True,
    )
    bind = op.get_bind()
    kept = bind.execute(sa.select(RUNS).where(RUNS.c.undo.is_not(None))).all()
    for one in kept:
        values = {"run_id": one.id, "made": one.made, "changed": one.changed, "undo": one.undo, "made_at": one.done_at}
        fixed = {"number": 0, "written": [], "told": {}, "version": 1, "public_id": secrets.token_urlsafe(16)}
        bind.execute(sa.insert(PARTS).values(values | fixed))
    op.drop_column("import_run", "undo")


def downgrade() -> None:
    """Back on the run, where it is one part; what was written in several can't be taken back any more."""
    op.add_column("import_run", sa.Column("undo", sa.LargeBinary(), nullable=True))
    bind = op.get_bind()
    several = sa.select(PARTS.c.run_id).where(PARTS.c.number > 0)
    for one in bind.execute(sa.select(PARTS).where(PARTS.c.run_id.not_in(several))).all():
        bind.execute(sa.update(RUNS).where(RUNS.c.id == one.run_id).values(undo=one.undo))
    op.drop_table("import_part")
