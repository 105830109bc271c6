"""
Follow renewals: each token that came by one names the token that its person made, of which it came in the end.

Revision: 0024, after 0023.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from signer.register import triggers

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "renewals",
        sa.Column("token_id", sa.Integer(), nullable=False),
        sa.Column("first_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["token_id"], ["tokens.id"], name=op.f("fk_renewals_token_id_tokens")),
        sa.ForeignKeyConstraint(["first_id"], ["tokens.id"], name=op.f("fk_renewals_first_id_tokens")),
        sa.PrimaryKeyConstraint("token_id", name=op.f("pk_renewals")),
    )
    op.create_index("ix_renewals_first_id", "renewals", ["first_id"])
    triggers.create(op.get_bind())


def downgrade() -> None:
    triggers.drop(op.get_bind())
    op.drop_index("ix_renewals_first_id", "renewals")
    op.drop_table("renewals")
    triggers.create(op.get_bind())
