"""What the log holds of a confirmation, as a verdict asks: two short reads, nothing written."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy import bindparam, or_, select

from signer.domain.log_facts import NO_LOG, LogFacts, LoggedFacts, LogHead
from signer.domain.log_leaf import Leaf, LeafType
from signer.register.log_tables import log_checkpoints, log_leaves, log_queue
from signer.register.ready import Ready
from signer.register.tables import confirmations

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

    from signer.domain.number import Number

_MINUTE = timedelta(minutes=1)
_first = select(log_checkpoints.c.signed_at).order_by(log_checkpoints.c.id).limit(1).scalar_subquery()
_HEAD = Ready(
    select(log_checkpoints.c.size, log_checkpoints.c.root, _first.label("began_at"))
    .order_by(log_checkpoints.c.id.desc())
    .limit(1)
)
_of_number = select(confirmations.c.id).where(confirmations.c.number == bindparam("number")).scalar_subquery()
_says_so = or_(log_leaves.c.type == LeafType.ISSUED.value, log_leaves.c.type == LeafType.BACKFILL.value)
_LEAF = Ready(
    select(log_leaves.c.leaf, log_leaves.c.digest)
    .where(log_leaves.c.confirmation_id == _of_number, _says_so, log_leaves.c.sequence < bindparam("size"))
    .order_by(log_leaves.c.sequence)
    .limit(1)
)
_WAITS = Ready(
    select(log_queue.c.id)
    .where(log_queue.c.confirmation_id == _of_number, log_queue.c.type == LeafType.ISSUED.value)
    .limit(1)
)


def of(tx: Connection, number: Number | None, sealed_digest: bytes | None) -> LogFacts:
    """Return what the log says of a number whose S has this digest; nothing if no checkpoint was ever signed."""
    head = _HEAD.first(tx)
    if head is None:
        return NO_LOG
    newest = LogHead(size=head.size, root=bytes(head.root).hex())
    if number is None:
        return LogFacts(head=newest)
    leaf = _LEAF.first(tx, {"number": number, "size": head.size})
    waits = leaf is None and _WAITS.first(tx, {"number": number}) is not None
    found = LoggedFacts(
        began_at=head.began_at,
        issued_at=Leaf.parse(bytes(leaf.leaf)).at + _MINUTE if leaf else None,
        is_of_these_bytes=leaf is not None and bytes(leaf.digest) == sealed_digest,
        is_waiting=waits,
    )
    return LogFacts(logged=found, head=newest)
