"""The byte range is moved, widened, doubled, or made to reach beyond the file."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from genuine import Genuine


def make(genuine: Genuine) -> Iterator[bytes]:
    found = re.search(rb"/ByteRange ?\[[0-9 ]+\]", genuine.pdf)
    assert found is not None
    start, end = (place + shift for place, shift in zip(genuine.gap, (-1, 1), strict=True))
    rest = len(genuine.pdf) - end
    ranges = (
        (0, start, end, rest - 1),
        (0, start, end, rest + 10),
        (0, start - 30, end, rest),
        (0, start, end + 30, rest - 30),
        (1, start - 1, end, rest),
        (0, start, start, rest),
        (0, 10, 10, start - 10, end, rest),
        (0, start),
    )
    for one in ranges:
        told = b"/ByteRange [%b]" % b" ".join(b"%d" % number for number in one)
        room = found.end() - found.start()
        yield genuine.pdf[: found.start()] + told.ljust(room)[: max(room, len(told))] + genuine.pdf[found.end() :]
    yield genuine.pdf.replace(b"/ByteRange", b"/ByteRangX")
