"""The tables of machines: tokens by their digest, what was done under which key, and how often one asked."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Column, ForeignKey, Integer, LargeBinary, String, Table, Text

from signer.register.columns import At, metadata, one_of

tokens = Table(
    "tokens",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("ref", String(16), nullable=False, unique=True),
    Column("token_digest", LargeBinary(32), nullable=False, unique=True),
    Column("label", String(60), nullable=False),
    Column("kind", String(8), nullable=False),
    Column("manufacturer_id", ForeignKey("manufacturers.id")),
    Column("exporter_uscc", String(18)),
    Column("person_id", ForeignKey("people.id"), nullable=False, index=True),
    Column("rights", Text, nullable=False),
    Column("made_at", At, nullable=False),
    Column("ends_at", At, nullable=False),
    Column("used_at", At),
    Column("revoked_by", ForeignKey("people.id")),
    Column("revoked_at", At),
    one_of("kind", ["maker", "exporter", "house"], "kind"),
    CheckConstraint("(kind = 'maker') = (manufacturer_id IS NOT NULL)", name="maker"),
    CheckConstraint("(kind = 'exporter') = (exporter_uscc IS NOT NULL)", name="exporter"),
    CheckConstraint("(revoked_by IS NULL) = (revoked_at IS NULL)", name="revoked"),
)
"""`ref` may be shown and opens nothing; `rights` are separated by blanks."""

renewals = Table(
    "renewals",
    metadata,
    Column("token_id", ForeignKey("tokens.id"), primary_key=True),
    Column("first_id", ForeignKey("tokens.id"), nullable=False, index=True),
)
"""Which tokens came by renewal, without their person, and of which token that the person made it was in the end."""

rations = Table(
    "rations",
    metadata,
    Column("token_id", ForeignKey("tokens.id"), primary_key=True),
    Column("window", Integer, nullable=False),
    Column("booked", Integer, nullable=False),
)
"""
`token_id` is the first of a line of renewals, which share one; `window` is a minute since 1970, `booked` how many
questions of it were given out to processes.
"""

deeds = Table(
    "deeds",
    metadata,
    Column("owner", String(80), primary_key=True),
    Column("operation", String(60), primary_key=True),
    Column("key_digest", LargeBinary(32), primary_key=True),
    Column("payload_digest", LargeBinary(32), nullable=False),
    Column("begun_at", At, nullable=False),
    Column("lease_until", At),
    Column("made", String(40)),
    Column("status", Integer),
    Column("headers", Text),
    Column("body", LargeBinary),
    CheckConstraint("(status IS NULL) = (body IS NULL)", name="answered"),
)
"""
What a machine asked to be done under a key of its own: `made` is the reference of what came of it, written in the very
transaction that made it; `status`, `headers` (JSON) and `body` are the answer that is given again.
"""
