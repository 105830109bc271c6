"""The end is missing, or the middle, or all but the seal."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from genuine import Genuine


def make(genuine: Genuine) -> Iterator[bytes]:
    start, end = genuine.gap
    for first, last in ((9, 5000), (5000, 6000), (start - 2000, start - 1), (end + 1, len(genuine.pdf) - 100)):
        yield genuine.pdf[:first] + genuine.pdf[last:]
    yield genuine.pdf[:9] + genuine.pdf[start - 200 :]
    for length in (1, 7, 200, len(genuine.pdf) // 2):
        yield genuine.pdf[:-length]
