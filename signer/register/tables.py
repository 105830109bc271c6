"""The tables, as SQLAlchemy Core; migrations/ makes them, triggers.py guards them."""

from __future__ import annotations

from sqlalchemy import (
    CheckConstraint,
    Column,
    Date,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    text,
)

from signer.domain.confirmation import Standing
from signer.register import (
    account_tables,
    batch_tables,
    desk_tables,
    exporter_tables,
    log_tables,
    machine_tables,
    office_tables,
    share_tables,
    webhook_tables,
)
from signer.register.columns import At, metadata, one_of, partial

__all__ = [
    "At",
    "account_tables",
    "batch_tables",
    "desk_tables",
    "exporter_tables",
    "log_tables",
    "machine_tables",
    "metadata",
    "office_tables",
    "share_tables",
    "webhook_tables",
]

_STANDINGS = [standing.value for standing in Standing]

manufacturers = Table(
    "manufacturers",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("uscc", String(18), nullable=False, unique=True),
    Column("record", Text, nullable=False),
    Column("tsa_policy", String(12)),
    Column("buyers_since", At),
    Column("created_at", At, nullable=False),
    Column("suspended_at", At),
    Column("suspended_by", String(64)),
    Column("suspended_for", String(400)),
)
"""`suspended_at`: since when the operators let it issue nothing; what it issued stays what it is."""

exporters = Table(
    "exporters",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("uscc", String(18), nullable=False, unique=True),
    Column("record", Text, nullable=False),
    Column("created_at", At, nullable=False),
)

people = Table(
    "people",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("name", String(120), nullable=False),
    Column("created_at", At, nullable=False),
)

memberships = Table(
    "memberships",
    metadata,
    Column("person_id", ForeignKey("people.id"), primary_key=True),
    Column("manufacturer_id", ForeignKey("manufacturers.id"), primary_key=True),
    Column("role", String(16), primary_key=True),
    Column("granted_at", At, nullable=False),
    one_of("role", ["preparer", "approver", "exporter", "officer", "admin", "operator", "auditor"], "role"),
)

outlets = Table(
    "outlets",
    metadata,
    Column("manufacturer_id", ForeignKey("manufacturers.id"), primary_key=True),
    Column("id", String(40), primary_key=True),
    Column("country", String(2), nullable=False),
    Column("record", Text, nullable=False),
    Column("authorised_from", Date, nullable=False),
    Column("authorised_until", Date),
    Column("changed_at", At, nullable=False),
)

seals = Table(
    "seals",
    metadata,
    Column("certificate_digest", String(64), primary_key=True),
    Column("manufacturer_id", ForeignKey("manufacturers.id"), nullable=False, index=True),
    Column("seal_class", String(8), nullable=False),
    Column("state", String(12), nullable=False),
    Column("state_since", At, nullable=False),
    Column("suspended_until", At),
    Column("key_ref", String(200), nullable=False),
    Column("monthly_limit", Integer),
    Column("created_at", At, nullable=False),
    one_of("seal_class", ["TEST", "MAKER", "OFFICIAL"], "seal_class"),
    one_of("state", ["active", "verify-only", "suspended", "revoked"], "state"),
)

approvals = Table(
    "approvals",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("manufacturer_id", ForeignKey("manufacturers.id"), nullable=False),
    Column("terms_digest", LargeBinary(32), nullable=False),
    Column("preparer_id", ForeignKey("people.id"), nullable=False),
    Column("approver_id", ForeignKey("people.id"), nullable=False),
    Column("approved_at", At, nullable=False),
    Column("external_ref", String(120)),
    CheckConstraint("preparer_id <> approver_id", name="four_eyes"),
)

confirmations = Table(
    "confirmations",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("number", String(16), nullable=False, unique=True),
    Column("manufacturer_id", ForeignKey("manufacturers.id"), nullable=False),
    Column("exporter_uscc", String(18), nullable=False),
    Column("approval_id", ForeignKey("approvals.id"), nullable=False, unique=True),
    Column("content", LargeBinary, nullable=False),
    Column("content_digest", LargeBinary(32), nullable=False, unique=True),
    Column("terms_digest", LargeBinary(32), nullable=False),
    Column("renderer_digest", LargeBinary(32), nullable=False),
    Column("seal_digest", String(64), ForeignKey("seals.certificate_digest"), nullable=False),
    Column("supersedes", String(16), ForeignKey("confirmations.number")),
    Column("standing", String(12), nullable=False),
    Column("reserved_at", At, nullable=False),
    Column("recorded_at", At),
    Column("ended_at", At),
    Column("end_reason", String(200)),
    Column("suspended_by", String(64)),
    Column("suspended_until", At),
    one_of("standing", _STANDINGS, "standing"),
    CheckConstraint("(standing IN ('pending', 'abandoned')) = (recorded_at IS NULL)", name="recorded"),
    Index("ix_confirmations_manufacturer_id_reserved_at", "manufacturer_id", "reserved_at"),
    Index("ix_confirmations_manufacturer_id_exporter", "manufacturer_id", "exporter_uscc", "reserved_at"),
    partial("ix_confirmations_pending", "reserved_at", where="standing = 'pending'"),
    partial("ix_confirmations_suspended_until", "suspended_until", where="suspended_until IS NOT NULL"),
)

IS_PENDING = text("confirmations.standing = 'pending'")
"""As its index says it: a value that is handed over would not be seen to be the same."""

lines = Table(
    "lines",
    metadata,
    Column("confirmation_id", ForeignKey("confirmations.id"), primary_key=True),
    Column("vin", String(17), primary_key=True, index=True),
    Column("position", Integer, nullable=False),
    Column("standing", String(12), nullable=False),
    Column("ended_at", At),
    Column("reason_class", String(24)),
    Column("successor", String(16), ForeignKey("confirmations.number")),
    one_of("standing", _STANDINGS, "standing"),
    sqlite_with_rowid=False,
)

vin_claims = Table(
    "vin_claims",
    metadata,
    Column("vin", String(17), primary_key=True),
    Column("manufacturer_id", ForeignKey("manufacturers.id"), primary_key=True),
    Column("slot", String(4), primary_key=True),
    Column("confirmation_id", ForeignKey("confirmations.id"), nullable=False),
    one_of("slot", ["live", "next"], "slot"),
    sqlite_with_rowid=False,
)

files = Table(
    "files",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("confirmation_id", ForeignKey("confirmations.id"), nullable=False, index=True),
    Column("kind", String(12), nullable=False),
    Column("file_digest", LargeBinary(32), nullable=False, unique=True),
    Column("sealed_digest", LargeBinary(32), index=True),
    Column("sealed_length", Integer),
    Column("size", Integer, nullable=False),
    Column("level", String(8)),
    Column("timestamp_at", At),
    Column("made_at", At, nullable=False),
    Column("holds_until", At),
    one_of("kind", ["sealed", "archive", "official"], "kind"),
    partial("ix_files_holds_until", "holds_until", where="holds_until IS NOT NULL"),
)

official_copies = Table(
    "official_copies",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("confirmation_id", ForeignKey("confirmations.id"), nullable=False, index=True),
    Column("file_digest", LargeBinary(32), nullable=False),
    Column("kind", String(4), nullable=False),
    Column("size", Integer, nullable=False),
    Column("offered_by", ForeignKey("people.id"), nullable=False),
    Column("offered_at", At, nullable=False),
    Column("compared_by", ForeignKey("people.id")),
    Column("compared_at", At),
    Column("retracted_by", ForeignKey("people.id")),
    Column("retracted_second", ForeignKey("people.id")),
    Column("retracted_at", At),
    one_of("kind", ["pdf", "ofd", "png", "jpeg"], "kind"),
    CheckConstraint("compared_by <> offered_by", name="four_eyes"),
    CheckConstraint("retracted_by <> retracted_second", name="retract_four_eyes"),
    CheckConstraint("(compared_by IS NULL) = (compared_at IS NULL)", name="compared"),
    CheckConstraint(
        "(retracted_by IS NULL) = (retracted_at IS NULL) AND (retracted_second IS NULL) = (retracted_at IS NULL)",
        name="retracted",
    ),
    partial("uq_official_copies_offered", "confirmation_id", "file_digest", where="retracted_at IS NULL", unique=True),
    partial(
        "uq_official_copies_filed", "file_digest", where="compared_at IS NOT NULL AND retracted_at IS NULL", unique=True
    ),
)

seal_uses = Table(
    "seal_uses",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("manufacturer_id", ForeignKey("manufacturers.id"), nullable=False),
    Column("seal_digest", String(64), ForeignKey("seals.certificate_digest"), nullable=False),
    Column("number", String(16), nullable=False),
    Column("sealed_digest", LargeBinary(32), nullable=False),
    Column("preparer_id", String(64), nullable=False),
    Column("approver_id", String(64), nullable=False),
    Column("origin", String(60), nullable=False),
    Column("used_at", At, nullable=False),
    Index("ix_seal_uses_manufacturer_id_seal_digest_used_at", "manufacturer_id", "seal_digest", "used_at"),
)

audit = Table(
    "audit",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("at", At, nullable=False),
    Column("manufacturer_id", ForeignKey("manufacturers.id"), index=True),
    Column("actor", String(120), nullable=False),
    Column("event", String(60), nullable=False),
    Column("subject", String(120), nullable=False),
    Column("detail", Text, nullable=False),
    Index("ix_audit_subject_manufacturer_id", "subject", "manufacturer_id"),
)

idempotency = Table(
    "idempotency",
    metadata,
    Column("manufacturer_id", ForeignKey("manufacturers.id"), primary_key=True),
    Column("operation", String(24), primary_key=True),
    Column("key", String(200), primary_key=True),
    Column("payload_digest", LargeBinary(32), nullable=False),
    Column("confirmation_id", ForeignKey("confirmations.id"), nullable=False),
    Column("created_at", At, nullable=False),
)

status_entries = Table(
    "status_entries",
    metadata,
    Column("list", Integer, primary_key=True),
    Column("index", Integer, primary_key=True),
    Column("confirmation_id", ForeignKey("confirmations.id"), nullable=False, unique=True),
    Column("status", Integer, nullable=False),
    CheckConstraint("status BETWEEN 0 AND 3", name="two_bits"),
    sqlite_with_rowid=False,
)

status_lists = Table(
    "status_lists",
    metadata,
    Column("list", Integer, primary_key=True, autoincrement=False),
    Column("token", LargeBinary),
    Column("signed_at", At),
    CheckConstraint("(token IS NULL) = (signed_at IS NULL)", name="signed"),
)
"""Lists that were begun, and the newest token of each; the first one needs no row to be begun."""

notices = Table(
    "notices",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("manufacturer_id", ForeignKey("manufacturers.id"), nullable=False),
    Column("event", String(40), nullable=False),
    Column("number", String(16), nullable=False),
    Column("queued_at", At, nullable=False),
    Column("sent_at", At),
)

revocation_answers = Table(
    "revocation_answers",
    metadata,
    Column("certificate_digest", String(64), primary_key=True),
    Column("kind", String(4), nullable=False),
    Column("data", LargeBinary, nullable=False),
    Column("this_update", At, nullable=False),
    Column("revoked_at", At),
    Column("asked_at", At, nullable=False),
    one_of("kind", ["ocsp", "crl"], "kind"),
)

lookup_failures = Table(
    "lookup_failures",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("at", At, nullable=False),
    Column("number", String(16), nullable=False),
    Column("network", String(64), nullable=False),
    Index("ix_lookup_failures_number_at", "number", "at"),
    Index("ix_lookup_failures_network_at", "network", "at"),
    Index("ix_lookup_failures_at", "at"),
)

blobs = Table(
    "blobs",
    metadata,
    Column("digest", LargeBinary(32), primary_key=True),
    Column("data", LargeBinary, nullable=False),
    Column("size", Integer, nullable=False),
)

restores = Table(
    "restores",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("backup_at", At, nullable=False),
    Column("restored_at", At, nullable=False),
    Column("archive_digest", LargeBinary(32), nullable=False),
    Column("released_at", At),
    Column("released_by", String(64)),
    Column("closed_at", At),
    Column("closed_by", String(64)),
    Column("closed_second", String(64)),
    Column("close_reason", String(200)),
)

jobs = Table(
    "jobs",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("kind", String(24), nullable=False),
    Column("argument", String(1000)),
    Column("state", String(8), nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("next_at", At, nullable=False),
    Column("changed_at", At, nullable=False),
    Column("lease_until", At),
    Column("error", String(400)),
    Column("progress", String(400)),
    one_of("state", ["waiting", "running", "done", "failed"], "state"),
    partial("uq_jobs_periodic", "kind", where="argument IS NULL", unique=True),
    Index("ix_jobs_state_next_at", "state", "next_at"),
)
