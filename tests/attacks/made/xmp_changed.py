"""The XMP metadata are replaced by an appended revision: another, the same number written anew, on a page, or none."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pyhanko.pdf_utils import generic
from spliced import body, catalogue, places, stream, updated

if TYPE_CHECKING:
    from collections.abc import Iterator

    from genuine import Genuine
    from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter


def make(genuine: Genuine) -> Iterator[bytes]:
    def change(writer: IncrementalPdfFileWriter) -> None:
        writer.root[generic.pdf_name("/Metadata")] = writer.add_object(generic.StreamObject(stream_data=b"<x/>"))
        writer.update_root()

    yield genuine.updated(change)
    file = genuine.pdf
    at = places(file)
    root = body(file, at.root)
    named = re.search(rb"/Metadata (\d+) 0 R", root)
    assert named is not None
    other = stream(b"<x/>", b"/Type /Metadata /Subtype /XML")
    yield updated(file, {int(named[1]): other})
    yield updated(file, {int(named[1]): b"null"})
    yield updated(file, {at.root: root.replace(named.group(), b"")})
    yield updated(file, {at.root: catalogue(file, at, {b"Metadata": b"%d 0 R" % at.size}), at.size: other})
    page = body(file, at.page)[:-2] + b"/Metadata %d 0 R >>" % at.size
    yield updated(file, {at.page: page, at.size: other})
