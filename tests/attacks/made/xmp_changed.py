"""The XMP metadata are replaced by an appended revision."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyhanko.pdf_utils import generic

if TYPE_CHECKING:
    from collections.abc import Iterator

    from genuine import Genuine
    from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter


def make(genuine: Genuine) -> Iterator[bytes]:
    def change(writer: IncrementalPdfFileWriter) -> None:
        writer.root[generic.pdf_name("/Metadata")] = writer.add_object(generic.StreamObject(stream_data=b"<x/>"))
        writer.update_root()

    yield genuine.updated(change)
