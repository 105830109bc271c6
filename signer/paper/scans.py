"""
A scanner's PDF: pages that hold nothing but pictures, drawn one by one at a bounded size.

A page that says anything by text, line or field is no scan: what it says would stand beside a code that was signed
for another sheet. Text that is not shown is none: scanners lay it under a picture so that it can be searched.
Source: docs/adr/0047-reading-paper.md; ISO 32000-2, 8.9 and 9.3.6.
"""

from __future__ import annotations

import ctypes
from typing import TYPE_CHECKING, Final

import pypdfium2
from pypdfium2 import raw

from signer.domain.scan import MOST_PAGES
from signer.paper.pictures import MOST_PIXELS, MOST_SIDE, PictureRefused

if TYPE_CHECKING:
    from collections.abc import Iterator

    from PIL import Image

_MOST_OBJECTS: Final = 500
_MOST_DEPTH: Final = 3
_MOST_DRAWN: Final = 9_000_000
"""Pixels of a page as it is drawn: A4 at 300 dpi."""
_FINEST: Final = 300 / 72
_COARSEST: Final = 150 / 72
_UNSEEN: Final = raw.FPDF_TEXTRENDERMODE_INVISIBLE


class NotAScan(Exception):
    """The PDF is one, but its pages hold more than pictures."""


class Scanned:
    """A PDF whose every page was found to hold nothing but pictures. PictureRefused, NotAScan."""

    def __init__(self, data: bytes) -> None:
        try:
            self._document = pypdfium2.PdfDocument(data)
            self.pages = len(self._document)
            if self.pages > MOST_PAGES:
                raise PictureRefused("TOO_MANY_PAGES")
            self._refuse_more_than_pages()
            self._scales = tuple(_scale(self._document[page]) for page in range(self.pages))
        except pypdfium2.PdfiumError as error:
            raise PictureRefused("MALFORMED") from error

    def drawn(self, page: int) -> Image.Image:
        """Return a page (from 0) as a picture in grey. PictureRefused."""
        try:
            bitmap = self._document[page].render(scale=self._scales[page], grayscale=True, may_draw_forms=False)
            sheet: Image.Image = bitmap.to_pil().convert("L")
        except (pypdfium2.PdfiumError, MemoryError, ValueError) as error:
            raise PictureRefused("MALFORMED") from error
        return sheet

    def _refuse_more_than_pages(self) -> None:
        """Refuse seals, fields and attached files, whatever another parser made of this file."""
        document = self._document.raw
        counts = (raw.FPDF_GetSignatureCount(document), raw.FPDFDoc_GetAttachmentCount(document))
        if self.pages == 0 or any(counts) or raw.FPDF_GetFormType(document) != raw.FORMTYPE_NONE:
            raise NotAScan


def _scale(page: pypdfium2.PdfPage) -> float:
    """Return at how many pixels a point to draw a page: those of its finest picture, within bounds. NotAScan."""
    if raw.FPDFPage_GetAnnotCount(page.raw):
        raise NotAScan
    densities = [_density(one) for one in _objects(page) if one.type == raw.FPDF_PAGEOBJ_IMAGE]
    if not densities:
        raise NotAScan
    width, height = page.get_size()
    area = max(width * height, 1.0)
    wanted = min(max(*densities, _COARSEST), _FINEST, (_MOST_DRAWN / area) ** 0.5)
    if max(width, height) * wanted > MOST_SIDE:
        raise PictureRefused("TOO_LARGE")
    return float(wanted)


def _objects(page: pypdfium2.PdfPage) -> Iterator[pypdfium2.PdfObject]:
    """Go through what a page shows, groups included, and refuse at the first thing that is no picture. NotAScan."""
    for count, one in enumerate(page.get_objects(max_depth=_MOST_DEPTH), start=1):
        if one.type == raw.FPDF_PAGEOBJ_FORM and one.level >= _MOST_DEPTH - 1:
            raise NotAScan
        is_unseen = one.type == raw.FPDF_PAGEOBJ_TEXT and raw.FPDFTextObj_GetTextRenderMode(one.raw) == _UNSEEN
        if count > _MOST_OBJECTS or not (is_unseen or one.type in (raw.FPDF_PAGEOBJ_IMAGE, raw.FPDF_PAGEOBJ_FORM)):
            raise NotAScan
        yield one


def _density(picture: pypdfium2.PdfObject) -> float:
    """Return how many pixels a point a picture has where it stands. PictureRefused for one that is too large."""
    width, height = ctypes.c_uint(), ctypes.c_uint()
    raw.FPDFImageObj_GetImagePixelSize(picture.raw, width, height)
    if width.value * height.value > MOST_PIXELS or max(width.value, height.value) > MOST_SIDE:
        raise PictureRefused("TOO_LARGE")
    left, bottom, right, top = picture.get_bounds()
    side = max(right - left, top - bottom)
    return max(width.value, height.value) / side if side > 0 else 0.0
