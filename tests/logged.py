"""What tests ask of the transparency log: more leaves, its leaves, what is published, and a root by the RFC's text."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from signer.domain.trust import Purpose
from signer.register import log
from signer.register.heads import HEAD
from signer.seal import log_key
from signer.transparency import checkpoints
from signer.transparency.merkle import EMPTY_ROOT, leaf_hash, node_hash

if TYPE_CHECKING:
    from world import World

    from signer.services.sealing import Issued


def queue(world: World, kind: str = "withdraw", *, count: int = 1) -> None:
    """Queue leaves about what was issued, behind everybody's back: each of another digest."""
    ((first, has),) = world.rows(
        "SELECT (SELECT min(id) FROM confirmations),"
        " (SELECT count(*) FROM log_queue) + (SELECT count(*) FROM log_leaves)"
    )
    with world.services.database.write() as tx:
        for place in range(count):
            digest = hashlib.sha256(f"{has}/{place}".encode()).digest()
            log.queue(tx, kind, confirmation_id=first, digest=digest, at=world.at)


def issue_beside(world: World, plain: Any) -> Issued:
    """Issue while the log's key is not at hand: the leaves wait."""
    key, hidden = world.settings.keys / log_key.FILE, world.settings.keys / "elsewhere"
    key.rename(hidden)
    issued = world.issue(plain)
    world.services.logbook.settle()
    hidden.rename(key)
    return issued


def leaves(world: World) -> list[bytes]:
    return [bytes(row[0]) for row in world.rows("SELECT leaf FROM log_leaves ORDER BY sequence")]


def naive_root(found: list[bytes]) -> bytes:
    """Return RFC 6962's MTH as its text says it, without any of our trees."""
    if not found:
        return EMPTY_ROOT
    if len(found) == 1:
        return leaf_hash(found[0])
    split = 1 << (len(found) - 1).bit_length() - 1
    return node_hash(naive_root(found[:split]), naive_root(found[split:]))


def published(world: World) -> checkpoints.Signed:
    """Return what is published, its signature verified by the trust list alone."""
    note = (world.folder / HEAD).read_text(encoding="utf-8")
    entries = world.services.trust.current(world.at).of(Purpose.LOG)
    return checkpoints.open_signed(note, [log_key.note_key(entry, origin="127.0.0.1:8000/log") for entry in entries])
