"""Tables and streams of cross-references that speak of very many objects in few bytes, or nonsense."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

from spliced import places, stream, trailer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from genuine import Genuine


WIDTHS = (
    b"[1 4 2]",
    b"[0 0 0]",
    b"[1 99999 2]",
    b"[-1 4 2]",
    b"[1 4]",
    b"[1 4 2 9]",
    b"null",
    b"[1 (4) 2]",
    b"[9 9 9]",
)
INDEXES = (b"[0 %d]", b"[0 99999 0 99999 0 99999]", b"[-5 9]", b"[99999 99999999]", b"null", b"[0]", b"(a)")


def make(genuine: Genuine) -> Iterator[bytes]:
    file = genuine.pdf
    at = places(file)
    end = b"startxref\n%d\n%%%%EOF\n" % len(file)
    sections = (b"0 99999\n", b"0 999999999\n", b"0 1\n" * 50_000, b"99999999 1\n0000000000 00000 n \n", b"0 -1\n")
    for section in sections:
        yield file + b"xref\n" + section + trailer(at, []) + end
    entry = b"0000000000 65535 f \n"
    yield file + b"xref\n0 99999\n" + entry * 99_999 + trailer(at, []) + end
    zeros = zlib.compress(bytes(30_000_000), 9)
    for widths, index in (*((width, INDEXES[0] % 99_999) for width in WIDTHS), *((WIDTHS[0], one) for one in INDEXES)):
        named = b"/Type /XRef /Filter /FlateDecode /W %b /Index %b /Size %d /Root %d 0 R /Prev %d" % (
            widths,
            index.replace(b"%d", b"99999"),
            99_999,
            at.root,
            at.table_at,
        )
        yield file + b"%d 0 obj\n%b\nendobj\n" % (at.size, stream(zeros, named)) + end
    named = b"/Type /XRef /Filter /FlateDecode /W [1 2 1] /Size 99999 /Root %d 0 R /Prev %d" % (at.root, at.table_at)
    packed = zlib.compress(b"\x00\x00\x00\x00" * 99_999, 9)
    yield file + b"%d 0 obj\n%b\nendobj\n" % (at.size, stream(packed, named)) + end
    hybrid = trailer(at, [], more=b"/XRefStm %d " % (len(file) - 700))
    yield file + b"xref\n0 1\n" + entry + hybrid + end
