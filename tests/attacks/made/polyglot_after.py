"""The sealed file goes on as another kind of file: an archive, a page of the web, a picture, a programme."""

from __future__ import annotations

import io
import zipfile
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from genuine import Genuine


def make(genuine: Genuine) -> Iterator[bytes]:
    out = io.BytesIO(genuine.pdf)
    with zipfile.ZipFile(out, "a") as archive:
        archive.writestr("another.pdf", b"%PDF-1.7 another")
    yield out.getvalue()
    yield genuine.pdf + b"<html><script>alert(1)</script></html>\n%%EOF\n"
    yield genuine.pdf + b"\xff\xd8\xff\xe0" + bytes(200) + b"\xff\xd9"
    yield genuine.pdf + b"#!/bin/sh\nexit 0\n%%EOF"
    yield genuine.pdf[:9] + b"%\xff\xd8\xff\xfe<html>\n" + genuine.pdf[9:]
