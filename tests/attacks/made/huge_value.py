"""A seal of a megabyte, and a stream that promises 200 MB."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from genuine import Genuine


def make(genuine: Genuine) -> Iterator[bytes]:
    start, _ = genuine.gap
    yield genuine.pdf[:start] + b"0" * 1_000_000 + genuine.pdf[start:]
    bomb = zlib.compress(bytes(200_000_000), 9)
    told = b"<</Type /Metadata /Filter /FlateDecode /Length %d>>\nstream\n%b\nendstream" % (len(bomb), bomb)
    yield genuine.pdf + b"\n99 0 obj\n" + told + b"\nendobj\nstartxref\n0\n%%EOF\n"
