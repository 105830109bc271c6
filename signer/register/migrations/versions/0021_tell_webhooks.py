"""
Tell webhooks: where manufacturers want to be told, their secrets, what happened, and how it was delivered.

Revision: 0021, after 0020.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _webhooks()
    _secrets()
    _events()
    _deliveries()


def _webhooks() -> None:
    op.create_table(
        "webhooks",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("ref", sa.String(length=16), nullable=False),
        sa.Column("manufacturer_id", sa.Integer(), nullable=False),
        sa.Column("url", sa.String(length=500), nullable=False),
        sa.Column("label", sa.String(length=60), nullable=False),
        sa.Column("events", sa.String(length=400), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("made_by", sa.String(length=64), nullable=False),
        sa.Column("made_at", sa.String(length=27), nullable=False),
        sa.Column("changed_at", sa.String(length=27), nullable=False),
        sa.Column("tried_at", sa.String(length=27), nullable=True),
        sa.CheckConstraint("state IN ('active', 'paused', 'gone')", name=op.f("ck_webhooks_state")),
        _of("webhooks", "manufacturer_id", "manufacturers"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhooks")),
        sa.UniqueConstraint("ref", name=op.f("uq_webhooks_ref")),
    )
    op.create_index("ix_webhooks_manufacturer_id", "webhooks", ["manufacturer_id"])


def _secrets() -> None:
    op.create_table(
        "webhook_secrets",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("webhook_id", sa.Integer(), nullable=False),
        sa.Column("manufacturer_id", sa.Integer(), nullable=False),
        sa.Column("locked", sa.LargeBinary(), nullable=False),
        sa.Column("made_at", sa.String(length=27), nullable=False),
        sa.Column("ends_at", sa.String(length=27), nullable=True),
        _of("webhook_secrets", "webhook_id", "webhooks"),
        _of("webhook_secrets", "manufacturer_id", "manufacturers"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhook_secrets")),
    )
    op.create_index("ix_webhook_secrets_webhook_id", "webhook_secrets", ["webhook_id"])


def _events() -> None:
    op.create_table(
        "events",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("manufacturer_id", sa.Integer(), nullable=False),
        sa.Column("type", sa.String(length=24), nullable=False),
        sa.Column("data", sa.Text(), nullable=False),
        sa.Column("made_at", sa.String(length=27), nullable=False),
        _of("events", "manufacturer_id", "manufacturers"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_events")),
    )
    op.create_index("ix_events_made_at", "events", ["made_at"])


def _deliveries() -> None:
    op.create_table(
        "deliveries",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("event_id", sa.Integer(), nullable=False),
        sa.Column("webhook_id", sa.Integer(), nullable=False),
        sa.Column("manufacturer_id", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_at", sa.String(length=27), nullable=False),
        sa.Column("tried_at", sa.String(length=27), nullable=True),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("error", sa.String(length=200), nullable=True),
        sa.Column("delivered_at", sa.String(length=27), nullable=True),
        sa.CheckConstraint("state IN ('waiting', 'delivered', 'dead')", name=op.f("ck_deliveries_state")),
        sa.CheckConstraint("(state = 'delivered') = (delivered_at IS NOT NULL)", name=op.f("ck_deliveries_delivered")),
        _of("deliveries", "event_id", "events"),
        _of("deliveries", "webhook_id", "webhooks"),
        _of("deliveries", "manufacturer_id", "manufacturers"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deliveries")),
    )
    op.create_index("ix_deliveries_event_id", "deliveries", ["event_id"])
    op.create_index("ix_deliveries_webhook_id_id", "deliveries", ["webhook_id", "id"])
    _partial("ix_deliveries_waiting", "next_at", "state = 'waiting'")
    _partial("ix_deliveries_dead", "manufacturer_id", "state = 'dead'")


def _of(table: str, column: str, other: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [f"{other}.id"], name=op.f(f"fk_{table}_{column}_{other}"))


def _partial(name: str, column: str, where: str) -> None:
    op.create_index(name, "deliveries", [column], sqlite_where=sa.text(where), postgresql_where=sa.text(where))


def downgrade() -> None:
    for table in ("deliveries", "events", "webhook_secrets", "webhooks"):
        op.drop_table(table)
