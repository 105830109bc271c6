"""The tables of batches: what was handed in and how far it is, its file and report, and its items."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Column, ForeignKey, Index, Integer, LargeBinary, String, Table, Text

from signer.register.columns import At, metadata, one_of, partial

batches = Table(
    "batches",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("ref", String(16), nullable=False, unique=True),
    Column("manufacturer_id", ForeignKey("manufacturers.id"), nullable=False),
    Column("title", String(120), nullable=False),
    Column("file_name", String(120), nullable=False),
    Column("file_digest", LargeBinary(32), nullable=False),
    Column("size", Integer, nullable=False),
    Column("state", String(10), nullable=False),
    Column("version", Integer, nullable=False),
    Column("items", Integer, nullable=False),
    Column("vehicles", Integer, nullable=False),
    Column("done", Integer, nullable=False),
    Column("failed", Integer, nullable=False),
    Column("root", LargeBinary(32)),
    Column("prepared_by", ForeignKey("people.id"), nullable=False),
    Column("created_at", At, nullable=False),
    Column("sent_by", ForeignKey("people.id")),
    Column("sent_at", At),
    Column("reason", String(400)),
    Column("decided_by", ForeignKey("people.id")),
    Column("decided_at", At),
    Column("factor", String(10)),
    Column("external_ref", String(120)),
    Column("started_at", At),
    Column("halted", Text),
    Column("halts", Integer, nullable=False),
    Column("next_at", At),
    Column("served_at", At),
    Column("older_at", At),
    Column("older_count", Integer),
    Column("newer_at", At),
    Column("newer_count", Integer),
    Column("changed_at", At, nullable=False),
    one_of(
        "state",
        ["reading", "faulty", "ready", "waiting", "running", "paused", "halted", "done", "cancelled"],
        "state",
    ),
    CheckConstraint("decided_by IS NULL OR (decided_by <> sent_by AND decided_by <> prepared_by)", name="four_eyes"),
    CheckConstraint(
        "state NOT IN ('running', 'paused', 'halted', 'done')"
        " OR (decided_by IS NOT NULL AND factor IS NOT NULL AND sent_by IS NOT NULL AND root IS NOT NULL)",
        name="decided",
    ),
    Index("ix_batches_manufacturer_id_file_digest", "manufacturer_id", "file_digest"),
    partial("ix_batches_at_work", "served_at", where="state IN ('running', 'halted')"),
)
"""
`size`: at most so many vehicles of one destination and model on one confirmation. `root` is what is approved.

`halted` says why it stands still (JSON), `next_at` when it goes on by itself, `halts` how often in a row it did not get
on; `served_at` when it last had its turn. Two marks of how many items were over when make the rate.
"""

batch_files = Table(
    "batch_files",
    metadata,
    Column("batch_id", ForeignKey("batches.id"), primary_key=True),
    Column("manufacturer_id", ForeignKey("manufacturers.id"), nullable=False),
    Column("data", LargeBinary),
    Column("report", Text, nullable=False),
)
"""The file, None once it is forgotten, and what is told of it (JSON): apart, because the row above changes often."""

batch_items = Table(
    "batch_items",
    metadata,
    Column("batch_id", ForeignKey("batches.id"), primary_key=True),
    Column("place", Integer, primary_key=True, autoincrement=False),
    Column("manufacturer_id", ForeignKey("manufacturers.id"), nullable=False),
    Column("lane", String(80), nullable=False),
    Column("source", String(200), nullable=False),
    Column("vins", Text, nullable=False),
    Column("vehicles", Integer, nullable=False),
    Column("body", Text, nullable=False),
    Column("terms_digest", LargeBinary(32), nullable=False),
    Column("state", String(10), nullable=False),
    Column("turn", Integer, nullable=False),
    Column("tries", Integer, nullable=False),
    Column("lease_until", At),
    Column("number", String(16), ForeignKey("confirmations.number"), unique=True),
    Column("error", Text),
    Column("ended_at", At),
    one_of("state", ["waiting", "done", "failed", "cancelled"], "state"),
    CheckConstraint("(state = 'done') = (number IS NOT NULL)", name="numbered"),
    Index("ix_batch_items_batch_id_state_lane_place", "batch_id", "state", "lane", "place"),
    partial("ix_batch_items_leased", "batch_id", "lease_until", where="lease_until IS NOT NULL"),
)
"""
One confirmation to be: `body` is `signer.draft/1`, `source` tells its rows in the file, `lane` the order of sealing.

`turn` counts the numbers of it that were given up, `tries` how often somebody took it up.
"""
