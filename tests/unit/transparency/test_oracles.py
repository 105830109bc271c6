"""What others make of the same trees: sigstore takes our proofs, pymerkle makes the same roots and proofs."""

from __future__ import annotations

import random

from pymerkle import InmemoryTree
from sigstore._internal import merkle as sigstore

from tests.unit.transparency import trees

SIZE = 70
TREE = trees.of(SIZE)


def _by_sigstore(leaf: bytes, index: int, size: int, path: list[bytes]) -> bytes | None:
    inner, border = sigstore._decomp_inclusion_proof(index, size)
    if len(path) != inner + border:
        return None
    return sigstore._chain_border_right(sigstore._chain_inner(leaf, path[:inner], index), path[inner:])


def test_sigstore_comes_from_our_proofs_to_our_roots_and_from_no_other_leaf() -> None:
    chance = random.Random(5)
    for size in range(2, SIZE):
        for index in range(0, size, 3):
            path, other = list(TREE.inclusion(index, size)), chance.choice([at for at in range(size) if at != index])
            assert _by_sigstore(sigstore._hash_leaf(trees.entry(index)), index, size, path) == TREE.root(size)
            assert _by_sigstore(TREE.leaves[other], index, size, path) != TREE.root(size)
            assert _by_sigstore(TREE.leaves[index], other, size, path) != TREE.root(size)


def test_pymerkle_makes_the_same_roots_and_the_same_proofs() -> None:
    tree = InmemoryTree(algorithm="sha256")
    for index in range(SIZE):
        tree.append_entry(trees.entry(index))
        assert tree.get_root(index + 1) == TREE.root(index + 1)
    for size in range(1, SIZE, 3):
        for index in range(0, size, 4):
            assert tuple(tree.prove_inclusion(index + 1, size).path[1:]) == TREE.inclusion(index, size)
