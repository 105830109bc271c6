"""
Issue in batches: what was handed in, its file, and one row for each confirmation to be.

Revision: 0027, after 0026.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from signer.register import triggers

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None

_STATES = "'reading', 'faulty', 'ready', 'waiting', 'running', 'paused', 'halted', 'done', 'cancelled'"
_DECIDED = (
    "state NOT IN ('running', 'paused', 'halted', 'done')"
    " OR (decided_by IS NOT NULL AND factor IS NOT NULL AND sent_by IS NOT NULL AND root IS NOT NULL)"
)
_FOUR_EYES = "decided_by IS NULL OR (decided_by <> sent_by AND decided_by <> prepared_by)"


def upgrade() -> None:
    _batches()
    _files()
    _items()
    triggers.create(op.get_bind())


def _batches() -> None:
    at = sa.String(length=27)
    op.create_table(
        "batches",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("ref", sa.String(length=16), nullable=False),
        sa.Column("manufacturer_id", sa.Integer(), nullable=False),
        sa.Column("title", sa.String(length=120), nullable=False),
        sa.Column("file_name", sa.String(length=120), nullable=False),
        sa.Column("file_digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("items", sa.Integer(), nullable=False),
        sa.Column("vehicles", sa.Integer(), nullable=False),
        sa.Column("done", sa.Integer(), nullable=False),
        sa.Column("failed", sa.Integer(), nullable=False),
        sa.Column("root", sa.LargeBinary(length=32), nullable=True),
        sa.Column("prepared_by", sa.String(length=64), nullable=False),
        sa.Column("created_at", at, nullable=False),
        sa.Column("sent_by", sa.String(length=64), nullable=True),
        sa.Column("sent_at", at, nullable=True),
        sa.Column("reason", sa.String(length=400), nullable=True),
        sa.Column("decided_by", sa.String(length=64), nullable=True),
        sa.Column("decided_at", at, nullable=True),
        sa.Column("factor", sa.String(length=10), nullable=True),
        sa.Column("external_ref", sa.String(length=120), nullable=True),
        sa.Column("started_at", at, nullable=True),
        sa.Column("halted", sa.Text(), nullable=True),
        sa.Column("halts", sa.Integer(), nullable=False),
        sa.Column("next_at", at, nullable=True),
        sa.Column("served_at", at, nullable=True),
        sa.Column("older_at", at, nullable=True),
        sa.Column("older_count", sa.Integer(), nullable=True),
        sa.Column("newer_at", at, nullable=True),
        sa.Column("newer_count", sa.Integer(), nullable=True),
        sa.Column("changed_at", at, nullable=False),
        sa.CheckConstraint(f"state IN ({_STATES})", name=op.f("ck_batches_state")),
        sa.CheckConstraint(_FOUR_EYES, name=op.f("ck_batches_four_eyes")),
        sa.CheckConstraint(_DECIDED, name=op.f("ck_batches_decided")),
        sa.ForeignKeyConstraint(
            ["manufacturer_id"], ["manufacturers.id"], name=op.f("fk_batches_manufacturer_id_manufacturers")
        ),
        sa.ForeignKeyConstraint(["prepared_by"], ["people.id"], name=op.f("fk_batches_prepared_by_people")),
        sa.ForeignKeyConstraint(["sent_by"], ["people.id"], name=op.f("fk_batches_sent_by_people")),
        sa.ForeignKeyConstraint(["decided_by"], ["people.id"], name=op.f("fk_batches_decided_by_people")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_batches")),
        sa.UniqueConstraint("ref", name=op.f("uq_batches_ref")),
    )
    op.create_index("ix_batches_manufacturer_id_file_digest", "batches", ["manufacturer_id", "file_digest"])
    _partial("ix_batches_at_work", "batches", ["served_at"], where="state IN ('running', 'halted')")


def _files() -> None:
    op.create_table(
        "batch_files",
        sa.Column("batch_id", sa.Integer(), nullable=False),
        sa.Column("manufacturer_id", sa.Integer(), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=True),
        sa.Column("report", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["batch_id"], ["batches.id"], name=op.f("fk_batch_files_batch_id_batches")),
        sa.ForeignKeyConstraint(
            ["manufacturer_id"], ["manufacturers.id"], name=op.f("fk_batch_files_manufacturer_id_manufacturers")
        ),
        sa.PrimaryKeyConstraint("batch_id", name=op.f("pk_batch_files")),
    )


def _items() -> None:
    op.create_table(
        "batch_items",
        sa.Column("batch_id", sa.Integer(), nullable=False),
        sa.Column("place", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("manufacturer_id", sa.Integer(), nullable=False),
        sa.Column("lane", sa.String(length=80), nullable=False),
        sa.Column("source", sa.String(length=200), nullable=False),
        sa.Column("vins", sa.Text(), nullable=False),
        sa.Column("vehicles", sa.Integer(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("terms_digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("turn", sa.Integer(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("lease_until", sa.String(length=27), nullable=True),
        sa.Column("number", sa.String(length=16), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("ended_at", sa.String(length=27), nullable=True),
        sa.CheckConstraint("state IN ('waiting', 'done', 'failed', 'cancelled')", name=op.f("ck_batch_items_state")),
        sa.CheckConstraint("(state = 'done') = (number IS NOT NULL)", name=op.f("ck_batch_items_numbered")),
        sa.ForeignKeyConstraint(["batch_id"], ["batches.id"], name=op.f("fk_batch_items_batch_id_batches")),
        sa.ForeignKeyConstraint(
            ["manufacturer_id"], ["manufacturers.id"], name=op.f("fk_batch_items_manufacturer_id_manufacturers")
        ),
        sa.ForeignKeyConstraint(["number"], ["confirmations.number"], name=op.f("fk_batch_items_number_confirmations")),
        sa.PrimaryKeyConstraint("batch_id", "place", name=op.f("pk_batch_items")),
        sa.UniqueConstraint("number", name=op.f("uq_batch_items_number")),
    )
    columns = ["batch_id", "state", "lane", "place"]
    op.create_index("ix_batch_items_batch_id_state_lane_place", "batch_items", columns)
    _partial("ix_batch_items_leased", "batch_items", ["batch_id", "lease_until"], where="lease_until IS NOT NULL")


def _partial(name: str, table: str, columns: list[str], *, where: str) -> None:
    condition = sa.text(where)
    op.create_index(name, table, columns, sqlite_where=condition, postgresql_where=condition)


def downgrade() -> None:
    """Forget the batches; what they issued stays. Jobs of kinds that the code below does not know go as well."""
    triggers.drop(op.get_bind())
    for table in ("batch_items", "batch_files", "batches"):
        op.drop_table(table)
    op.execute("DELETE FROM jobs WHERE kind IN ('batch', 'batch-read', 'batches')")
    triggers.create(op.get_bind())
