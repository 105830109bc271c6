"""The tables of the exporters' door: who signed up, whom a manufacturer accepted, requests and what was said."""

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
    UniqueConstraint,
)

from signer.register.columns import At, metadata, one_of, partial

sign_ups = Table(
    "sign_ups",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("ref", String(16), nullable=False, unique=True),
    Column("token_digest", LargeBinary(32), nullable=False, unique=True),
    Column("login", String(120), nullable=False),
    Column("name", String(120), nullable=False),
    Column("password", String(200)),
    Column("language", String(2), nullable=False),
    Column("exporter_uscc", String(18), nullable=False),
    Column("legal_name", String(120), nullable=False),
    Column("file_name", String(120), nullable=False),
    Column("file_digest", LargeBinary(32), nullable=False),
    Column("media_type", String(40), nullable=False),
    Column("size", Integer, nullable=False),
    Column("data", LargeBinary, nullable=False),
    Column("asked_at", At, nullable=False),
    Column("network", String(64), nullable=False, server_default=""),
    Column("state", String(10), nullable=False),
    Column("person_id", ForeignKey("people.id")),
    Column("confirmed_at", At),
    Column("decided_by", ForeignKey("people.id")),
    Column("decided_at", At),
    one_of("state", ["sent", "waiting", "member", "refused"], "state"),
    CheckConstraint("state = 'sent' OR (person_id IS NOT NULL AND password IS NULL)", name="confirmed"),
    CheckConstraint("decided_by <> person_id", name="another"),
    Index("ix_sign_ups_exporter_uscc_state", "exporter_uscc", "state"),
    Index("ix_sign_ups_person_id_state", "person_id", "state"),
    partial("ix_sign_ups_sent", "asked_at", where="state = 'sent'"),
)
"""Who signed up for which exporter, with its licence. `sent`: the link that was mailed has not come back; `waiting`:
for a colleague's word, or an operator's. `network`: whence it was sent, empty once the link came back."""

acceptances = Table(
    "acceptances",
    metadata,
    Column("manufacturer_id", ForeignKey("manufacturers.id"), primary_key=True),
    Column("exporter_uscc", String(18), primary_key=True),
    Column("sign_up_ref", ForeignKey("sign_ups.ref"), nullable=False),
    Column("state", String(10), nullable=False),
    Column("asked_at", At, nullable=False),
    Column("decided_by", ForeignKey("people.id")),
    Column("decided_at", At),
    Column("reason", String(400)),
    one_of("state", ["asked", "accepted", "refused"], "state"),
    CheckConstraint("state = 'asked' OR decided_by IS NOT NULL", name="decided"),
    Index("ix_acceptances_manufacturer_id_state", "manufacturer_id", "state"),
)
"""Whether a manufacturer deals with an exporter: asked by its first request, decided once."""

requests = Table(
    "requests",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("ref", String(16), nullable=False, unique=True),
    Column("batch", String(16), nullable=False),
    Column("manufacturer_id", ForeignKey("manufacturers.id"), nullable=False),
    Column("exporter_uscc", String(18), nullable=False),
    Column("body", Text, nullable=False),
    Column("wanted", String(400), nullable=False),
    Column("needed_by", Date, nullable=False),
    Column("vehicles", Integer, nullable=False),
    Column("supersedes", String(16), ForeignKey("confirmations.number")),
    Column("state", String(10), nullable=False),
    Column("promised_on", Date),
    Column("refusal", String(20)),
    Column("reason", String(400)),
    Column("draft_id", ForeignKey("drafts.id"), unique=True),
    Column("asked_by", ForeignKey("people.id"), nullable=False),
    Column("asked_at", At, nullable=False),
    Column("decided_by", ForeignKey("people.id")),
    Column("changed_at", At, nullable=False),
    one_of("state", ["asked", "drafted", "refused", "withdrawn"], "state"),
    one_of("refusal", ["no-outlet", "not-ours", "not-localised", "exporter-unknown", "other"], "refusal"),
    CheckConstraint("(state = 'refused') = (refusal IS NOT NULL)", name="refused"),
    CheckConstraint("(state = 'drafted') = (draft_id IS NOT NULL)", name="drafted"),
    Index("ix_requests_manufacturer_id_state_needed_by", "manufacturer_id", "state", "needed_by"),
    Index("ix_requests_exporter_uscc_id", "exporter_uscc", "id"),
)
"""A wish of an exporter's for one manufacturer; `body` is `signer.draft/1`, `batch` names what was sent at once."""

request_words = Table(
    "request_words",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("request_id", ForeignKey("requests.id"), nullable=False, index=True),
    Column("manufacturer_id", ForeignKey("manufacturers.id"), nullable=False),
    Column("side", String(8), nullable=False),
    Column("said_by", ForeignKey("people.id"), nullable=False),
    Column("said_at", At, nullable=False),
    Column("text", String(1000), nullable=False),
    one_of("side", ["maker", "exporter"], "side"),
)

request_versions = Table(
    "request_versions",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("request_id", ForeignKey("requests.id"), nullable=False),
    Column("manufacturer_id", ForeignKey("manufacturers.id"), nullable=False),
    Column("version", Integer, nullable=False),
    Column("body", Text, nullable=False),
    Column("wanted", String(400), nullable=False),
    Column("needed_by", Date, nullable=False),
    Column("changed_by", ForeignKey("people.id"), nullable=False),
    Column("changed_at", At, nullable=False),
    UniqueConstraint("request_id", "version"),
)
"""What was asked for before an exporter changed it: the first is version 1; who changed it, and when."""

answer_templates = Table(
    "answer_templates",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("manufacturer_id", ForeignKey("manufacturers.id"), nullable=False, index=True),
    Column("title", String(80), nullable=False),
    Column("text", String(1000), nullable=False),
    Column("changed_at", At, nullable=False),
)
