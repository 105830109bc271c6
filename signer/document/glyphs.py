"""Which characters the fonts of the page can print; asked when text is entered, never first when it is sealed."""

from __future__ import annotations

import unicodedata
from functools import cache
from typing import TYPE_CHECKING

from fontTools.ttLib import TTFont

from signer.document import fonts

if TYPE_CHECKING:
    from collections.abc import Iterator


def uncovered(text: str) -> str:
    """
    Return the first character that cannot be printed, or ''.

    A letter and the marks on it are printed by one font or not at all, so a mark counts as uncovered
    where no font has both.
    """
    covers = _covers()
    if any(cover.issuperset(text) for cover in covers):
        return ""
    for letters in _clusters(text):
        if not any(cover.issuperset(letters) for cover in covers):
            return next((char for char in letters if not any(char in cover for cover in covers)), letters[-1])
    return ""


def _clusters(text: str) -> Iterator[str]:
    start = 0
    for place in range(1, len(text) + 1):
        if place == len(text) or not unicodedata.category(text[place]).startswith("M"):
            yield text[start:place]
            start = place


@cache
def _covers() -> tuple[frozenset[str], ...]:
    """Return what each font has a glyph for, in the order in which the fonts are asked."""
    return tuple(_cover(face) for face in fonts.FACES)


def _cover(face: fonts.Face) -> frozenset[str]:
    with TTFont(face.path, fontNumber=face.index, lazy=True) as font:
        points: dict[int, str] = font.getBestCmap()
        return frozenset(map(chr, points))
