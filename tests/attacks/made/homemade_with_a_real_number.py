"""A page of somebody's own, with a picture of a seal and the number of a genuine confirmation."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import pikepdf

if TYPE_CHECKING:
    from collections.abc import Iterator

    from genuine import Genuine


def make(genuine: Genuine) -> Iterator[bytes]:
    made = pikepdf.new()
    made.add_blank_page(page_size=(595, 842))
    picture = pikepdf.Stream(made, bytes(300), Width=10, Height=10, BitsPerComponent=8)
    picture.Type, picture.Subtype = pikepdf.Name.XObject, pikepdf.Name.Image
    picture.ColorSpace = pikepdf.Name.DeviceRGB
    made.pages[0].obj.Resources = pikepdf.Dictionary(XObject=pikepdf.Dictionary(Im0=picture))
    made.pages[0].contents_add(b"q 100 0 0 100 400 100 cm /Im0 Do Q")
    made.docinfo["/Title"] = f"Confirmation {genuine.number}"
    out = io.BytesIO()
    made.save(out)
    yield out.getvalue()
