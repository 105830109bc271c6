"""
Answer buyers: since when a manufacturer lets them ask about its cars.

Revision: 0017, after 0016.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("manufacturers", sa.Column("buyers_since", sa.String(length=27), nullable=True))


def downgrade() -> None:
    op.drop_column("manufacturers", "buyers_since")
