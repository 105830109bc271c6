"""
Index what the makers' desk asks: confirmations by VIN and by exporter, the audit of one number.

Revision: 0013, after 0012.
"""

from __future__ import annotations

from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

_INDEXES = (
    ("ix_confirmations_manufacturer_id_exporter", "confirmations", ["manufacturer_id", "exporter_uscc", "reserved_at"]),
    ("ix_lines_vin", "lines", ["vin"]),
    ("ix_audit_subject_manufacturer_id", "audit", ["subject", "manufacturer_id"]),
)


def upgrade() -> None:
    for name, table, columns in _INDEXES:
        op.create_index(name, table, columns)


def downgrade() -> None:
    for name, table, _ in _INDEXES:
        op.drop_index(name, table)
