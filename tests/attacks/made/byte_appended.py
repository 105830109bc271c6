"""A byte, a comment, or a whole archive after the end."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from genuine import Genuine


def make(genuine: Genuine) -> Iterator[bytes]:
    for more in (b"\n", b"\0", b"%hidden\n%%EOF\n", b"PK\x05\x06" + bytes(18)):
        yield genuine.pdf + more
