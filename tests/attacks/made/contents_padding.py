"""What follows the value in /Contents is not only zeros, or is a second value, or not as much as was sealed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from forged import value

if TYPE_CHECKING:
    from collections.abc import Iterator

    from genuine import Genuine


def make(genuine: Genuine) -> Iterator[bytes]:
    _, end = genuine.gap
    yield genuine.pdf[: end - 1] + b"1" + genuine.pdf[end:]
    yield genuine.pdf[: end - 8] + b"DEADBEEF" + genuine.pdf[end:]
    start, _ = genuine.gap
    used = start + len(value(genuine).hex())
    yield genuine.pdf[:used] + b"05" + genuine.pdf[used + 2 :]
    yield genuine.pdf[:used] + b"3003020105" + genuine.pdf[used + 10 :]
    yield genuine.pdf[: end - 2] + genuine.pdf[end:]
    yield genuine.pdf[:end] + b"00" + genuine.pdf[end:]
