"""
Go on with a log after a register was restored: never by itself, only with the head that an operator types.

A register that holds what the head says goes on. An older one gets back the leaves that it lost, from a copy of what
was public: they must make exactly the typed root, so that the log goes on as the one that was published.
"""

from __future__ import annotations

import base64
import binascii
import re
from typing import TYPE_CHECKING, Final

from signer.domain.log_leaf import Leaf, maker_key, tag
from signer.errors import Conflict, InvalidInput
from signer.register import audit, log
from signer.services.sequencing import Tree
from signer.transparency import merkle
from signer.transparency.merkle import leaf_hash
from signer.transparency.tiles import WIDTH, Hashes, Tile

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import datetime

    from signer.register.database import Database, Transaction
    from signer.register.heads import Heads
    from signer.register.log import Entry, Signed
    from signer.services.log_keys import LogKeys
    from signer.services.sequencing import Sequencing

_HEAD: Final = re.compile(r"([0-9]{1,16})[ :]+([A-Za-z0-9+/]{43}=)")


class Resuming:
    """Let an operator say what the highest head of the log is."""

    def __init__(
        self,
        *,
        database: Database,
        keys: LogKeys,
        heads: Heads,
        sequencing: Sequencing,
        clock: Callable[[], datetime],
    ) -> None:
        self._database = database
        self._keys = keys
        self._heads = heads
        self._sequencing = sequencing
        self._clock = clock

    def resume(self, typed: str, *, by: str, leaves: Sequence[bytes] = ()) -> int:
        """
        Go on from a head, `SIZE ROOT`, and return how many leaves came back; `leaves` are those behind our own.

        Raises InvalidInput for what is no head, Conflict for one that is not the highest, or not of this log; besides
        what `Sequencing.run` raises.
        """
        size, root = parse_head(typed)
        at = self._clock()
        with self._database.write() as tx:
            last = log.latest(tx)
            self._refuse_lower(size)
            if last is None and (size or root != merkle.EMPTY_ROOT):
                raise Conflict("the log has not begun here: restore a register that holds some of it")
            last = last or self._sequencing.begin(tx)
            back = self._back(tx, last, size, root, leaves)
            self._refuse_another(tx, size)
            told = {"head": f"{size} {base64.b64encode(root).decode()}", "back": str(back)}
            audit.note(tx, "log.resumed", actor=by, subject="log", at=at, manufacturer_id=None, **told)
        self._publish()
        return back

    def _back(self, tx: Transaction, last: Signed, size: int, root: bytes, leaves: Sequence[bytes]) -> int:
        """Bring the log to a head, if it is not there already; return how many leaves came back."""
        if size <= last.size:
            if _root_of(tx, last, size) != root:
                raise Conflict(f"the log here had another root when it had {size} leaves: it is not the one published")
            return 0
        lost = leaves[last.size % WIDTH :] if len(leaves) == size - last.size // WIDTH * WIDTH else leaves
        if len(lost) != size - last.size:
            first, end = (Tile(level=None, number=place // WIDTH).address for place in (last.size, size - 1))
            raise Conflict(
                f"the log has {last.size} leaves here and {size} were published: the {size - last.size} between are"
                f" needed, {len(leaves)} are given (`--leaves`: {first} to {end}, from a copy of the log)"
            )
        entries = tuple(self._lost(tx, lost, last.size))
        tree = Tree(last.size, last.edge).grown([entry.leaf_hash for entry in entries])
        if tree.root != root:
            raise Conflict("these leaves do not make that root: they are not what was published")
        log.append(tx, entries)
        self._sequencing.sign(tx, tree, last, self._keys.open())
        return len(entries)

    def _lost(self, tx: Transaction, leaves: Sequence[bytes], start: int) -> Iterator[Entry]:
        """Yield leaves that were lost, each with whose it was and its running number, as its tag tells."""
        keys = {maker: maker_key(self._keys.secret(is_new=False), uscc) for maker, uscc in log.makers(tx)}
        expected = {tag(keys[maker], count + 1): (maker, count + 1) for maker, count in log.running(tx, keys).items()}
        for sequence, leaf in enumerate(leaves, start=start):
            found = Leaf.parse(leaf)
            maker, running = expected.pop(found.tag, (None, None))
            if maker is not None and running is not None:
                expected[tag(keys[maker], running + 1)] = (maker, running + 1)
            yield log.Entry(
                sequence=sequence,
                leaf=leaf,
                leaf_hash=leaf_hash(leaf),
                manufacturer_id=maker,
                running=running,
                type=found.type,
            )

    def _refuse_lower(self, size: int) -> None:
        for head in self._heads.checkpoints():
            if head.size > size:
                raise Conflict(f"a head of {head.size} leaves is remembered: type that one, or a higher")

    def _refuse_another(self, tx: Transaction, size: int) -> None:
        """Refuse if one of the heads that are remembered is not of this log."""
        last = log.latest(tx)
        for head in self._heads.checkpoints():
            if last is None or _root_of(tx, last, head.size) != head.root:
                raise Conflict(f"the head of {head.size} leaves that is remembered is of another log than {size} typed")

    def _publish(self) -> None:
        with self._heads.turn(), self._database.read() as tx:
            last = log.latest(tx)
            if last is not None:
                self._heads.publish(last.note)


def parse_head(typed: str) -> tuple[int, bytes]:
    """Return size and root of a head as people type it. InvalidInput."""
    found = _HEAD.fullmatch(typed.strip())
    if found is None:
        raise InvalidInput("head", "is written `SIZE ROOT`: lines two and three of a checkpoint")
    try:
        return int(found[1]), base64.b64decode(found[2], validate=True)
    except binascii.Error as error:
        raise InvalidInput("head", "its root is no base64") from error


def leaves_of(data: bytes) -> tuple[bytes, ...]:
    """Return the leaves of a file of tile/entries, full or not. InvalidInput."""
    found: list[bytes] = []
    place = 0
    while place < len(data):
        end = place + 2 + int.from_bytes(data[place : place + 2], "big")
        found.append(data[place + 2 : end])
        place = end
    if place != len(data) or len(found) > WIDTH:
        raise InvalidInput("leaves", "is no file of tile/entries")
    return tuple(found)


def _root_of(tx: Transaction, last: Signed, size: int) -> bytes:
    """Return the root of the log's first leaves, computed anew from its tiles."""
    return merkle.root(size, Hashes(last.size, lambda wanted: log.tile(tx, wanted)))
