"""
Merkle trees: which hashes make a proof, and whether a proof holds.

Nothing is stored here. Whoever keeps a tree keeps the hashes of its complete subtrees and lends a `Read`; a proof is
then a list of 32-byte hashes, none of which this module ever has to guess.
Source: RFC 9162, section 2.1 (the hashes are those of RFC 6962).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import reduce
from typing import TYPE_CHECKING, Final, NamedTuple

from signer.errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

DIGEST_BYTES: Final = 32
EMPTY_ROOT: Final = hashlib.sha256(b"").digest()
"""The root of a tree without leaves."""
MOST_LEAVES: Final = 2**53
"""Sizes and indices stay below this, so that JSON can hold them."""


class Subtree(NamedTuple):
    """The complete subtree of 2^level leaves that begins at leaf place * 2^level."""

    level: int
    place: int


Read = Callable[[Subtree], bytes]
"""Gives the hash of a complete subtree (32 bytes)."""


class ProofInvalid(InvalidInput):
    """A proof does not prove what it is said to prove."""

    code = "proof-invalid"

    def __init__(self, reason: str) -> None:
        super().__init__("log-proof", reason)


class Grown:
    """A `Read` of a tree that grew, from the peaks of before and the new leaf hashes: enough to prove each new leaf."""

    def __init__(self, size: int, peaks: Sequence[bytes], leaves: Sequence[bytes]) -> None:
        self._known = dict(zip(cover(0, size), peaks, strict=True))
        self._known.update({Subtree(0, place): leaf for place, leaf in enumerate(leaves, start=size)})

    def __call__(self, subtree: Subtree) -> bytes:
        """Return the hash of a complete subtree that is a peak of before, or holds new leaves. KeyError for another."""
        found = self._known.get(subtree)
        if found is None:
            if not subtree.level:
                raise KeyError(subtree)
            below, place = subtree.level - 1, 2 * subtree.place
            found = node_hash(self(Subtree(below, place)), self(Subtree(below, place + 1)))
            self._known[subtree] = found
        return found


def leaf_hash(data: bytes) -> bytes:
    """Return the hash of a leaf."""
    return hashlib.sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return the hash of the node above two."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def cover(start: int, end: int) -> tuple[Subtree, ...]:
    """Return the fewest complete subtrees, from left to right, that hold the leaves from `start` up to `end`."""
    found = []
    while start < end:
        level = (end - start).bit_length() - 1
        if start:
            level = min(level, (start & -start).bit_length() - 1)
        found.append(Subtree(level, start >> level))
        start += 1 << level
    return tuple(found)


def fold(hashes: Sequence[bytes]) -> bytes:
    """Return the hash above the subtrees of a cover, the largest first; that of no leaves if there are none."""
    return reduce(lambda right, left: node_hash(left, right), reversed(hashes)) if hashes else EMPTY_ROOT


def root(size: int, read: Read) -> bytes:
    """Return the root of the tree's first `size` leaves."""
    return fold([read(each) for each in cover(0, size)])


def root_of(leaves: Iterable[bytes]) -> bytes:
    """Return the root of the tree with these leaves (their data, not their hashes); they are not kept."""
    return fold(grow(0, (), map(leaf_hash, leaves)))


def inclusion_path(index: int, size: int) -> tuple[tuple[Subtree, ...], ...]:
    """
    Return what makes the proof that a leaf is in the tree of that size, from the leaf upwards.

    Each member is a cover: the hash of the proof is what `fold` makes of its subtrees.
    """
    if not 0 <= index < size:
        raise ValueError(f"there is no leaf {index} in a tree of {size}")
    path, start, end = [], 0, size
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            path.append(cover(middle, end))
            end = middle
        else:
            path.append(cover(start, middle))
            start = middle
    return tuple(reversed(path))


def consistency_path(old: int, new: int) -> tuple[tuple[Subtree, ...], ...]:
    """Return what makes the proof that the tree of `old` leaves begins that of `new`; empty from 0 and to itself."""
    if not 0 <= old <= new:
        raise ValueError(f"a tree of {old} does not begin one of {new}")
    if old in (0, new):
        return ()
    path, start, end = [], 0, new
    while end != old:
        middle = start + _split(end - start)
        if old <= middle:
            path.append(cover(middle, end))
            end = middle
        else:
            path.append(cover(start, middle))
            start = middle
    if start:
        path.append(cover(start, end))
    return tuple(reversed(path))


def inclusion(index: int, size: int, read: Read) -> tuple[bytes, ...]:
    """Return the proof that a leaf is in the tree of that size."""
    return _made(inclusion_path(index, size), read)


def consistency(old: int, new: int, read: Read) -> tuple[bytes, ...]:
    """Return the proof that the tree of `old` leaves begins that of `new`."""
    return _made(consistency_path(old, new), read)


def grow(size: int, peaks: Sequence[bytes], leaves: Iterable[bytes]) -> tuple[bytes, ...]:
    """Return the peaks of a tree once leaf hashes are appended: the hashes of `cover(0, size)`, before and after."""
    stack = list(peaks)
    for index, leaf in enumerate(leaves, start=size):
        found, at = leaf, index
        while at & 1:
            found, at = node_hash(stack.pop(), found), at >> 1
        stack.append(found)
    return tuple(stack)


def verify_inclusion(leaf: bytes, index: int, size: int, path: Sequence[bytes], *, root: bytes) -> None:
    """
    Refuse a proof that does not show the leaf hash at that index under that root. Raises ProofInvalid.

    Source: RFC 9162, section 2.1.3.2.
    """
    if not 0 <= index < size <= MOST_LEAVES:
        raise ProofInvalid(f"there is no leaf {index} in a tree of {size}")
    _refuse_lengths([leaf, *path, root])
    place, last, found = index, size - 1, leaf
    for each in path:
        if last == 0:
            raise ProofInvalid("the proof is longer than the tree is high")
        if place & 1 or place == last:
            found = node_hash(each, found)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            found = node_hash(found, each)
        place, last = place >> 1, last >> 1
    if last or found != root:
        raise ProofInvalid("the leaf is not in the tree of that checkpoint")


def verify_consistency(old: int, new: int, path: Sequence[bytes], *, old_root: bytes, new_root: bytes) -> None:
    """
    Refuse a proof that does not show one tree to begin another. Raises ProofInvalid.

    Every tree begins with the empty one, and with itself: such a proof is empty.
    Source: RFC 9162, section 2.1.4.2; C2SP tlog-witness for a tree of no leaves.
    """
    if not 0 <= old <= new <= MOST_LEAVES:
        raise ProofInvalid(f"a tree of {old} does not begin one of {new}")
    _refuse_lengths([*path, old_root, new_root])
    if old in (0, new):
        expected = new_root if old else EMPTY_ROOT
        if path or old_root != expected or (not new and new_root != EMPTY_ROOT):
            raise ProofInvalid("the trees are not the same, or the proof is not empty")
        return
    start = old & (old - 1)
    if start and not path:
        raise ProofInvalid("the proof is empty")
    hashes = list(path) if start else [old_root, *path]
    place, last = old - 1, new - 1
    while place & 1:
        place, last = place >> 1, last >> 1
    first, second = _climbed(place, last, hashes)
    if first != old_root or second != new_root:
        raise ProofInvalid("the older tree does not begin the newer one")


def _climbed(place: int, last: int, hashes: Sequence[bytes]) -> tuple[bytes, bytes]:
    """Return the roots of both trees; `hashes` begins with the subtree in which the older one ends."""
    first = second = hashes[0]
    for each in hashes[1:]:
        if last == 0:
            raise ProofInvalid("the proof is longer than the tree is high")
        if place & 1 or place == last:
            first, second = node_hash(each, first), node_hash(each, second)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            second = node_hash(second, each)
        place, last = place >> 1, last >> 1
    if last:
        raise ProofInvalid("the proof is shorter than the tree is high")
    return first, second


def _split(size: int) -> int:
    """Return the largest power of two below a size of at least 2."""
    return 1 << ((size - 1).bit_length() - 1)


def _made(path: Iterable[tuple[Subtree, ...]], read: Read) -> tuple[bytes, ...]:
    return tuple(fold([read(each) for each in members]) for members in path)


def _refuse_lengths(hashes: Iterable[bytes]) -> None:
    if any(len(each) != DIGEST_BYTES for each in hashes):
        raise ProofInvalid("a hash has not 32 bytes")
