"""Arrays and dictionaries nested without end."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from genuine import Genuine


def make(genuine: Genuine) -> Iterator[bytes]:
    for opened in (b"[" * 20_000, b"<<" * 20_000, b"[<</K " * 8_000):
        yield genuine.pdf.replace(b"/Type /Catalog", b"/Type /Catalog /X " + opened, 1)
        yield genuine.pdf + b"1 0 obj " + opened + b"\nendobj\nstartxref\n0\n%%EOF\n"
