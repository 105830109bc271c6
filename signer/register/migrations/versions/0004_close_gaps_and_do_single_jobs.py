"""
Let a gap be closed, and let a job be of one argument and end.

What is periodic comes back by itself and no other job was known, so the table of jobs is made anew.
Revision: 0004, after 0003.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from signer.register import triggers

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_CLOSING = (("closed_at", 27), ("closed_by", 64), ("closed_second", 64), ("close_reason", 200))


def upgrade() -> None:
    for name, length in _CLOSING:
        op.add_column("restores", sa.Column(name, sa.String(length=length), nullable=True))
    op.drop_table("jobs")
    op.create_table(
        "jobs",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=24), nullable=False),
        sa.Column("argument", sa.String(length=1000), nullable=True),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_at", sa.String(length=27), nullable=False),
        sa.Column("changed_at", sa.String(length=27), nullable=False),
        sa.Column("lease_until", sa.String(length=27), nullable=True),
        sa.Column("error", sa.String(length=400), nullable=True),
        sa.Column("progress", sa.String(length=400), nullable=True),
        sa.CheckConstraint("state IN ('waiting', 'running', 'done', 'failed')", name=op.f("ck_jobs_state")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_jobs")),
    )
    periodic = sa.text("argument IS NULL")
    op.create_index("uq_jobs_periodic", "jobs", ["kind"], unique=True, sqlite_where=periodic, postgresql_where=periodic)
    op.create_index("ix_jobs_state_next_at", "jobs", ["state", "next_at"])
    triggers.create(op.get_bind())


def downgrade() -> None:
    triggers.drop(op.get_bind())
    op.drop_table("jobs")
    op.create_table(
        "jobs",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=24), nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_at", sa.String(length=27), nullable=False),
        sa.Column("lease_until", sa.String(length=27), nullable=True),
        sa.Column("error", sa.String(length=400), nullable=True),
        sa.Column("progress", sa.String(length=400), nullable=True),
        sa.CheckConstraint("state IN ('waiting', 'running')", name=op.f("ck_jobs_state")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_jobs")),
        sa.UniqueConstraint("kind", name=op.f("uq_jobs_kind")),
    )
    for name, _ in _CLOSING:
        op.drop_column("restores", name)
    triggers.create(op.get_bind())
