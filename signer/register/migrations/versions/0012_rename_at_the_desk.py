"""
Rename at the desk: one person proposes a new name, another one confirms it.

Revision: 0012, after 0011.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from signer.register import triggers

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "renamings",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("ref", sa.String(length=16), nullable=False),
        sa.Column("manufacturer_id", sa.Integer(), nullable=False),
        sa.Column("former_name", sa.String(length=120), nullable=False),
        sa.Column("legal_name", sa.String(length=120), nullable=False),
        sa.Column("legal_name_en", sa.String(length=120), nullable=True),
        sa.Column("from_on", sa.Date(), nullable=False),
        sa.Column("announcement", sa.String(length=120), nullable=False),
        sa.Column("reason", sa.String(length=400), nullable=False),
        sa.Column("evidence_ref", sa.String(length=16), nullable=False),
        sa.Column("asked_by", sa.String(length=64), nullable=False),
        sa.Column("asked_at", sa.String(length=27), nullable=False),
        sa.Column("decided_by", sa.String(length=64), nullable=True),
        sa.Column("decided_at", sa.String(length=27), nullable=True),
        sa.Column("outcome", sa.String(length=10), nullable=True),
        sa.Column("factor", sa.String(length=10), nullable=True),
        sa.CheckConstraint("decided_by <> asked_by OR outcome = 'dropped'", name=op.f("ck_renamings_four_eyes")),
        sa.CheckConstraint(
            "outcome <> 'done' OR (decided_by IS NOT NULL AND factor IS NOT NULL)", name=op.f("ck_renamings_decided")
        ),
        sa.CheckConstraint("outcome IN ('done', 'dropped')", name=op.f("ck_renamings_outcome")),
        sa.ForeignKeyConstraint(["asked_by"], ["people.id"], name=op.f("fk_renamings_asked_by_people")),
        sa.ForeignKeyConstraint(["decided_by"], ["people.id"], name=op.f("fk_renamings_decided_by_people")),
        sa.ForeignKeyConstraint(
            ["evidence_ref"], ["evidence_files.ref"], name=op.f("fk_renamings_evidence_ref_evidence_files")
        ),
        sa.ForeignKeyConstraint(
            ["manufacturer_id"], ["manufacturers.id"], name=op.f("fk_renamings_manufacturer_id_manufacturers")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_renamings")),
        sa.UniqueConstraint("ref", name=op.f("uq_renamings_ref")),
    )
    with op.batch_alter_table("renamings", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_renamings_manufacturer_id"), ["manufacturer_id"], unique=False)
        batch_op.create_index(
            "uq_renamings_waiting",
            ["manufacturer_id"],
            unique=True,
            sqlite_where=sa.text("decided_at IS NULL"),
            postgresql_where=sa.text("decided_at IS NULL"),
        )
    triggers.create(op.get_bind())


def downgrade() -> None:
    triggers.drop(op.get_bind())
    op.drop_table("renamings")
    triggers.create(op.get_bind())
