"""Something stands before the sealed file, behind a header of its own: a line, a page, the same file once more."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pki import blank_pdf

if TYPE_CHECKING:
    from collections.abc import Iterator

    from genuine import Genuine


def make(genuine: Genuine) -> Iterator[bytes]:
    yield b"%PDF-1.7\n" + genuine.pdf
    yield b"%PDF-2.0\n%" + b"x" * 500 + b"\n" + genuine.pdf
    yield blank_pdf() + genuine.pdf
    yield genuine.page + genuine.pdf
    yield genuine.pdf + genuine.pdf
    yield genuine.pdf[:9] + b"\n" + genuine.pdf[9:]
