"""
Keep seals alive: until when an archive copy proves itself, and what authorities said of revocation after a seal.

Revision: 0007, after 0006.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from signer.register import triggers

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    triggers.drop(op.get_bind())
    op.add_column("files", sa.Column("holds_until", sa.String(length=27), nullable=True))
    op.create_index("ix_files_holds_until", "files", ["holds_until"])
    op.create_table(
        "revocation_answers",
        sa.Column("certificate_digest", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=4), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.Column("this_update", sa.String(length=27), nullable=False),
        sa.Column("revoked_at", sa.String(length=27), nullable=True),
        sa.Column("asked_at", sa.String(length=27), nullable=False),
        sa.CheckConstraint("kind IN ('ocsp', 'crl')", name=op.f("ck_revocation_answers_kind")),
        sa.PrimaryKeyConstraint("certificate_digest", name=op.f("pk_revocation_answers")),
    )
    triggers.create(op.get_bind())


def downgrade() -> None:
    triggers.drop(op.get_bind())
    op.drop_table("revocation_answers")
    op.drop_index("ix_files_holds_until", table_name="files")
    op.drop_column("files", "holds_until")
    triggers.create(op.get_bind())
