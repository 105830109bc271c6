"""
Keep a transparency log: what waits for it, its leaves, full tiles of their hashes, its checkpoints.

Revision: 0025, after 0024. What `leaves` held waited for a log that did not exist: only what is still pending goes on
waiting. For what was issued before, a job queues `backfill` leaves.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from signer.register import triggers

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None

_TYPES = "type IN ('intent', 'issued', 'abandon', 'withdraw', 'supersede', 'backfill')"
_NUMBERED = sa.text("sequence IS NOT NULL")


def upgrade() -> None:
    triggers.drop(op.get_bind())
    _queue()
    _leaves()
    _tiles()
    _checkpoints()
    op.execute(
        "INSERT INTO log_queue (confirmation_id, type, digest, queued_at) "
        "SELECT confirmation_id, type, digest, queued_at FROM leaves "
        "WHERE confirmation_id IN (SELECT id FROM confirmations WHERE standing = 'pending') ORDER BY id"
    )
    op.drop_table("leaves")
    op.execute(
        "INSERT INTO jobs (kind, argument, state, attempts, next_at, changed_at) "
        "SELECT 'log-backfill', '{}', 'waiting', 0, '2020-01-01T00:00:00.000000Z', '2020-01-01T00:00:00.000000Z' "
        "WHERE EXISTS (SELECT 1 FROM confirmations WHERE recorded_at IS NOT NULL)"
    )
    triggers.create(op.get_bind())


def _queue() -> None:
    op.create_table(
        "log_queue",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("confirmation_id", sa.Integer(), nullable=False),
        sa.Column("type", sa.String(length=12), nullable=False),
        sa.Column("digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("queued_at", sa.String(length=27), nullable=False),
        sa.CheckConstraint(_TYPES, name=op.f("ck_log_queue_type")),
        _of("log_queue", "confirmation_id", "confirmations"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_log_queue")),
    )


def _leaves() -> None:
    op.create_table(
        "log_leaves",
        sa.Column("sequence", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("leaf", sa.LargeBinary(), nullable=False),
        sa.Column("leaf_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("manufacturer_id", sa.Integer(), nullable=True),
        sa.Column("running", sa.Integer(), nullable=True),
        sa.Column("confirmation_id", sa.Integer(), nullable=True),
        sa.Column("type", sa.String(length=12), nullable=True),
        sa.Column("digest", sa.LargeBinary(length=32), nullable=True),
        sa.Column("previous", sa.LargeBinary(length=32), nullable=True),
        sa.Column("nonce", sa.LargeBinary(length=32), nullable=True),
        sa.CheckConstraint("(confirmation_id IS NULL) = (nonce IS NULL)", name=op.f("ck_log_leaves_opened")),
        _of("log_leaves", "confirmation_id", "confirmations"),
        _of("log_leaves", "manufacturer_id", "manufacturers"),
        sa.PrimaryKeyConstraint("sequence", name=op.f("pk_log_leaves")),
        sa.UniqueConstraint("manufacturer_id", "running", name=op.f("uq_log_leaves_manufacturer_id_running")),
    )
    op.create_index("ix_log_leaves_confirmation_id", "log_leaves", ["confirmation_id"])


def _tiles() -> None:
    op.create_table(
        "log_tiles",
        sa.Column("level", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("hashes", sa.LargeBinary(length=8192), nullable=False),
        sa.Column("root", sa.LargeBinary(length=32), nullable=False),
        sa.PrimaryKeyConstraint("level", "number", name=op.f("pk_log_tiles")),
    )


def _checkpoints() -> None:
    op.create_table(
        "log_checkpoints",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("root", sa.LargeBinary(length=32), nullable=False),
        sa.Column("edge", sa.LargeBinary(length=2048), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("signed_at", sa.String(length=27), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_log_checkpoints")),
    )
    op.create_index("ix_log_checkpoints_size", "log_checkpoints", ["size"])


def _of(table: str, column: str, other: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [f"{other}.id"], name=op.f(f"fk_{table}_{column}_{other}"))


def downgrade() -> None:
    """Go back to a register without a log: what the log held is lost, and a later one must begin as another."""
    triggers.drop(op.get_bind())
    op.create_table(
        "leaves",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("confirmation_id", sa.Integer(), nullable=False),
        sa.Column("type", sa.String(length=12), nullable=False),
        sa.Column("digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("queued_at", sa.String(length=27), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=True),
        sa.CheckConstraint(_TYPES, name=op.f("ck_leaves_type")),
        _of("leaves", "confirmation_id", "confirmations"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_leaves")),
    )
    op.create_index(
        "uq_leaves_sequence",
        "leaves",
        ["sequence"],
        unique=True,
        sqlite_where=_NUMBERED,
        postgresql_where=_NUMBERED,
    )
    op.execute(
        "INSERT INTO leaves (confirmation_id, type, digest, queued_at) "
        "SELECT confirmation_id, type, digest, queued_at FROM log_queue ORDER BY id"
    )
    op.execute("DELETE FROM jobs WHERE kind IN ('log', 'log-backfill')")
    for table in ("log_checkpoints", "log_tiles", "log_leaves", "log_queue"):
        op.drop_table(table)
    triggers.create(op.get_bind())
