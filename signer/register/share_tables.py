"""The tables of links: which confirmation, by whom, until when, how often opened; never the link itself."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Column, ForeignKey, Integer, LargeBinary, String, Table

from signer.register.columns import At, metadata

shares = Table(
    "shares",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("ref", String(16), nullable=False, unique=True),
    Column("manufacturer_id", ForeignKey("manufacturers.id"), nullable=False),
    Column("confirmation_id", ForeignKey("confirmations.id"), nullable=False, index=True),
    Column("exporter_uscc", String(18), nullable=False),
    Column("secret_digest", LargeBinary(32), nullable=False, unique=True),
    Column("label", String(60), nullable=False),
    Column("made_by", ForeignKey("people.id"), nullable=False),
    Column("made_at", At, nullable=False),
    Column("ends_at", At, nullable=False),
    Column("revoked_by", ForeignKey("people.id")),
    Column("revoked_at", At),
    Column("uses", Integer, nullable=False),
    Column("used_at", At),
    CheckConstraint("(revoked_by IS NULL) = (revoked_at IS NULL)", name="revoked"),
    CheckConstraint("(uses = 0) = (used_at IS NULL)", name="used"),
)
"""`ref` stands in addresses and opens nothing; `label` is the exporter's own word for whom the link is."""

status_links = Table(
    "status_links",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("ref", String(16), nullable=False, unique=True),
    Column("manufacturer_id", ForeignKey("manufacturers.id"), nullable=False),
    Column("confirmation_id", ForeignKey("confirmations.id"), nullable=False, index=True),
    Column("exporter_uscc", String(18), nullable=False),
    Column("label", String(60), nullable=False),
    Column("made_by", ForeignKey("people.id"), nullable=False),
    Column("made_at", At, nullable=False),
    Column("revoked_by", ForeignKey("people.id")),
    Column("revoked_at", At),
    Column("uses", Integer, nullable=False),
    Column("used_at", At),
    CheckConstraint("(revoked_by IS NULL) = (revoked_at IS NULL)", name="revoked"),
    CheckConstraint("(uses = 0) = (used_at IS NULL)", name="used"),
)
"""What proves a status link is computed from number and `ref` by the pages' secret, and kept nowhere."""
