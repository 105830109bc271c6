"""Thousands of revisions, each pointing at the last."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from genuine import Genuine


def make(genuine: Genuine) -> Iterator[bytes]:
    yield genuine.pdf + b"startxref\n0\n%%EOF\n" * 5000
    yield genuine.pdf.replace(b"startxref", b"startxref " * 40)
