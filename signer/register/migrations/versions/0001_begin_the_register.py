"""
Begin the register.

Revision: 0001, the first.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from signer.register import triggers

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:

    op.create_table(
        "exporters",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("uscc", sa.String(length=18), nullable=False),
        sa.Column("record", sa.Text(), nullable=False),
        sa.Column("created_at", sa.String(length=27), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_exporters")),
        sa.UniqueConstraint("uscc", name=op.f("uq_exporters_uscc")),
    )
    op.create_table(
        "lookup_failures",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("at", sa.String(length=27), nullable=False),
        sa.Column("number", sa.String(length=16), nullable=False),
        sa.Column("network", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_lookup_failures")),
    )
    with op.batch_alter_table("lookup_failures", schema=None) as batch_op:
        batch_op.create_index("ix_lookup_failures_at", ["at"], unique=False)
        batch_op.create_index("ix_lookup_failures_network_at", ["network", "at"], unique=False)
        batch_op.create_index("ix_lookup_failures_number_at", ["number", "at"], unique=False)

    op.create_table(
        "manufacturers",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("uscc", sa.String(length=18), nullable=False),
        sa.Column("record", sa.Text(), nullable=False),
        sa.Column("tsa_policy", sa.String(length=12), nullable=True),
        sa.Column("created_at", sa.String(length=27), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_manufacturers")),
        sa.UniqueConstraint("uscc", name=op.f("uq_manufacturers_uscc")),
    )
    op.create_table(
        "people",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("created_at", sa.String(length=27), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_people")),
    )
    op.create_table(
        "approvals",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("manufacturer_id", sa.Integer(), nullable=False),
        sa.Column("terms_digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("preparer_id", sa.String(length=64), nullable=False),
        sa.Column("approver_id", sa.String(length=64), nullable=False),
        sa.Column("approved_at", sa.String(length=27), nullable=False),
        sa.Column("external_ref", sa.String(length=120), nullable=True),
        sa.CheckConstraint("preparer_id <> approver_id", name=op.f("ck_approvals_four_eyes")),
        sa.ForeignKeyConstraint(["approver_id"], ["people.id"], name=op.f("fk_approvals_approver_id_people")),
        sa.ForeignKeyConstraint(
            ["manufacturer_id"], ["manufacturers.id"], name=op.f("fk_approvals_manufacturer_id_manufacturers")
        ),
        sa.ForeignKeyConstraint(["preparer_id"], ["people.id"], name=op.f("fk_approvals_preparer_id_people")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_approvals")),
    )
    with op.batch_alter_table("approvals", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_approvals_terms_digest"), ["terms_digest"], unique=False)

    op.create_table(
        "audit",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("at", sa.String(length=27), nullable=False),
        sa.Column("manufacturer_id", sa.Integer(), nullable=True),
        sa.Column("actor", sa.String(length=120), nullable=False),
        sa.Column("event", sa.String(length=60), nullable=False),
        sa.Column("subject", sa.String(length=120), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["manufacturer_id"], ["manufacturers.id"], name=op.f("fk_audit_manufacturer_id_manufacturers")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit")),
    )
    with op.batch_alter_table("audit", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_audit_manufacturer_id"), ["manufacturer_id"], unique=False)

    op.create_table(
        "memberships",
        sa.Column("person_id", sa.String(length=64), nullable=False),
        sa.Column("manufacturer_id", sa.Integer(), nullable=False),
        sa.Column("role", sa.String(length=16), nullable=False),
        sa.Column("granted_at", sa.String(length=27), nullable=False),
        sa.CheckConstraint(
            "role IN ('preparer', 'approver', 'exporter', 'officer', 'admin', 'operator', 'auditor')",
            name=op.f("ck_memberships_role"),
        ),
        sa.ForeignKeyConstraint(
            ["manufacturer_id"], ["manufacturers.id"], name=op.f("fk_memberships_manufacturer_id_manufacturers")
        ),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_memberships_person_id_people")),
        sa.PrimaryKeyConstraint("person_id", "manufacturer_id", "role", name=op.f("pk_memberships")),
    )
    op.create_table(
        "notices",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("manufacturer_id", sa.Integer(), nullable=False),
        sa.Column("event", sa.String(length=40), nullable=False),
        sa.Column("number", sa.String(length=16), nullable=False),
        sa.Column("queued_at", sa.String(length=27), nullable=False),
        sa.Column("sent_at", sa.String(length=27), nullable=True),
        sa.ForeignKeyConstraint(
            ["manufacturer_id"], ["manufacturers.id"], name=op.f("fk_notices_manufacturer_id_manufacturers")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notices")),
    )
    with op.batch_alter_table("notices", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_notices_manufacturer_id"), ["manufacturer_id"], unique=False)

    op.create_table(
        "outlets",
        sa.Column("manufacturer_id", sa.Integer(), nullable=False),
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("country", sa.String(length=2), nullable=False),
        sa.Column("record", sa.Text(), nullable=False),
        sa.Column("authorised_from", sa.Date(), nullable=False),
        sa.Column("authorised_until", sa.Date(), nullable=True),
        sa.Column("changed_at", sa.String(length=27), nullable=False),
        sa.ForeignKeyConstraint(
            ["manufacturer_id"], ["manufacturers.id"], name=op.f("fk_outlets_manufacturer_id_manufacturers")
        ),
        sa.PrimaryKeyConstraint("manufacturer_id", "id", name=op.f("pk_outlets")),
    )
    op.create_table(
        "seals",
        sa.Column("certificate_digest", sa.String(length=64), nullable=False),
        sa.Column("manufacturer_id", sa.Integer(), nullable=False),
        sa.Column("seal_class", sa.String(length=8), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("state_since", sa.String(length=27), nullable=False),
        sa.Column("suspended_until", sa.String(length=27), nullable=True),
        sa.Column("key_ref", sa.String(length=200), nullable=False),
        sa.Column("created_at", sa.String(length=27), nullable=False),
        sa.CheckConstraint("seal_class IN ('TEST', 'MAKER', 'OFFICIAL')", name=op.f("ck_seals_seal_class")),
        sa.CheckConstraint("state IN ('active', 'verify-only', 'suspended', 'revoked')", name=op.f("ck_seals_state")),
        sa.ForeignKeyConstraint(
            ["manufacturer_id"], ["manufacturers.id"], name=op.f("fk_seals_manufacturer_id_manufacturers")
        ),
        sa.PrimaryKeyConstraint("certificate_digest", name=op.f("pk_seals")),
    )
    with op.batch_alter_table("seals", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_seals_manufacturer_id"), ["manufacturer_id"], unique=False)

    op.create_table(
        "confirmations",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("number", sa.String(length=16), nullable=False),
        sa.Column("manufacturer_id", sa.Integer(), nullable=False),
        sa.Column("exporter_uscc", sa.String(length=18), nullable=False),
        sa.Column("approval_id", sa.Integer(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("content_digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("terms_digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("renderer_digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("seal_digest", sa.String(length=64), nullable=False),
        sa.Column("supersedes", sa.String(length=16), nullable=True),
        sa.Column("standing", sa.String(length=12), nullable=False),
        sa.Column("reserved_at", sa.String(length=27), nullable=False),
        sa.Column("recorded_at", sa.String(length=27), nullable=True),
        sa.Column("ended_at", sa.String(length=27), nullable=True),
        sa.Column("end_reason", sa.String(length=200), nullable=True),
        sa.Column("suspended_by", sa.String(length=64), nullable=True),
        sa.Column("suspended_until", sa.String(length=27), nullable=True),
        sa.CheckConstraint(
            "(standing IN ('pending', 'abandoned')) = (recorded_at IS NULL)", name=op.f("ck_confirmations_recorded")
        ),
        sa.CheckConstraint(
            "standing IN ('pending', 'issued', 'suspended', 'superseded', 'withdrawn', 'abandoned')",
            name=op.f("ck_confirmations_standing"),
        ),
        sa.ForeignKeyConstraint(["approval_id"], ["approvals.id"], name=op.f("fk_confirmations_approval_id_approvals")),
        sa.ForeignKeyConstraint(
            ["manufacturer_id"], ["manufacturers.id"], name=op.f("fk_confirmations_manufacturer_id_manufacturers")
        ),
        sa.ForeignKeyConstraint(
            ["seal_digest"], ["seals.certificate_digest"], name=op.f("fk_confirmations_seal_digest_seals")
        ),
        sa.ForeignKeyConstraint(
            ["supersedes"], ["confirmations.number"], name=op.f("fk_confirmations_supersedes_confirmations")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_confirmations")),
        sa.UniqueConstraint("approval_id", name=op.f("uq_confirmations_approval_id")),
        sa.UniqueConstraint("content_digest", name=op.f("uq_confirmations_content_digest")),
        sa.UniqueConstraint("number", name=op.f("uq_confirmations_number")),
    )
    with op.batch_alter_table("confirmations", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_confirmations_exporter_uscc"), ["exporter_uscc"], unique=False)
        batch_op.create_index(
            "ix_confirmations_manufacturer_id_reserved_at", ["manufacturer_id", "reserved_at"], unique=False
        )
        batch_op.create_index("ix_confirmations_standing_reserved_at", ["standing", "reserved_at"], unique=False)

    op.create_table(
        "seal_uses",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("manufacturer_id", sa.Integer(), nullable=False),
        sa.Column("seal_digest", sa.String(length=64), nullable=False),
        sa.Column("number", sa.String(length=16), nullable=False),
        sa.Column("sealed_digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("preparer_id", sa.String(length=64), nullable=False),
        sa.Column("approver_id", sa.String(length=64), nullable=False),
        sa.Column("origin", sa.String(length=60), nullable=False),
        sa.Column("used_at", sa.String(length=27), nullable=False),
        sa.ForeignKeyConstraint(
            ["manufacturer_id"], ["manufacturers.id"], name=op.f("fk_seal_uses_manufacturer_id_manufacturers")
        ),
        sa.ForeignKeyConstraint(
            ["seal_digest"], ["seals.certificate_digest"], name=op.f("fk_seal_uses_seal_digest_seals")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_seal_uses")),
    )
    with op.batch_alter_table("seal_uses", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_seal_uses_manufacturer_id"), ["manufacturer_id"], unique=False)

    op.create_table(
        "files",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("confirmation_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("file_digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("sealed_digest", sa.LargeBinary(length=32), nullable=True),
        sa.Column("sealed_length", sa.Integer(), nullable=True),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("level", sa.String(length=8), nullable=True),
        sa.Column("timestamp_at", sa.String(length=27), nullable=True),
        sa.Column("made_at", sa.String(length=27), nullable=False),
        sa.CheckConstraint("kind IN ('sealed', 'archive', 'official')", name=op.f("ck_files_kind")),
        sa.ForeignKeyConstraint(
            ["confirmation_id"], ["confirmations.id"], name=op.f("fk_files_confirmation_id_confirmations")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_files")),
        sa.UniqueConstraint("file_digest", name=op.f("uq_files_file_digest")),
    )
    with op.batch_alter_table("files", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_files_confirmation_id"), ["confirmation_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_files_sealed_digest"), ["sealed_digest"], unique=False)

    op.create_table(
        "idempotency",
        sa.Column("manufacturer_id", sa.Integer(), nullable=False),
        sa.Column("operation", sa.String(length=24), nullable=False),
        sa.Column("key", sa.String(length=200), nullable=False),
        sa.Column("payload_digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("confirmation_id", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.String(length=27), nullable=False),
        sa.ForeignKeyConstraint(
            ["confirmation_id"], ["confirmations.id"], name=op.f("fk_idempotency_confirmation_id_confirmations")
        ),
        sa.ForeignKeyConstraint(
            ["manufacturer_id"], ["manufacturers.id"], name=op.f("fk_idempotency_manufacturer_id_manufacturers")
        ),
        sa.PrimaryKeyConstraint("manufacturer_id", "operation", "key", name=op.f("pk_idempotency")),
    )
    op.create_table(
        "leaves",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("confirmation_id", sa.Integer(), nullable=False),
        sa.Column("type", sa.String(length=12), nullable=False),
        sa.Column("digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("queued_at", sa.String(length=27), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=True),
        sa.CheckConstraint(
            "type IN ('intent', 'issued', 'abandon', 'withdraw', 'supersede', 'backfill')", name=op.f("ck_leaves_type")
        ),
        sa.ForeignKeyConstraint(
            ["confirmation_id"], ["confirmations.id"], name=op.f("fk_leaves_confirmation_id_confirmations")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_leaves")),
        sa.UniqueConstraint("sequence", name=op.f("uq_leaves_sequence")),
    )
    with op.batch_alter_table("leaves", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_leaves_confirmation_id"), ["confirmation_id"], unique=False)

    op.create_table(
        "lines",
        sa.Column("confirmation_id", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("vin", sa.String(length=17), nullable=False),
        sa.Column("standing", sa.String(length=12), nullable=False),
        sa.Column("ended_at", sa.String(length=27), nullable=True),
        sa.Column("reason_class", sa.String(length=24), nullable=True),
        sa.Column("successor", sa.String(length=16), nullable=True),
        sa.CheckConstraint(
            "standing IN ('pending', 'issued', 'suspended', 'superseded', 'withdrawn', 'abandoned')",
            name=op.f("ck_lines_standing"),
        ),
        sa.ForeignKeyConstraint(
            ["confirmation_id"], ["confirmations.id"], name=op.f("fk_lines_confirmation_id_confirmations")
        ),
        sa.ForeignKeyConstraint(["successor"], ["confirmations.number"], name=op.f("fk_lines_successor_confirmations")),
        sa.PrimaryKeyConstraint("confirmation_id", "position", name=op.f("pk_lines")),
        sa.UniqueConstraint("confirmation_id", "vin", name=op.f("uq_lines_confirmation_id_vin")),
    )
    with op.batch_alter_table("lines", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_lines_vin"), ["vin"], unique=False)

    op.create_table(
        "status_entries",
        sa.Column("list", sa.Integer(), nullable=False),
        sa.Column("index", sa.Integer(), nullable=False),
        sa.Column("confirmation_id", sa.Integer(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.CheckConstraint("status BETWEEN 0 AND 3", name=op.f("ck_status_entries_two_bits")),
        sa.ForeignKeyConstraint(
            ["confirmation_id"], ["confirmations.id"], name=op.f("fk_status_entries_confirmation_id_confirmations")
        ),
        sa.PrimaryKeyConstraint("list", "index", name=op.f("pk_status_entries")),
        sa.UniqueConstraint("confirmation_id", name=op.f("uq_status_entries_confirmation_id")),
    )
    op.create_table(
        "vin_claims",
        sa.Column("manufacturer_id", sa.Integer(), nullable=False),
        sa.Column("vin", sa.String(length=17), nullable=False),
        sa.Column("slot", sa.String(length=4), nullable=False),
        sa.Column("confirmation_id", sa.Integer(), nullable=False),
        sa.CheckConstraint("slot IN ('live', 'next')", name=op.f("ck_vin_claims_slot")),
        sa.ForeignKeyConstraint(
            ["confirmation_id"], ["confirmations.id"], name=op.f("fk_vin_claims_confirmation_id_confirmations")
        ),
        sa.ForeignKeyConstraint(
            ["manufacturer_id"], ["manufacturers.id"], name=op.f("fk_vin_claims_manufacturer_id_manufacturers")
        ),
        sa.PrimaryKeyConstraint("manufacturer_id", "vin", "slot", name=op.f("pk_vin_claims")),
    )
    with op.batch_alter_table("vin_claims", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_vin_claims_confirmation_id"), ["confirmation_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_vin_claims_vin"), ["vin"], unique=False)

    triggers.create(op.get_bind())


def downgrade() -> None:
    triggers.drop(op.get_bind())

    with op.batch_alter_table("vin_claims", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_vin_claims_vin"))
        batch_op.drop_index(batch_op.f("ix_vin_claims_confirmation_id"))

    op.drop_table("vin_claims")
    op.drop_table("status_entries")
    with op.batch_alter_table("lines", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_lines_vin"))

    op.drop_table("lines")
    with op.batch_alter_table("leaves", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_leaves_confirmation_id"))

    op.drop_table("leaves")
    op.drop_table("idempotency")
    with op.batch_alter_table("files", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_files_sealed_digest"))
        batch_op.drop_index(batch_op.f("ix_files_confirmation_id"))

    op.drop_table("files")
    with op.batch_alter_table("seal_uses", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_seal_uses_manufacturer_id"))

    op.drop_table("seal_uses")
    with op.batch_alter_table("confirmations", schema=None) as batch_op:
        batch_op.drop_index("ix_confirmations_standing_reserved_at")
        batch_op.drop_index("ix_confirmations_manufacturer_id_reserved_at")
        batch_op.drop_index(batch_op.f("ix_confirmations_exporter_uscc"))

    op.drop_table("confirmations")
    with op.batch_alter_table("seals", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_seals_manufacturer_id"))

    op.drop_table("seals")
    op.drop_table("outlets")
    with op.batch_alter_table("notices", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_notices_manufacturer_id"))

    op.drop_table("notices")
    op.drop_table("memberships")
    with op.batch_alter_table("audit", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_audit_manufacturer_id"))

    op.drop_table("audit")
    with op.batch_alter_table("approvals", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_approvals_terms_digest"))

    op.drop_table("approvals")
    op.drop_table("people")
    op.drop_table("manufacturers")
    with op.batch_alter_table("lookup_failures", schema=None) as batch_op:
        batch_op.drop_index("ix_lookup_failures_number_at")
        batch_op.drop_index("ix_lookup_failures_network_at")
        batch_op.drop_index("ix_lookup_failures_at")

    op.drop_table("lookup_failures")
    op.drop_table("exporters")
