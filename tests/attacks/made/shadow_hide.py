"""What was under a picture when it was sealed appears once a revision takes it away, or turns its layer off."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pikepdf
from genuine import saved
from spliced import catalogue, places, trailer, updated

if TYPE_CHECKING:
    from collections.abc import Iterator

    from genuine import Genuine


def make(genuine: Genuine) -> Iterator[bytes]:
    def prepare(pdf: pikepdf.Pdf) -> None:
        cover = pdf.make_stream(b"1 g 0 0 100 100 re f", Type=pikepdf.Name.XObject, Subtype=pikepdf.Name.Form)
        cover.BBox = pikepdf.Array([0, 0, 100, 100])
        pdf.pages[0].Resources.XObject = pikepdf.Dictionary(Cover=pdf.make_indirect(cover))
        pdf.pages[0].contents_add(b"q 5 0 0 1 40 400 cm BT /F1 9 Tf (another vehicle) Tj ET /Cover Do Q")

    prepared = genuine.resealed(genuine.ours.seal("yunzhou"), saved(genuine.page, prepare))
    yield prepared
    found = re.search(rb"/Cover (\d+) 0 R", prepared)
    assert found is not None
    number = int(found[1])
    empty = b"<< /Type /XObject /Subtype /Form /BBox [0 0 0 0] /Length 0 >>\nstream\n\nendstream"
    yield updated(prepared, {number: empty})
    at, end = places(prepared), len(prepared)
    layer = b"<< /Type /OCG /Name (Cover) >>"
    off = b"<< /OCGs [ %d 0 R ] /D << /BaseState /ON /OFF [ %d 0 R ] >> >>" % (at.size, at.size)
    cover = empty.replace(b"/BBox [0 0 0 0]", b"/BBox [0 0 100 100] /OC %d 0 R" % at.size)
    yield updated(prepared, {at.root: catalogue(prepared, at, {b"OCProperties": off}), at.size: layer, number: cover})
    freed = b"xref\n%d 1\n0000000000 00001 f \n" % number
    yield prepared + freed + trailer(at, [number]) + b"startxref\n%d\n%%%%EOF\n" % end
