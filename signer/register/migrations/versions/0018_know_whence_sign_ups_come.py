"""
Know whence sign-ups come: the network of each whose link has not come back.

Revision: 0018, after 0017.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("sign_ups", sa.Column("network", sa.String(length=64), nullable=False, server_default=""))


def downgrade() -> None:
    op.drop_column("sign_ups", "network")
