"""The value of the seal in lower case, with blanks, or a digit short: the same bytes to every reader."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from genuine import Genuine


def make(genuine: Genuine) -> Iterator[bytes]:
    start, end = genuine.gap
    yield genuine.pdf[:start] + genuine.pdf[start:end].lower() + genuine.pdf[end:]
    yield genuine.pdf[:start] + genuine.pdf[start:end].replace(b"A", b"a", 1) + genuine.pdf[end:]
    digits = genuine.pdf[start:end]
    for blank in (b" ", b"\n", b"\0", b"  "):
        yield genuine.pdf[:start] + digits[:100] + blank + digits[100 : -len(blank)] + genuine.pdf[end:]
        yield genuine.pdf[:start] + digits[: -len(blank)] + blank + genuine.pdf[end:]
    yield genuine.pdf[: end - 1] + b">" + genuine.pdf[end:]
