"""
Tiles: a tree's hashes in files of 256, under addresses that never change their content.

Source: C2SP tlog-tiles (tile height 8).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from signer.errors import InvalidInput
from signer.transparency.merkle import DIGEST_BYTES, MOST_LEAVES, Subtree, fold

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

HEIGHT: Final = 8
WIDTH: Final = 1 << HEIGHT
MOST_ENTRY_BYTES: Final = 0xFFFF
_ADDRESS: Final = re.compile(
    r"tile/(?P<level>entries|0|[1-9][0-9]?)/(?P<number>(?:x[0-9]{3}/){0,5}[0-9]{3})(?:\.p/(?P<width>[1-9][0-9]{0,2}))?"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tile:
    """
    `width` hashes (256, or fewer at the right edge) of level 8 * `level`, from index 256 * `number` on.

    Without a level it holds the entries of those leaves themselves.
    """

    level: int | None
    number: int
    width: int = WIDTH

    @property
    def address(self) -> str:
        """Where it is served, below the log's prefix."""
        level = "entries" if self.level is None else self.level
        return f"tile/{level}/{_elements(self.number)}" + ("" if self.width == WIDTH else f".p/{self.width}")

    @property
    def subtrees(self) -> tuple[Subtree, ...]:
        """The subtrees whose hashes it holds, in their order; of a tile of entries, its leaves."""
        start, level = self.number * WIDTH, HEIGHT * (self.level or 0)
        return tuple(Subtree(level, index) for index in range(start, start + self.width))


def parse(address: str) -> Tile:
    """Return the tile of an address, in the one form that it has. Raises InvalidInput."""
    found = _ADDRESS.fullmatch(address)
    if found is None:
        raise InvalidInput("tile", "is no address of a tile")
    level = None if found["level"] == "entries" else int(found["level"])
    number = int(re.sub("[x/]", "", found["number"]))
    tile = Tile(level=level, number=number, width=int(found["width"] or WIDTH))
    if tile.width > WIDTH or (level or 0) > 63 or tile.address != address:
        raise InvalidInput("tile", "is not written as a tile's address is")
    return tile


def of_tree(size: int, *, since: int = 0) -> Iterator[Tile]:
    """Yield the tiles of hashes and of entries that a tree has and the one of `since` leaves had not."""
    for level in (None, *range(64)):
        now, before = size >> HEIGHT * (level or 0), since >> HEIGHT * (level or 0)
        if not now:
            return
        if now > before:
            for number in range(before // WIDTH, -(-now // WIDTH)):
                yield Tile(level=level, number=number, width=min(WIDTH, now - number * WIDTH))


def holding(subtree: Subtree, size: int) -> tuple[Tile, int, int]:
    """Return the tile from which a subtree's hash is made in a tree of that size, and from which to which member."""
    level, above = divmod(subtree.level, HEIGHT)
    first = subtree.place << above
    number, offset = divmod(first, WIDTH)
    width = min(WIDTH, (size >> HEIGHT * level) - number * WIDTH)
    if offset + (1 << above) > width:
        raise ValueError(f"there is no complete {subtree} in a tree of {size}")
    return Tile(level=level, number=number, width=width), offset, offset + (1 << above)


class Hashes:
    """The complete subtrees of a tree of `size` leaves, read from its tiles; each tile is asked for once."""

    def __init__(self, size: int, read: Callable[[Tile], bytes]) -> None:
        self._size = size
        self._read = read
        self._kept: dict[Tile, bytes] = {}

    def __call__(self, subtree: Subtree) -> bytes:
        """Return a subtree's hash. Raises InvalidInput if its tile has the wrong length."""
        tile, start, end = holding(subtree, self._size)
        data = self._kept.get(tile)
        if data is None:
            data = self._kept[tile] = self._read(tile)
            if len(data) != tile.width * DIGEST_BYTES:
                raise InvalidInput("tile", f"{tile.address} has {len(data)} bytes")
        hashes = [data[place * DIGEST_BYTES : (place + 1) * DIGEST_BYTES] for place in range(start, end)]
        while len(hashes) > 1:
            hashes = [fold(hashes[place : place + 2]) for place in range(0, len(hashes), 2)]
        return hashes[0]


def pack(entries: Sequence[bytes]) -> bytes:
    """Return the bytes of a tile of entries: each after its length in two bytes, big-endian."""
    return b"".join(len(entry).to_bytes(2, "big") + entry for entry in entries)


def unpack(data: bytes, *, width: int) -> tuple[bytes, ...]:
    """Return the entries of a tile of that width. Raises InvalidInput if it does not hold exactly so many."""
    found: list[bytes] = []
    place = 0
    while place < len(data) and len(found) < width:
        end = place + 2 + int.from_bytes(data[place : place + 2], "big")
        found.append(data[place + 2 : end])
        place = end
    if place != len(data) or len(found) != width:
        raise InvalidInput("tile", f"does not hold {width} entries")
    return tuple(found)


def _elements(number: int) -> str:
    if not 0 <= number < MOST_LEAVES:
        raise ValueError(f"no tile has the number {number}")
    digits = f"{number:d}"
    padded = digits.zfill(-(-len(digits) // 3) * 3)
    groups = [padded[place : place + 3] for place in range(0, len(padded), 3)]
    return "/".join([*(f"x{group}" for group in groups[:-1]), groups[-1]])
