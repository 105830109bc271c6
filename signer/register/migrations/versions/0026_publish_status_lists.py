"""
Publish status lists: which there are, and the newest token of each.

Revision: 0026, after 0025. Bits of what is partly suspended are computed anew from its lines.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None

_SUSPENDED = "SELECT id FROM confirmations WHERE standing = 'suspended'"


def upgrade() -> None:
    op.create_table(
        "status_lists",
        sa.Column("list", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("token", sa.LargeBinary(), nullable=True),
        sa.Column("signed_at", sa.String(length=27), nullable=True),
        sa.CheckConstraint("(token IS NULL) = (signed_at IS NULL)", name=op.f("ck_status_lists_signed")),
        sa.PrimaryKeyConstraint("list", name=op.f("pk_status_lists")),
    )
    op.execute("INSERT INTO status_lists (list) SELECT DISTINCT list FROM status_entries WHERE list > 1")
    op.execute(f"UPDATE status_entries SET status = 2 WHERE confirmation_id IN ({_SUSPENDED})")  # noqa: S608 -- ours


def downgrade() -> None:
    """Forget the tokens; the next signing makes them anew."""
    op.drop_table("status_lists")
