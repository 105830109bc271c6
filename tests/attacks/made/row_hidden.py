"""A revision is appended that paints over a row of the table: one more content, another, or another for all pages."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pyhanko.pdf_utils import generic
from spliced import PAINT, body, places, stream, updated

if TYPE_CHECKING:
    from collections.abc import Iterator

    from genuine import Genuine
    from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter


def make(genuine: Genuine) -> Iterator[bytes]:
    def hide(writer: IncrementalPdfFileWriter) -> None:
        page = writer.root["/Pages"]["/Kids"][0]
        over = generic.StreamObject(stream_data=b"q 1 1 1 rg 40 400 500 30 re f Q")
        contents = page["/Contents"]
        old = list(contents) if isinstance(contents, generic.ArrayObject) else [page.raw_get("/Contents")]
        page[generic.pdf_name("/Contents")] = generic.ArrayObject([*old, writer.add_object(over)])
        writer.update_container(page)

    yield genuine.updated(hide)
    file = genuine.pdf
    at = places(file)
    page, old = body(file, at.page), b"/Contents %d 0 R" % at.contents
    yield updated(file, {at.contents: stream(PAINT)})
    yield updated(file, {at.page: page.replace(old, b"/Contents %d 0 R" % at.size), at.size: stream(PAINT)})
    yield updated(file, {at.page: page.replace(old, b"")})
    for box in (b"MediaBox", b"CropBox"):
        cut = re.sub(rb"/%b \[[^]]*\]" % box, b"", page)[:-2] + b"/%b [0 500 600 900] >>" % box
        yield updated(file, {at.page: cut})
    yield updated(file, {at.page: page[:-2] + b"/Rotate 180 /UserUnit 9 >>"})
