"""A row is painted over in an appended revision whose table is a stream, or hidden in one beside a plain table."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from spliced import body, painted, places, stream, streamed, table, trailer, written

if TYPE_CHECKING:
    from collections.abc import Iterator

    from genuine import Genuine


def make(genuine: Genuine) -> Iterator[bytes]:
    file = genuine.pdf
    at = places(file)
    over = painted(file, at, at.size)
    root = body(file, at.root)
    yield streamed(file, over)
    yield streamed(file, over, packed=True)
    yield streamed(file, {**over, at.root: root}, packed=True)
    yield streamed(file, {at.info: b"<< /Title (another) >>"}, packed=True)
    signature = body(file, at.signature)
    yield streamed(file, {**over, at.signature: signature}, packed=True)
    what, found = written(over, at=len(file))
    rows = b"".join(struct.pack(">BIH", 1, found[number], 0) for number in sorted(found))
    index = b" ".join(b"%d 1" % number for number in sorted(found))
    hidden = stream(rows, b"/Type /XRef /W [1 4 2] /Index [ %b ] /Size %d /Root %d 0 R" % (index, at.size + 2, at.root))
    hidden_at = len(file) + len(what)
    beside = b"%d 0 obj\n%b\nendobj\n" % (at.size + 1, hidden)
    end = b"startxref\n%d\n%%%%EOF\n" % (hidden_at + len(beside))
    for plain in ({}, {at.size + 1: hidden_at}, {at.page: found[at.page]}):
        yield file + what + beside + table(plain) + trailer(at, found, more=b"/XRefStm %d " % hidden_at) + end
    yield file + what + beside + trailer(at, found, more=b"/XRefStm %d " % hidden_at) + end
