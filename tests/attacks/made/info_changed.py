"""The title in Info is changed by an appended revision."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyhanko.pdf_utils import generic

if TYPE_CHECKING:
    from collections.abc import Iterator

    from genuine import Genuine
    from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter


def make(genuine: Genuine) -> Iterator[bytes]:
    def change(writer: IncrementalPdfFileWriter) -> None:
        title = {generic.pdf_name("/Title"): generic.pdf_string("Another confirmation")}
        writer.set_info(generic.DictionaryObject(title))

    yield genuine.updated(change)
