"""A bit of an archive revision is flipped, wherever it stands but in the token."""

from __future__ import annotations

from typing import TYPE_CHECKING

from appended import extended

if TYPE_CHECKING:
    from collections.abc import Iterator

    from genuine import Genuine


def make(genuine: Genuine) -> Iterator[bytes]:
    pdf = extended(genuine, genuine.pdf, 0)
    start = pdf.rindex(b"/Contents <")
    end = pdf.index(b">", start)
    hidden = pdf.rindex(b"/AcroForm") + 1
    places = [hidden, *range(len(genuine.pdf), start, 331), *range(end, len(pdf), 61)]
    for place in places:
        yield pdf[:place] + bytes((pdf[place] ^ 1,)) + pdf[place + 1 :]
