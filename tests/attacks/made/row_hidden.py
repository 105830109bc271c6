"""A revision is appended that paints over a row of the table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyhanko.pdf_utils import generic

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
