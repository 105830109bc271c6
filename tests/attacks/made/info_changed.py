"""Info is changed by an appended revision: another, the same number written anew, or none."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyhanko.pdf_utils import generic
from spliced import body, places, table, trailer, updated, written

if TYPE_CHECKING:
    from collections.abc import Iterator

    from genuine import Genuine
    from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter


def make(genuine: Genuine) -> Iterator[bytes]:
    def change(writer: IncrementalPdfFileWriter) -> None:
        title = {generic.pdf_name("/Title"): generic.pdf_string("Another confirmation")}
        writer.set_info(generic.DictionaryObject(title))

    yield genuine.updated(change)
    file = genuine.pdf
    at = places(file)
    old = body(file, at.info)
    for told in (old, b"<< /Title (Another confirmation) >>", b"null", b"%d 0 R" % at.info):
        yield updated(file, {at.info: told})
    what, found = written({at.size: old}, at=len(file))
    told, end = trailer(at, found), b"startxref\n%d\n%%%%EOF\n" % (len(file) + len(what))
    named = b"/Info %d 0 R" % at.info
    for changed in (b"", b"/Info %d 0 R" % at.size, b"/Info " + old):
        yield file + what + table(found) + told.replace(named, changed) + end
