"""Every complete subtree of a tree, as tests look hashes up in one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from signer.transparency.merkle import Subtree, node_hash

if TYPE_CHECKING:
    from collections.abc import Iterable


def of(leaves: Iterable[bytes]) -> dict[Subtree, bytes]:
    """Return the hashes of all complete subtrees over leaf hashes."""
    found: dict[Subtree, bytes] = {}
    level, hashes = 0, list(leaves)
    while hashes:
        found |= {Subtree(level, place): each for place, each in enumerate(hashes)}
        pairs = zip(hashes[::2], hashes[1::2], strict=False)
        level, hashes = level + 1, [node_hash(*pair) for pair in pairs]
    return found
