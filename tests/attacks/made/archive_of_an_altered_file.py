"""A sealed file is altered first, and then archived by a listed authority."""

from __future__ import annotations

from typing import TYPE_CHECKING

from appended import appended

if TYPE_CHECKING:
    from collections.abc import Iterator

    from genuine import Genuine


def make(genuine: Genuine) -> Iterator[bytes]:
    place = genuine.pdf.index(b"/MediaBox") + 14
    flipped = genuine.flipped(place)
    yield appended(genuine, lambda _: None, file=flipped)
