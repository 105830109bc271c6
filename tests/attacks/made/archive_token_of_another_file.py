"""The timestamp of an archive revision is a good one, over something else."""

from __future__ import annotations

from typing import TYPE_CHECKING

from appended import extended

if TYPE_CHECKING:
    from collections.abc import Iterator

    from genuine import Genuine


def make(genuine: Genuine) -> Iterator[bytes]:
    stamper = genuine.ours.timestamper(genuine.trust)
    pdf = extended(genuine, genuine.pdf, 0)
    start = pdf.rindex(b"/Contents <") + len(b"/Contents <")
    token = stamper.stamp(b"something else", intended_at=genuine.world.at).token.hex().upper().encode()
    end = pdf.index(b">", start)
    yield pdf[:start] + token.ljust(end - start, b"0") + pdf[end:]
