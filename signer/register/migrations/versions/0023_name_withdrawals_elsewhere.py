"""
Name withdrawals elsewhere: the second person's own reference (a ticket of an office system) beside that word.

Revision: 0023, after 0022.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("second_words", sa.Column("external_ref", sa.String(length=120), nullable=True))


def downgrade() -> None:
    op.drop_column("second_words", "external_ref")
