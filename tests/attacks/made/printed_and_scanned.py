"""A print on paper, scanned: one picture a page; some scanners keep the title."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import pikepdf
import pypdfium2

if TYPE_CHECKING:
    from collections.abc import Iterator

    from genuine import Genuine


def make(genuine: Genuine) -> Iterator[bytes]:
    for title in ("Scan 0001", f"{genuine.number}.pdf"):
        made = pikepdf.new()
        for page in pypdfium2.PdfDocument(genuine.pdf):
            drawn = page.render(scale=0.5, grayscale=True)
            rows = bytes(drawn.buffer)
            image = pikepdf.Stream(made, rows, Width=drawn.stride, Height=drawn.height, BitsPerComponent=8)
            image.Type, image.Subtype = pikepdf.Name.XObject, pikepdf.Name.Image
            image.ColorSpace = pikepdf.Name.DeviceGray
            made.add_blank_page(page_size=(595, 842))
            made.pages[-1].obj.Resources = pikepdf.Dictionary(XObject=pikepdf.Dictionary(Im0=image))
            made.pages[-1].contents_add(b"q 595 0 0 842 0 0 cm /Im0 Do Q")
        made.docinfo["/Title"] = title
        out = io.BytesIO()
        made.save(out)
        yield out.getvalue()
