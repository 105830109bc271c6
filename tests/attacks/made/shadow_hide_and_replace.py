"""A second page was hidden in what was sealed; an appended table makes the pages, or the catalogue, that one."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pikepdf
from genuine import saved
from spliced import body, places, table, trailer, updated

if TYPE_CHECKING:
    from collections.abc import Iterator

    from genuine import Genuine


def make(genuine: Genuine) -> Iterator[bytes]:
    def prepare(pdf: pikepdf.Pdf) -> None:
        other = pdf.make_indirect(pikepdf.Dictionary(pdf.pages[0].obj))
        other.Contents = pdf.make_stream(b"BT (another vehicle) Tj ET")
        pages = pdf.make_indirect(pikepdf.Dictionary(pdf.Root.Pages))
        pages.Kids = pikepdf.Array([other])
        pages.Count = 1
        pdf.Root.PieceInfo = pikepdf.Dictionary(Hidden=pikepdf.Dictionary(Private=pages))

    prepared = genuine.resealed(genuine.ours.seal("yunzhou"), saved(genuine.page, prepare))
    yield prepared
    at, found = places(prepared), re.search(rb"/Private (\d+) 0 R", prepared)
    pages = re.search(rb"/Pages (\d+) 0 R", body(prepared, at.root))
    assert found is not None
    assert pages is not None
    hidden, shown = int(found[1]), int(pages[1])
    place = re.search(rb"[\r\n]%d 0 obj" % hidden, prepared)
    assert place is not None
    swapped = {shown: place.start() + 1}
    end = b"startxref\n%d\n%%%%EOF\n" % len(prepared)
    yield prepared + table(swapped) + trailer(at, swapped) + end
    root = body(prepared, at.root).replace(pages.group(), b"/Pages %d 0 R" % hidden)
    yield updated(prepared, {at.root: root})
    yield updated(prepared, {shown: body(prepared, hidden)})
