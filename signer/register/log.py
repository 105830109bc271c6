"""The transparency log as the register keeps it: what waits for it, its leaves, tiles and checkpoints."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import insert

from signer.register.log_tables import log_queue
from signer.register.ready import Ready

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy.engine import Connection

_QUEUE = Ready(insert(log_queue).inline())


def queue(tx: Connection, kind: str, *, confirmation_id: int, digest: bytes, at: datetime) -> None:
    """Queue a leaf for the log, in the transaction that makes it true."""
    _QUEUE.execute(tx, {"confirmation_id": confirmation_id, "type": kind, "digest": digest, "queued_at": at})
