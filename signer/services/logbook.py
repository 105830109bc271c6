"""The log as it is read: proofs, tiles and heads for everybody, and to each manufacturer what opens its own leaves."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

import structlog

from signer.domain.log_leaf import LeafType, LogProof, Opening
from signer.errors import InvalidInput, NotFound, SignerError, Unavailable
from signer.register import log, parties
from signer.register.scope import Scope
from signer.services.sequencing import opening_of
from signer.transparency import checkpoints, merkle, notes
from signer.transparency.tiles import HEIGHT, Hashes

if TYPE_CHECKING:
    from signer.domain.number import Number
    from signer.register.database import Database, Transaction
    from signer.register.heads import Heads
    from signer.register.log import Entry, Signed
    from signer.services.sequencing import Appended, Sequencing
    from signer.transparency.tiles import Tile

logger = structlog.get_logger()

SECONDS = 2.0
"""So long may an issue wait for the log."""
_SOON_S = 0.05
_ANYBODY = Scope.everything("who asks for a proof has the number, or is its manufacturer")


class LogBook:
    """Read the log."""

    def __init__(self, *, database: Database, sequencing: Sequencing, heads: Heads) -> None:
        self._database = database
        self._sequencing = sequencing
        self._heads = heads
        self._is_owed = False
        database.at_close(self.settle)

    def proof(self, number: Number, kind: LeafType = LeafType.ISSUED, *, scope: Scope = _ANYBODY) -> LogProof | None:
        """Return that the last leaf of a kind about a number is under the published head; None if there is none."""
        self.settle()
        with self._database.read() as tx:
            entry, head = log.entry_of(tx, number, kind, scope=scope), self._published(tx)
            if entry is None or head is None or entry.sequence >= head.size:
                return None
            path = merkle.inclusion(entry.sequence, head.size, _hashes(tx, head.size))
        return _proof(number, entry, path, head)

    def wait_for(
        self, number: Number, kind: LeafType = LeafType.INTENT, *, seconds: float = SECONDS
    ) -> LogProof | None:
        """
        Have what waits appended now, and return the proof of a leaf; None if that was not to be had in time.

        Whatever is wrong with the log is said in the service's own log and by the doctor: nothing else waits for it.
        """
        try:
            made = self._append(patience_s=seconds)
            for one, entry in zip(made.waiting, made.entries, strict=True) if made is not None else ():
                if made is not None and (one.number, one.type) == (number, kind):
                    return _proof(number, entry, made.path(entry), made.head)
            return self.proof(number, kind)
        except SignerError as error:
            logger.warning("log.not-integrated", number=number, code=error.code, error=str(error)[:200])
            return None

    def refuse_unready(self) -> None:
        """Append what waits, and raise what keeps the log from it: what `Sequencing.run` raises."""
        self._append(patience_s=SECONDS)

    def soon(self) -> None:
        """
        Leave what waits to whoever appends next: an issue that follows, or the workers, who look every second.

        On SQLite, where there may be no workers, this process owes it: before it looks for a proof, and at its end.
        """
        self._is_owed = self._database.dialect == "sqlite"

    def settle(self) -> None:
        """Have appended what this process owes, if nobody else is at it: then that one appends it, or the job."""
        if not self._is_owed:
            return
        try:
            self._append(patience_s=_SOON_S)
        except SignerError as error:
            logger.info("log.later", code=error.code, error=str(error)[:200])

    def _append(self, *, patience_s: float) -> Appended | None:
        """Append what waits; what cannot be appended is owed no longer, but said."""
        self._is_owed = False
        return self._sequencing.append(patience_s=patience_s)

    def checkpoint(self) -> str:
        """Return the published head, a signed note. Raises NotFound before the first, Unavailable if it is not held."""
        with self._database.read() as tx:
            found = self._published(tx)
        if found is None:
            raise NotFound("the log has not begun")
        return found.note

    def tile(self, wanted: Tile) -> bytes:
        """Return a tile that is whole under the published head. NotFound for one that is not, or not yet."""
        with self._database.read() as tx:
            head = self._published(tx)
            size = 0 if head is None else head.size >> HEIGHT * (wanted.level or 0)
            if not wanted.subtrees[-1].place < size:
                raise NotFound("the log does not reach so far")
            return log.tile(tx, wanted)

    def consistency(self, old: int, new: int | None = None) -> tuple[bytes, ...]:
        """Return the proof that a log of `old` leaves begins that of `new` (else the head). NotFound, InvalidInput."""
        with self._database.read() as tx:
            head = self._published(tx)
            size = 0 if head is None else head.size
            wanted = size if new is None else new
            if not 0 <= old <= wanted:
                raise InvalidInput("old", "is not the size of a smaller log")
            if wanted > size:
                raise NotFound("the log does not reach so far")
            return merkle.consistency(old, wanted, _hashes(tx, wanted))

    def openings(self, *, scope: Scope, after: int = 0, most: int = 1000) -> tuple[tuple[int, int, Opening], ...]:
        """Return a manufacturer's leaves behind a running number: running number, index in the log, opening."""
        with self._database.read() as tx:
            found = log.entries_of(tx, scope=scope, after=after, most=most)
        return tuple((entry.running or 0, entry.sequence, _opening(entry, number)) for entry, number in found)

    def key_of(self, manufacturer: str) -> bytes:
        """Return the key by which a manufacturer finds its own leaves. Raises NotFound, KeyUnavailable."""
        with self._database.read() as tx:
            uscc = parties.tenant(tx, manufacturer).manufacturer.uscc
        return self._sequencing.key_of(uscc)

    def _published(self, tx: Transaction) -> Signed | None:
        """Return the published head, which the database holds. Raises Unavailable if it does not."""
        note = self._heads.published()
        if note is None:
            return None
        size = checkpoints.parse(notes.split(note)[0]).size
        held = log.of_note(tx, note, size=size)
        if held is None:
            raise Unavailable(f"the log of {size} leaves that was published is not held here")
        return held


def _hashes(tx: Transaction, size: int) -> Hashes:
    return Hashes(size, lambda wanted: log.tile(tx, wanted))


def _proof(number: Number, entry: Entry, path: tuple[bytes, ...], head: Signed) -> LogProof:
    return LogProof(
        leaf=base64.b64encode(entry.leaf).decode(),
        opening=_opening(entry, number),
        index=entry.sequence,
        path=tuple(base64.b64encode(each).decode() for each in path),
        checkpoint=head.note,
    )


def _opening(entry: Entry, number: Number) -> Opening:
    if entry.type is None or entry.digest is None or entry.nonce is None:
        raise NotFound("what opens this leaf was lost")
    return opening_of(number, entry.type, entry.digest, previous=entry.previous, nonce=entry.nonce)
