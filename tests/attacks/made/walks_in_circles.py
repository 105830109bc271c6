"""Pages, fields, names, outlines, tables, lengths and references that lead back to where they began."""

from __future__ import annotations

import re
import struct
from typing import TYPE_CHECKING

from spliced import body, catalogue, places, stream, table, trailer, updated

if TYPE_CHECKING:
    from collections.abc import Iterator

    from genuine import Genuine


def make(genuine: Genuine) -> Iterator[bytes]:
    file = genuine.pdf
    at = places(file)
    one = at.size
    pages = b"<< /Type /Pages /Count 1 /Kids [ %d 0 R ] /Parent %d 0 R >>" % (one, one)
    fan = b"<< /Type /Pages /Count 199 /Kids [ %b] >>" % (b"%d 0 R " % one * 50)
    names = b"<< /EmbeddedFiles << /Kids [ %d 0 R %d 0 R ] >> >>" % (one, one)
    leaf = b"<< /Names [ (confirmation.json) %d 0 R ] /Kids [ %d 0 R %d 0 R ] >>" % (one, one, one)
    field = b"<< /T (Seal) /Kids [ %d 0 R %d 0 R ] /Parent %d 0 R >>" % (one, one, one)
    reference, array, chain = b"%d 0 R" % one, b"[ %d 0 R ]" % one, b"<< /Next %d 0 R >>" % one
    circles: dict[bytes, tuple[bytes, bytes, bytes]] = {
        b"Pages": (reference, pages, fan),
        b"Names": (reference, leaf, array),
        b"Outlines": (reference, chain, leaf),
        b"Metadata": (reference, array, chain),
        b"StructTreeRoot": (reference, leaf, pages),
        b"DSS": (reference, array, leaf),
        b"AF": (reference, array, leaf),
    }
    for key, values in circles.items():
        named = names if key == b"Names" else reference
        for value in values:
            yield updated(file, {at.root: catalogue(file, at, {key: named}), one: value})
    yield updated(file, {at.root: catalogue(file, at, {b"Perms": b"<< /DocMDP %d 0 R >>" % one}), one: reference})
    for value in (field, b"%d 0 R" % one):
        form = re.sub(rb"/Fields \[[^]]*\]", b"/Fields [ %d 0 R ]" % one, body(file, at.root))
        yield updated(file, {at.root: form, one: value})
        yield updated(file, {at.field: value.replace(b"%d 0 R" % one, b"%d 0 R" % at.field)})
    yield updated(file, {at.root: b"%d 0 R" % at.root})
    yield updated(file, {at.signature: b"%d 0 R" % at.signature})
    length = b"<< /Length %d 0 R >>\nstream\nx\nendstream" % one
    yield updated(file, {at.root: catalogue(file, at, {b"Metadata": b"%d 0 R" % one}), one: length})
    here, end = len(file), b"startxref\n%d\n%%%%EOF\n" % len(file)
    yield file + table({}) + trailer(at, [], prev=here) + end
    yield file + table({}) + trailer(at, [], more=b"/XRefStm %d " % here) + end
    named = b"/Type /XRef /W [1 1 1] /Index [ 0 1 ] /Size %d /Root %d 0 R /Prev %d" % (one + 1, at.root, here)
    yield file + b"%d 0 obj\n%b\nendobj\n" % (one, stream(b"\0\0\0", named)) + end
    rows = struct.pack(">BIHBIHBIH", 2, one, 0, 2, one, 0, 1, here, 0)
    held = b"/Type /XRef /W [1 4 2] /Index [ %d 1 %d 2 ] /Size %d /Root %d 0 R /Prev %d" % (
        at.root,
        one,
        one + 2,
        at.root,
        at.table_at,
    )
    yield file + b"%d 0 obj\n%b\nendobj\n" % (one + 1, stream(rows, held)) + end
