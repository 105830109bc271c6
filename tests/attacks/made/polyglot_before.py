"""Another kind of file begins, and the sealed one follows in it."""

from __future__ import annotations

import io
import zipfile
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from genuine import Genuine


def make(genuine: Genuine) -> Iterator[bytes]:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("confirmation.pdf", genuine.pdf)
    yield out.getvalue()
    yield b"<!DOCTYPE html><html><body><!--\n" + genuine.pdf + b"\n--></body></html>"
    yield b"\xff\xd8\xff\xfe\xff\xff" + genuine.pdf + b"\xff\xd9"
    yield b"GIF89a" + genuine.pdf
    yield b"\x89PNG\r\n\x1a\n" + genuine.pdf
    yield b"#!/bin/sh\nexit 0\n" + genuine.pdf
    yield b"\xef\xbb\xbf" + genuine.pdf
    yield b"\x00" * 1000 + genuine.pdf
