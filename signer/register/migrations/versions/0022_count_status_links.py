"""
Count status links: each is a row, so that it can be revoked.

Revision: 0022, after 0021.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from signer.register import triggers

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "status_links",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("ref", sa.String(length=16), nullable=False),
        sa.Column("manufacturer_id", sa.Integer(), nullable=False),
        sa.Column("confirmation_id", sa.Integer(), nullable=False),
        sa.Column("exporter_uscc", sa.String(length=18), nullable=False),
        sa.Column("label", sa.String(length=60), nullable=False),
        sa.Column("made_by", sa.String(length=64), nullable=False),
        sa.Column("made_at", sa.String(length=27), nullable=False),
        sa.Column("revoked_by", sa.String(length=64), nullable=True),
        sa.Column("revoked_at", sa.String(length=27), nullable=True),
        sa.Column("uses", sa.Integer(), nullable=False),
        sa.Column("used_at", sa.String(length=27), nullable=True),
        sa.CheckConstraint("(revoked_by IS NULL) = (revoked_at IS NULL)", name=op.f("ck_status_links_revoked")),
        sa.CheckConstraint("(uses = 0) = (used_at IS NULL)", name=op.f("ck_status_links_used")),
        sa.ForeignKeyConstraint(
            ["manufacturer_id"], ["manufacturers.id"], name=op.f("fk_status_links_manufacturer_id_manufacturers")
        ),
        sa.ForeignKeyConstraint(
            ["confirmation_id"], ["confirmations.id"], name=op.f("fk_status_links_confirmation_id_confirmations")
        ),
        sa.ForeignKeyConstraint(["made_by"], ["people.id"], name=op.f("fk_status_links_made_by_people")),
        sa.ForeignKeyConstraint(["revoked_by"], ["people.id"], name=op.f("fk_status_links_revoked_by_people")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_status_links")),
        sa.UniqueConstraint("ref", name=op.f("uq_status_links_ref")),
    )
    op.create_index("ix_status_links_confirmation_id", "status_links", ["confirmation_id"])
    triggers.create(op.get_bind())


def downgrade() -> None:
    triggers.drop(op.get_bind())
    op.drop_table("status_links")
    triggers.create(op.get_bind())
