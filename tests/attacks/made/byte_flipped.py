"""One bit changed, in each region of the file."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from genuine import Genuine


def make(genuine: Genuine) -> Iterator[bytes]:
    start, end = genuine.gap
    body = genuine.pdf.index(b"startxref")
    used = start + len(genuine.pdf[start:end].rstrip(b"0"))
    ranged = genuine.pdf.index(b"/ByteRange") + 12
    places = {
        "version": 7,
        "body": body // 2,
        "first cross-reference": body - 200,
        "byte range": ranged,
        "value": (start + used) // 2,
        "padding": end - 1,
        "after the value": end + 40,
        "last trailer": len(genuine.pdf) - 40,
        "end": len(genuine.pdf) - 3,
    }
    for place in places.values():
        yield genuine.flipped(place)
        yield genuine.flipped(place, bit=0x20)
