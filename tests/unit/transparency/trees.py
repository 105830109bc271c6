"""A tree in memory, as whoever keeps one would keep it: the hash of every complete subtree."""

from __future__ import annotations

from functools import cache

import subtrees

from signer.transparency import merkle

CT_LEAVES = ("", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f")
"""The leaves that implementations of RFC 6962 have agreed on, and the roots of the trees that they make one by one."""
CT_ROOTS = (
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
)


@cache
def entry(index: int) -> bytes:
    """Return the entry of a leaf in the trees of these tests."""
    return b"leaf %d" % index


class Tree:
    """The hashes of a tree's complete subtrees."""

    def __init__(self, entries: tuple[bytes, ...]) -> None:
        self.leaves = [merkle.leaf_hash(each) for each in entries]
        self.hashes = subtrees.of(self.leaves)

    def root(self, size: int) -> bytes:
        """Return the root of its first leaves."""
        return merkle.root(size, self.hashes.__getitem__)

    def inclusion(self, index: int, size: int) -> tuple[bytes, ...]:
        """Return a proof."""
        return merkle.inclusion(index, size, self.hashes.__getitem__)

    def consistency(self, old: int, new: int) -> tuple[bytes, ...]:
        """Return a proof."""
        return merkle.consistency(old, new, self.hashes.__getitem__)


@cache
def of(size: int) -> Tree:
    """Return the tree of that many entries."""
    return Tree(tuple(map(entry, range(size))))
