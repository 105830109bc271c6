"""The first bytes are no longer those of a PDF."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from genuine import Genuine


def make(genuine: Genuine) -> Iterator[bytes]:
    yield genuine.flipped(0)
    yield b"\n" + genuine.pdf
    yield b"MZ" + genuine.pdf
