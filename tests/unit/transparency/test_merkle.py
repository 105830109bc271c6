"""Proofs verify for every tree below 300 leaves, and for no other leaf, place, size or root."""

from __future__ import annotations

import random

import pytest
import subtrees
from hypothesis import given
from hypothesis import strategies as st

from signer.transparency import merkle
from signer.transparency.merkle import EMPTY_ROOT, ProofInvalid, verify_consistency, verify_inclusion
from tests.unit.transparency import trees

MOST = 300
TREE = trees.of(MOST)
ROOTS = tuple(TREE.root(size) for size in range(MOST + 1))


def _refused(leaf: bytes, index: int, size: int, path: tuple[bytes, ...], root: bytes) -> bool:
    try:
        verify_inclusion(leaf, index, size, path, root=root)
    except ProofInvalid:
        return True
    return False


def _inconsistent(old: int, new: int, path: tuple[bytes, ...], old_root: bytes, new_root: bytes) -> bool:
    try:
        verify_consistency(old, new, path, old_root=old_root, new_root=new_root)
    except ProofInvalid:
        return True
    return False


def test_the_roots_are_those_on_which_all_implementations_agree() -> None:
    tree = trees.Tree(tuple(map(bytes.fromhex, trees.CT_LEAVES)))
    assert tuple(tree.root(size).hex() for size in range(1, 9)) == trees.CT_ROOTS
    assert tree.root(0) == EMPTY_ROOT


def test_every_leaf_of_every_tree_below_300_is_proven() -> None:
    for size in range(1, MOST):
        for index in range(size):
            verify_inclusion(TREE.leaves[index], index, size, TREE.inclusion(index, size), root=ROOTS[size])


def test_no_proof_holds_for_another_leaf_place_size_or_root() -> None:
    chance = random.Random(7)
    for size in range(2, MOST):
        index = chance.randrange(size)
        other = chance.choice([each for each in range(size) if each != index])
        path, root = TREE.inclusion(index, size), ROOTS[size]
        assert _refused(TREE.leaves[other], index, size, path, root)
        assert _refused(TREE.leaves[index], other, size, path, root)
        for wrong in {size - 1, size + 1, chance.randrange(index + 1, MOST)} - {size}:
            assert _refused(TREE.leaves[index], index, wrong, path, ROOTS[wrong])
            assert _refused(TREE.leaves[index], index, size, path, ROOTS[wrong])
        assert _refused(TREE.leaves[index], index, size, path[:-1], root)
        assert _refused(TREE.leaves[index], index, size, (*path, root), root)
        assert _refused(TREE.leaves[index], index, size, (root, *path), root)


def test_in_small_trees_no_proof_holds_anywhere_but_in_its_place() -> None:
    for size in range(1, 12):
        for index in range(size):
            path = TREE.inclusion(index, size)
            held = [
                (leaf, place, of)
                for of in range(1, 12)
                for place in range(of)
                for leaf in range(12)
                if not _refused(TREE.leaves[leaf], place, of, path, ROOTS[of])
            ]
            assert held == [(index, index, size)]


def test_every_tree_below_300_begins_every_later_one() -> None:
    for new in range(1, MOST):
        for old in {0, 1, new // 3, new // 2, new - 1, new, *(2**n for n in range(9) if 2**n <= new)}:
            verify_consistency(old, new, TREE.consistency(old, new), old_root=ROOTS[old], new_root=ROOTS[new])


def test_no_consistency_holds_between_other_trees() -> None:
    chance = random.Random(11)
    for new in range(2, MOST):
        old = chance.randrange(1, new)
        path = TREE.consistency(old, new)
        assert not _inconsistent(old, new, path, ROOTS[old], ROOTS[new])
        for wrong in {old - 1, old + 1, chance.randrange(1, MOST)} - {old, new}:
            assert _inconsistent(old, new, path, ROOTS[wrong], ROOTS[new])
            assert _inconsistent(old, new, path, ROOTS[old], ROOTS[wrong])
            assert _inconsistent(wrong, new, path, ROOTS[wrong], ROOTS[new])
        assert _inconsistent(old, new, path[:-1], ROOTS[old], ROOTS[new])
        assert _inconsistent(old, new, (*path, path[0]), ROOTS[old], ROOTS[new])


def test_a_rewritten_leaf_breaks_the_consistency_with_what_was_seen() -> None:
    entries = tuple(trees.entry(each) for each in range(40))
    rewritten = trees.Tree((*entries[:5], b"another", *entries[6:]))
    path = rewritten.consistency(17, 40)
    assert _inconsistent(17, 40, path, ROOTS[17], rewritten.root(40))


def test_the_empty_tree_begins_all_and_nothing_begins_it() -> None:
    verify_consistency(0, 7, (), old_root=EMPTY_ROOT, new_root=ROOTS[7])
    verify_consistency(0, 0, (), old_root=EMPTY_ROOT, new_root=EMPTY_ROOT)
    assert _inconsistent(0, 0, (), EMPTY_ROOT, ROOTS[7])
    assert _inconsistent(0, 7, (ROOTS[7],), EMPTY_ROOT, ROOTS[7])
    assert _inconsistent(0, 7, (), ROOTS[1], ROOTS[7])
    assert _inconsistent(7, 0, (), ROOTS[7], EMPTY_ROOT)
    assert _inconsistent(7, 7, (), ROOTS[7], ROOTS[6])
    assert _inconsistent(6, 7, (), ROOTS[6], ROOTS[7])


@pytest.mark.parametrize("hash_", [b"", b"\x00" * 31, b"\x00" * 33])
def test_a_hash_of_another_length_is_refused(hash_: bytes) -> None:
    path = TREE.inclusion(3, 8)
    assert _refused(TREE.leaves[3], 3, 8, (hash_, *path[1:]), ROOTS[8])
    assert _refused(TREE.leaves[3], 3, 8, path, hash_)
    assert _inconsistent(3, 8, (hash_,), ROOTS[3], ROOTS[8])


@pytest.mark.parametrize(("index", "size"), [(-1, 4), (4, 4), (0, 0), (5, 2**53 + 1)])
def test_there_is_no_proof_of_a_leaf_that_is_not_there(index: int, size: int) -> None:
    assert _refused(TREE.leaves[0], index, size, (), TREE.leaves[0])


@given(st.integers(0, 10**6), st.integers(0, 10**6))
def test_a_cover_is_whole_and_has_no_overlap(one: int, other: int) -> None:
    start, end = sorted((one, other))
    place = start
    for level, index in merkle.cover(start, end):
        assert index << level == place
        place += 1 << level
    assert place == end


@given(st.integers(0, 299), st.integers(0, 299))
def test_a_tree_that_grew_in_two_steps_is_the_same(one: int, other: int) -> None:
    first, whole = sorted((one, other))
    peaks = merkle.grow(first, merkle.grow(0, (), TREE.leaves[:first]), TREE.leaves[first:whole])
    assert peaks == tuple(subtrees.of(TREE.leaves[:whole])[each] for each in merkle.cover(0, whole))
    assert merkle.fold(peaks) == ROOTS[whole]


@given(st.integers(0, 260), st.integers(1, 39))
def test_each_new_leaf_is_proven_by_what_the_tree_was_before_and_the_new_leaves(before: int, more: int) -> None:
    size = before + more
    peaks = merkle.grow(0, (), TREE.leaves[:before])
    grown = merkle.Grown(before, peaks, TREE.leaves[before:size])
    for index in range(before, size):
        assert merkle.inclusion(index, size, grown) == TREE.inclusion(index, size)


def test_what_lies_deep_in_the_tree_of_before_is_not_known_to_one_that_grew() -> None:
    grown = merkle.Grown(8, merkle.grow(0, (), TREE.leaves[:8]), TREE.leaves[8:9])
    with pytest.raises(KeyError):
        merkle.inclusion(3, 9, grown)
