"""2,000 revisions that change nothing, each with its end, or all but the last without."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spliced import places, trailer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from genuine import Genuine


def make(genuine: Genuine) -> Iterator[bytes]:
    at = places(genuine.pdf)
    for ending in (b"startxref\n%d\n%%%%EOF\n", b"%% %d\n"):
        out, prev = bytearray(genuine.pdf), at.table_at
        for _ in range(2000):
            here = len(out)
            out += b"xref\n0 1\n0000000000 65535 f \n" + trailer(at, [], prev=prev) + ending % here
            prev = here
        yield bytes(out) + b"startxref\n%d\n%%%%EOF\n" % prev
