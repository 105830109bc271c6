"""An action that runs when the file is opened is added by an appended revision."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyhanko.pdf_utils import generic

if TYPE_CHECKING:
    from collections.abc import Iterator

    from genuine import Genuine
    from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter


def make(genuine: Genuine) -> Iterator[bytes]:
    def change(writer: IncrementalPdfFileWriter) -> None:
        script = {"/S": generic.pdf_name("/JavaScript"), "/JS": generic.pdf_string("app.alert(1)")}
        action = generic.DictionaryObject({generic.pdf_name(key): value for key, value in script.items()})
        writer.root[generic.pdf_name("/OpenAction")] = action
        writer.update_root()

    yield genuine.updated(change)
