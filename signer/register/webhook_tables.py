"""The tables of webhooks: where a manufacturer wants to be told, by which secrets, of what, and what came of it."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Column, ForeignKey, Index, Integer, LargeBinary, String, Table, Text

from signer.register.columns import At, metadata, one_of, partial

webhooks = Table(
    "webhooks",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("ref", String(16), nullable=False, unique=True),
    Column("manufacturer_id", ForeignKey("manufacturers.id"), nullable=False, index=True),
    Column("url", String(500), nullable=False),
    Column("label", String(60), nullable=False),
    Column("events", String(400), nullable=False),
    Column("state", String(10), nullable=False),
    Column("version", Integer, nullable=False),
    Column("made_by", String(64), nullable=False),
    Column("made_at", At, nullable=False),
    Column("changed_at", At, nullable=False),
    Column("tried_at", At),
    one_of("state", ["active", "paused", "gone"], "state"),
)
"""`events` are the kinds asked for, with a blank around each; `gone`: the receiver said so (410)."""

webhook_secrets = Table(
    "webhook_secrets",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("webhook_id", ForeignKey("webhooks.id"), nullable=False, index=True),
    Column("manufacturer_id", ForeignKey("manufacturers.id"), nullable=False),
    Column("locked", LargeBinary, nullable=False),
    Column("made_at", At, nullable=False),
    Column("ends_at", At),
)
"""`locked` under the web pages' secret, bound to the webhook; the newest has no end."""

events = Table(
    "events",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("manufacturer_id", ForeignKey("manufacturers.id"), nullable=False),
    Column("type", String(24), nullable=False),
    Column("data", Text, nullable=False),
    Column("made_at", At, nullable=False, index=True),
)
"""What happened, where somebody wants to know, written in the transaction that made it so."""

deliveries = Table(
    "deliveries",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("event_id", ForeignKey("events.id"), nullable=False, index=True),
    Column("webhook_id", ForeignKey("webhooks.id"), nullable=False),
    Column("manufacturer_id", ForeignKey("manufacturers.id"), nullable=False),
    Column("state", String(10), nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("next_at", At, nullable=False),
    Column("tried_at", At),
    Column("status", Integer),
    Column("error", String(200)),
    Column("delivered_at", At),
    one_of("state", ["waiting", "delivered", "dead"], "state"),
    CheckConstraint("(state = 'delivered') = (delivered_at IS NOT NULL)", name="delivered"),
    Index("ix_deliveries_webhook_id_id", "webhook_id", "id"),
    partial("ix_deliveries_waiting", "next_at", where="state = 'waiting'"),
    partial("ix_deliveries_dead", "manufacturer_id", where="state = 'dead'"),
)
"""One event on its way to one webhook; `status` and `error` are of the last try; no more of an answer is kept."""
