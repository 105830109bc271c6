"""The value of the seal in lower case: the same bytes to every reader."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from genuine import Genuine


def make(genuine: Genuine) -> Iterator[bytes]:
    start, end = genuine.gap
    yield genuine.pdf[:start] + genuine.pdf[start:end].lower() + genuine.pdf[end:]
    yield genuine.pdf[:start] + genuine.pdf[start:end].replace(b"A", b"a", 1) + genuine.pdf[end:]
