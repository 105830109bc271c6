"""The value of a genuine seal is put into another genuine file."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from genuine import Genuine


def make(genuine: Genuine) -> Iterator[bytes]:
    other = genuine.other.pdf
    start, end = genuine.gap
    value = genuine.pdf[start:end]
    at = other.index(b"/Contents <") + len(b"/Contents <")
    room = other.index(b">", at) - at
    yield other[:at] + value[:room].ljust(room, b"0") + other[at + room :]
