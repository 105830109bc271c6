"""What follows the value in /Contents is not only zeros."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from genuine import Genuine


def make(genuine: Genuine) -> Iterator[bytes]:
    _, end = genuine.gap
    yield genuine.pdf[: end - 1] + b"1" + genuine.pdf[end:]
    yield genuine.pdf[: end - 8] + b"DEADBEEF" + genuine.pdf[end:]
