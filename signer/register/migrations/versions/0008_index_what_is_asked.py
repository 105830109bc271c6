"""
Index only what is asked: each index that no question uses is a page that every confirmation writes.

Revision: 0008, after 0007.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_UNASKED = (
    ("approvals", "terms_digest"),
    ("confirmations", "exporter_uscc"),
    ("leaves", "confirmation_id"),
    ("lines", "vin"),
)
_HOLDS = sa.text("holds_until IS NOT NULL")


def upgrade() -> None:
    for table, column in _UNASKED:
        op.drop_index(f"ix_{table}_{column}", table)
    op.drop_index("ix_files_holds_until", "files")
    op.create_index("ix_files_holds_until", "files", ["holds_until"], sqlite_where=_HOLDS, postgresql_where=_HOLDS)


def downgrade() -> None:
    op.drop_index("ix_files_holds_until", "files")
    op.create_index("ix_files_holds_until", "files", ["holds_until"])
    for table, column in _UNASKED:
        op.create_index(f"ix_{table}_{column}", table, [column])
