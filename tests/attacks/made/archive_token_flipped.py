"""A bit of an archive timestamp is flipped, wherever it stands."""

from __future__ import annotations

from typing import TYPE_CHECKING

from appended import extended

if TYPE_CHECKING:
    from collections.abc import Iterator

    from genuine import Genuine


def make(genuine: Genuine) -> Iterator[bytes]:
    pdf = extended(genuine, genuine.pdf, 0)
    start = pdf.rindex(b"/Contents <") + len(b"/Contents <")
    end = len(pdf[start : pdf.index(b">", start)].rstrip(b"0"))
    for place in range(start, start + end, 613):
        for digit in (b"0", b"F"):
            if pdf[place : place + 1] != digit:
                yield pdf[:place] + digit + pdf[place + 1 :]
