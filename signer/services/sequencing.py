"""
The sequencer: what waits for the log is numbered, hashed and signed in one transaction, and published after it.

One works at a time, under the database's one write lock. What is published is always held by the database; if the
database does not hold what was published, it is an older one, and nothing is appended to it.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import TYPE_CHECKING

import structlog

from signer.domain.log_leaf import LeafType, Opening, Plain, maker_key, tag
from signer.errors import LogHeld
from signer.register import log, restores
from signer.register.database import BUSY_S
from signer.transparency import checkpoints, notes
from signer.transparency.checkpoints import Checkpoint
from signer.transparency.merkle import EMPTY_ROOT, Grown, fold, grow, inclusion, leaf_hash

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import datetime

    from signer.domain.number import Number
    from signer.domain.parties import Uscc
    from signer.register.database import Database, Transaction
    from signer.register.heads import Heads
    from signer.register.log import Entry, Signed, Waiting
    from signer.seal.log_key import LogKey
    from signer.services.log_keys import LogKeys

logger = structlog.get_logger()

BATCH = 2_000
"""So many leaves are appended in one transaction: it holds the write lock for some hundredths of a second."""
_NONCE_BYTES = 32
_NO_LEAVES = f"0 {base64.b64encode(EMPTY_ROOT).decode()}"
"""The head of a log of which nothing was ever published, as an operator types it."""


@dataclass(frozen=True, slots=True)
class Tree:
    """A tree as it grows: its size, and the hashes of the complete subtrees that cover it."""

    size: int
    edge: tuple[bytes, ...]

    def grown(self, hashes: Sequence[bytes]) -> Tree:
        """Return it with further leaves."""
        return Tree(self.size + len(hashes), grow(self.size, self.edge, hashes))

    @property
    def root(self) -> bytes:
        """The root of the tree."""
        return fold(self.edge)


@dataclass(frozen=True, slots=True, kw_only=True)
class Appended:
    """What one pass appended: the tree of before, what had waited and became which leaf, and the head over them."""

    before: Tree
    waiting: tuple[Waiting, ...]
    entries: tuple[Entry, ...]
    head: Signed

    def path(self, entry: Entry) -> tuple[bytes, ...]:
        """Return the proof that one of the leaves is under the head."""
        grown = Grown(self.before.size, self.before.edge, [each.leaf_hash for each in self.entries])
        return inclusion(entry.sequence, self.head.size, grown)


class Sequencing:
    """Append to the log what waits for it."""

    def __init__(
        self,
        *,
        database: Database,
        keys: LogKeys,
        heads: Heads,
        clock: Callable[[], datetime],
        bits: Callable[[int], int],
    ) -> None:
        self._database = database
        self._keys = keys
        self._heads = heads
        self._clock = clock
        self._bits = bits

    def begin(self, tx: Transaction) -> Signed:
        """Sign the head of a log without leaves: an operator said that nothing of it was ever published."""
        return self._append(tx, None, (), self._keys.open()).head

    def run(self, *, patience_s: float = BUSY_S) -> int:
        """
        Append what waits, at most `BATCH` leaves, and publish the head; return how many leaves were appended.

        Raises LogHeld, KeyUnavailable, Misconfigured, TrustListStale, RegisterUnavailable (the lock was not to be had
        in `patience_s` too), StorageUnavailable.
        """
        made = self.append(patience_s=patience_s)
        return 0 if made is None else len(made.entries)

    def append(self, *, patience_s: float = BUSY_S) -> Appended | None:
        """Do what `run` does, and return what was appended: None if no head was signed."""
        made = self._append_some(patience_s)
        self.publish(None if made is None else made.head)
        return made

    def drain(self) -> int:
        """Append until nothing waits, then publish; return how many leaves were appended. Raises what `run` raises."""
        whole, newest = 0, None
        while (made := self._append_some(BUSY_S)) is not None:
            whole, newest = whole + len(made.entries), made.head
            if not made.entries:
                break
        self.publish(newest)
        return whole

    def _append_some(self, patience_s: float) -> Appended | None:
        """Append a batch; return it, or None if there was nothing to sign."""
        key = self._keys.open()
        self._begin(key, patience_s=patience_s)
        with self._database.write(patience_s=patience_s) as tx:
            last = log.latest(tx)
            self.refuse_older(tx, last)
            waiting = log.waiting(tx, BATCH)
            if not waiting and not self._is_by_another(last, key):
                return None
            return self._append(tx, last, waiting, key)

    def _begin(self, key: LogKey, *, patience_s: float) -> None:
        """Publish the head of a log without leaves before its first one: a log with leaves has published a head."""
        if self._heads.published() is not None:
            return
        with self._database.read() as tx:
            last = log.latest(tx)
        if last is not None:
            if not last.size:
                self.publish()
            return
        with self._database.write(patience_s=patience_s) as tx:
            last = log.latest(tx)
            self.refuse_older(tx, last)
            if last is None:
                self._append(tx, None, (), key)
        self.publish()

    def run_if_awaited(self) -> int:
        """Append what waits, if anything does: one small question otherwise. Raises what `run` raises."""
        with self._database.read() as tx:
            is_awaited = log.is_waited_for(tx)
        return self.run() if is_awaited else 0

    def keep(self, _tell: Callable[[str], None]) -> str:
        """Append what waits and publish the head, if that was missed; tell what was done. Raises what `run` raises."""
        if not self._keys.are_there:
            return "no key of the log is there: nothing goes into it"
        return f"{self.drain()} leaves appended"

    def key_of(self, uscc: Uscc) -> bytes:
        """Return the key by which a manufacturer finds its own leaves. Raises KeyUnavailable, Misconfigured."""
        return maker_key(self._keys.secret(is_new=False), uscc)

    def publish(self, made: Signed | None = None) -> None:
        """
        Publish the head that the database holds, if it is not published yet. Raises StorageUnavailable, LogHeld.

        With the head that was committed just now the database is asked only if another, as high, is out already.
        """
        with self._heads.turn():
            if made is not None and all(head.size < made.size for head in self._heads.checkpoints()):
                self._heads.publish(made.note)
                return
            with self._database.read() as tx:
                last = log.latest(tx)
                if last is None:
                    return
                self.refuse_older(tx, last)
            if not self._heads.is_everywhere(last.note):
                self._heads.publish(last.note)

    def refuse_older(self, tx: Transaction, last: Signed | None) -> None:
        """Refuse a database that does not hold what was published, wherever that is remembered. Raises LogHeld."""
        heads = self._heads.checkpoints()
        size = 0 if last is None else last.size
        if not heads and (size or restores.newest(tx) is not None):
            raise LogHeld(
                f"nobody remembers what was published of the log, which has {size} leaves here: find its highest"
                " head (a witness, a monitor, a proof), and type it: `signer log resume`"
                f" (`{_NO_LEAVES}` if there never was one)"
            )
        for head in heads:
            if fault := self._fault(tx, head, last):
                raise LogHeld(fault)

    def _fault(self, tx: Transaction, head: Checkpoint, last: Signed | None) -> str:
        """Return why the database does not hold a head, or ''."""
        size = 0 if last is None else last.size
        root = EMPTY_ROOT if last is None else last.root
        known = base64.b64encode(head.root).decode()
        if head.size > size:
            return (
                f"the log has {size} leaves here, and {head.size} were published (root {known}): this is an older"
                " register; nothing is appended before `signer log resume`"
            )
        if head.size < size:
            kept = log.of_size(tx, head.size)
            root = b"" if kept is None else kept.root
        if root != head.root:
            return f"the log of {head.size} leaves that was published (root {known}) is not the one that is here"
        return ""

    def _is_by_another(self, last: Signed | None, key: LogKey) -> bool:
        """Tell whether the head was signed by another key than the one that signs now: then it is signed once more."""
        if last is None:
            return False
        text, lines = notes.split(last.note)
        named = key.named(checkpoints.parse(text).origin)
        return not any((name, signature[:4]) == (named.name, named.id) for name, signature in lines)

    def _append(self, tx: Transaction, last: Signed | None, waiting: tuple[Waiting, ...], key: LogKey) -> Appended:
        before = Tree(0, ()) if last is None else Tree(last.size, last.edge)
        if last is not None and before.root != last.root:
            raise LogHeld(f"what is kept of the log's {last.size} leaves does not make its root")
        tree, entries = before, tuple(self._entries(tx, waiting, before.size)) if waiting else ()
        if entries:
            log.append(tx, entries)
            log.taken(tx, [one.id for one in waiting])
            tree = before.grown([entry.leaf_hash for entry in entries])
        return Appended(before=before, waiting=waiting, entries=entries, head=self.sign(tx, tree, last, key))

    def sign(self, tx: Transaction, tree: Tree, last: Signed | None, key: LogKey) -> Signed:
        """Sign a tree, keep the note, and return it; the log's name stays what it was in the head before."""
        origin = self._keys.origin() if last is None else checkpoints.parse(notes.split(last.note)[0]).origin
        note = key.sign(Checkpoint(origin, tree.size, tree.root).text, origin=origin)
        at = self._clock()
        made = log.Signed(size=tree.size, root=tree.root, edge=tree.edge, note=note, signed_at=at)
        log.sign(tx, made)
        logger.info("log.signed", size=tree.size, root=tree.root.hex()[:16])
        return made

    def _entries(self, tx: Transaction, waiting: tuple[Waiting, ...], start: int) -> Iterator[Entry]:
        """Yield the leaves of what waits, numbered in the log and for each manufacturer."""
        secret = self._keys.secret(is_new=start == 0)
        makers = {one.manufacturer_id: one.uscc for one in waiting}
        keys = {each: maker_key(secret, uscc) for each, uscc in makers.items()}
        counts = log.running(tx, keys)
        hashes = log.last_hashes(tx, [one.confirmation_id for one in waiting])
        nonces = self._bits(8 * _NONCE_BYTES * len(waiting)).to_bytes(_NONCE_BYTES * len(waiting), "big")
        for place, one in enumerate(waiting):
            counts[one.manufacturer_id] = running = counts[one.manufacturer_id] + 1
            nonce = nonces[_NONCE_BYTES * place : _NONCE_BYTES * (place + 1)]
            previous = hashes.get(one.confirmation_id)
            leaf = Plain(type=one.type, number=one.number, digest=one.digest, previous=previous, nonce=nonce)
            encoded = leaf.encoded(tag=tag(keys[one.manufacturer_id], running), at=one.queued_at)
            hashes[one.confirmation_id] = hashed = leaf_hash(encoded)
            yield log.Entry(
                sequence=start + place,
                leaf=encoded,
                leaf_hash=hashed,
                manufacturer_id=one.manufacturer_id,
                running=running,
                confirmation_id=one.confirmation_id,
                type=one.type,
                digest=one.digest,
                previous=previous,
                nonce=nonce,
            )


def opening_of(number: Number, kind: LeafType, digest: bytes, *, previous: bytes | None, nonce: bytes) -> Opening:
    """Return the opening of a leaf that we make; what it is made of was checked when it was kept."""
    return Opening.model_construct(
        nonce=nonce.hex(),
        type=kind,
        number=number,
        digest=digest.hex(),
        previous=None if previous is None else previous.hex(),
    )
