"""
Limit the seals: how often a month each may be used; count its uses quickly.

Revision: 0006, after 0005.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from signer.register import triggers

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    triggers.drop(op.get_bind())
    op.add_column("seals", sa.Column("monthly_limit", sa.Integer(), nullable=True))
    op.create_index("ix_seal_uses_seal_digest_used_at", "seal_uses", ["seal_digest", "used_at"])
    triggers.create(op.get_bind())


def downgrade() -> None:
    triggers.drop(op.get_bind())
    op.drop_index("ix_seal_uses_seal_digest_used_at", table_name="seal_uses")
    op.drop_column("seals", "monthly_limit")
    triggers.create(op.get_bind())
