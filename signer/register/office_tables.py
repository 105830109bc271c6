"""The tables of the offices: what officers asked, and manufacturers that one operator proposed to another."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Column, ForeignKey, Index, Integer, String, Table, Text

from signer.register.columns import At, metadata, one_of, partial

checks = Table(
    "checks",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("ref", String(16), nullable=False, unique=True),
    Column("person_id", ForeignKey("people.id"), nullable=False),
    Column("kind", String(10), nullable=False),
    Column("subject", String(200), nullable=False),
    Column("reference", String(120), nullable=False),
    Column("answer", String(40), nullable=False),
    Column("outcome", String(10), nullable=False),
    Column("jti", String(19)),
    Column("receipt", Text),
    Column("asked_at", At, nullable=False),
    one_of("kind", ["vehicle", "file", "record", "licence"], "kind"),
    Index("ix_checks_person_id_id", "person_id", "id"),
)
"""What a signed-in officer asked, a row a question; `receipt` is the signed answer (a compact JWS), if there is one."""

onboardings = Table(
    "onboardings",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("ref", String(16), nullable=False, unique=True),
    Column("uscc", String(18), nullable=False),
    Column("record", Text, nullable=False),
    Column("admin_name", String(80), nullable=False),
    Column("admin_login", String(120), nullable=False),
    Column("language", String(2), nullable=False),
    Column("asked_by", ForeignKey("people.id"), nullable=False),
    Column("asked_at", At, nullable=False),
    Column("decided_by", ForeignKey("people.id")),
    Column("decided_at", At),
    Column("outcome", String(10)),
    Column("factor", String(10)),
    one_of("outcome", ["done", "dropped"], "outcome"),
    CheckConstraint("decided_by <> asked_by OR outcome = 'dropped'", name="four_eyes"),
    CheckConstraint("outcome <> 'done' OR (decided_by IS NOT NULL AND factor IS NOT NULL)", name="decided"),
    partial("uq_onboardings_waiting", "uscc", where="decided_at IS NULL", unique=True),
)
"""A manufacturer that one operator proposed, until another one confirms it; `record` is what the register will hold."""
