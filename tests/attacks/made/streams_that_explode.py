"""Streams of some kilobytes that decode to hundreds of megabytes, wherever a reader must decode one."""

from __future__ import annotations

import re
import struct
import zlib
from typing import TYPE_CHECKING

from spliced import catalogue, places, stream, updated

if TYPE_CHECKING:
    from collections.abc import Iterator

    from genuine import Genuine
    from spliced import Places


MUCH = 70_000_000


def make(genuine: Genuine) -> Iterator[bytes]:
    file = genuine.pdf
    at = places(file)
    zeros = zlib.compress(bytes(MUCH), 9)
    twice = zlib.compress(zeros, 9)
    rows = zlib.compress((b"\x02" + bytes(99)) * 200_000, 9)
    ascii85 = b"z" * 250_000 + b"~>"
    kinds = (
        (zeros, b"/Filter /FlateDecode"),
        (twice, b"/Filter [ /FlateDecode /FlateDecode ]"),
        (zlib.compress(twice), b"/Filter [ /FlateDecode /FlateDecode /FlateDecode ]"),
        (rows, b"/Filter /FlateDecode /DecodeParms << /Predictor 12 /Columns 99 >>"),
        (ascii85, b"/Filter /ASCII85Decode"),
        (zlib.compress(ascii85), b"/Filter [ /FlateDecode /ASCII85Decode ]"),
        (b"00" * 500_000 + b">", b"/Filter /ASCIIHexDecode"),
        (b"78" * 40, b"/Filter [ %b ]" % (b"/ASCIIHexDecode " * 100)),
        (b"\x80\x0b\x60\x50", b"/Filter /LZWDecode"),
        (b"\x00" * 40, b"/Filter [ /JBIG2Decode /JPXDecode /DCTDecode /CCITTFaxDecode /RunLengthDecode ]"),
        (zeros, b"/Filter /Crypt"),
    )
    for data, about in kinds:
        held = stream(data, about)
        yield updated(file, {at.root: catalogue(file, at, {b"Metadata": b"%d 0 R" % at.size}), at.size: held})
    for data, about in kinds[:6]:
        yield updated(file, {_embedded(file): stream(data, b"/Type /EmbeddedFile " + about)})
        yield _in_object_stream(file, at, data, about)


def _embedded(file: bytes) -> int:
    found = re.search(rb"/EF << /F (\d+) 0 R", file)
    assert found is not None
    return int(found[1])


def _in_object_stream(file: bytes, at: Places, data: bytes, about: bytes) -> bytes:
    """Say, in a stream of cross-references, that the catalogue stands in a stream that explodes."""
    held = b"%d 0 obj\n%b\nendobj\n" % (at.size, stream(data, b"/Type /ObjStm /N 1 /First 9 " + about))
    rows = struct.pack(">BIHBIHBIH", 2, at.size, 0, 1, len(file), 0, 1, len(file) + len(held), 0)
    named = b"/Type /XRef /W [1 4 2] /Index [ %d 1 %d 2 ] /Size %d /Root %d 0 R /Prev %d"
    table = stream(rows, named % (at.root, at.size, at.size + 2, at.root, at.table_at))
    end = b"startxref\n%d\n%%%%EOF\n" % (len(file) + len(held))
    return file + held + b"%d 0 obj\n%b\nendobj\n" % (at.size + 1, table) + end
