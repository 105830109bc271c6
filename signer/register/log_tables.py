"""The tables of the transparency log: what waits for it, its leaves, full tiles of their hashes, its checkpoints."""

from __future__ import annotations

from sqlalchemy import (
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from signer.register.columns import At, metadata, one_of

TYPES = ("intent", "issued", "abandon", "withdraw", "supersede", "backfill")

log_queue = Table(
    "log_queue",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("confirmation_id", ForeignKey("confirmations.id"), nullable=False),
    Column("type", String(12), nullable=False),
    Column("digest", LargeBinary(32), nullable=False),
    Column("queued_at", At, nullable=False),
    one_of("type", list(TYPES), "type"),
)
"""What happened and is not in the log yet; written with what makes it true, and taken away when it is in the log."""

log_leaves = Table(
    "log_leaves",
    metadata,
    Column("sequence", Integer, primary_key=True, autoincrement=False),
    Column("leaf", LargeBinary, nullable=False),
    Column("leaf_hash", LargeBinary(32), nullable=False),
    Column("manufacturer_id", ForeignKey("manufacturers.id")),
    Column("running", Integer),
    Column("confirmation_id", ForeignKey("confirmations.id")),
    Column("type", String(12)),
    Column("digest", LargeBinary(32)),
    Column("previous", LargeBinary(32)),
    Column("nonce", LargeBinary(32)),
    CheckConstraint("(confirmation_id IS NULL) = (nonce IS NULL)", name="opened"),
    UniqueConstraint("manufacturer_id", "running", name="uq_log_leaves_manufacturer_id_running"),
    Index("ix_log_leaves_confirmation_id", "confirmation_id"),
)
"""
The leaves in their order: the bytes that everybody may have, and what opens them, which belongs to the maker.

A leaf that came back from a copy of the log, after a restore, has no opening here.
"""

log_tiles = Table(
    "log_tiles",
    metadata,
    Column("level", Integer, primary_key=True, autoincrement=False),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("hashes", LargeBinary(8192), nullable=False),
    Column("root", LargeBinary(32), nullable=False),
)
"""Full tiles: 256 hashes one after the other, and the hash of the tree over them. Source: C2SP tlog-tiles."""

log_checkpoints = Table(
    "log_checkpoints",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("size", Integer, nullable=False),
    Column("root", LargeBinary(32), nullable=False),
    Column("edge", LargeBinary(2048), nullable=False),
    Column("note", Text, nullable=False),
    Column("signed_at", At, nullable=False),
    Index("ix_log_checkpoints_size", "size"),
)
"""What was signed of the log. `edge`: the hashes of the largest whole subtrees, left to right, from which it grows."""
