"""Tiles stand under the addresses of C2SP tlog-tiles, and a tree read from them is the same tree."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signer.errors import InvalidInput
from signer.transparency import merkle, tiles
from signer.transparency.merkle import Subtree
from signer.transparency.tiles import Tile
from tests.unit.transparency import trees

SIZE = 600
TREE = trees.of(SIZE)


def test_an_address_is_written_in_elements_of_three_digits() -> None:
    assert Tile(level=0, number=1234067).address == "tile/0/x001/x234/067"
    assert Tile(level=2, number=0, width=1).address == "tile/2/000.p/1"
    assert Tile(level=None, number=999, width=255).address == "tile/entries/999.p/255"
    assert Tile(level=None, number=1000).address == "tile/entries/x001/000"


@given(st.none() | st.integers(0, 63), st.integers(0, 10**15), st.integers(1, 256))
def test_an_address_reads_back(level: int | None, number: int, width: int) -> None:
    tile = Tile(level=level, number=number, width=width)
    assert tiles.parse(tile.address) == tile


@pytest.mark.parametrize(
    "address",
    ["", "tile/0/1", "tile/00/001", "tile/64/001", "tile/0/x000/001", "tile/0/001.p/0", "tile/0/001.p/256",
     "tile/0/001.p/01", "tile/0/001/", "tile/0/x001", "tile/0/001\n", "/tile/0/001", "tile/data/001",
     "tile/0/\u0661\u0661\u0661", "tile/0/../001", "tile/0/1234"],
)  # fmt: skip
def test_nothing_else_is_an_address(address: str) -> None:
    with pytest.raises(InvalidInput):
        tiles.parse(address)


def test_a_tree_of_70000_has_the_tiles_of_the_specification() -> None:
    found = [tile for tile in tiles.of_tree(70_000) if tile.level is not None]
    full = [(tile.level, tile.width) for tile in found if tile.width == tiles.WIDTH]
    partial = {(tile.level, tile.width) for tile in found if tile.width < tiles.WIDTH}
    assert full.count((0, 256)) == 273
    assert full.count((1, 256)) == 1
    assert partial == {(0, 112), (1, 17), (2, 1)}


def test_a_tree_of_256_has_one_full_tile_and_one_of_one_hash_above() -> None:
    found = {tile.address for tile in tiles.of_tree(256)}
    assert found == {"tile/entries/000", "tile/0/000", "tile/1/000.p/1"}


@given(st.integers(0, SIZE), st.integers(0, SIZE))
def test_what_came_since_is_what_is_new(one: int, other: int) -> None:
    since, size = sorted((one, other))
    new = set(tiles.of_tree(size, since=since))
    assert new >= set(tiles.of_tree(size)) - set(tiles.of_tree(since))
    assert new <= set(tiles.of_tree(size))


@given(st.integers(1, SIZE), st.data())
def test_a_tree_read_from_tiles_proves_the_same(size: int, data: st.DataObject) -> None:
    kept = {tile.address: b"".join(map(TREE.hashes.__getitem__, tile.subtrees)) for tile in tiles.of_tree(size)}
    read = tiles.Hashes(size, lambda tile: kept[tile.address])
    index, old = data.draw(st.integers(0, size - 1)), data.draw(st.integers(0, size))
    assert merkle.root(size, read) == TREE.root(size)
    assert merkle.inclusion(index, size, read) == TREE.inclusion(index, size)
    assert merkle.consistency(old, size, read) == TREE.consistency(old, size)


def test_a_tile_of_the_wrong_length_is_refused() -> None:
    read = tiles.Hashes(300, lambda tile: bytes(tile.width * 32 - 1))
    with pytest.raises(InvalidInput, match="tile/0/000"):
        read(Subtree(0, 3))
    with pytest.raises(ValueError, match="complete"):
        read(Subtree(0, 300))


@given(st.lists(st.binary(max_size=300), min_size=1, max_size=9))
def test_entries_read_back_and_no_other_number_of_them(entries: list[bytes]) -> None:
    packed = tiles.pack(entries)
    assert tiles.unpack(packed, width=len(entries)) == tuple(entries)
    for data, width in ((packed[:-1], len(entries)), (packed + b"\0", len(entries)), (packed, len(entries) + 1)):
        with pytest.raises(InvalidInput):
            tiles.unpack(data, width=width)
