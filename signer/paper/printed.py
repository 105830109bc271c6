"""The codes on the pages of a PDF that was made here: drawn as a reader draws them, and read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pypdfium2

from signer.paper import symbols

if TYPE_CHECKING:
    from collections.abc import Iterator

_PIXELS_A_POINT: Final = 2.5
"""Three and a half pixels a module of the smallest symbol: a clean picture needs no more."""


def codes(pdf: bytes) -> tuple[str, ...]:
    """
    Return the texts of the signed codes on all pages; none if the file cannot be drawn.

    For files whose seal was found to be ours: a stranger's is read in a child (`reading`). Not for several threads.
    """
    try:
        document = pypdfium2.PdfDocument(pdf)
    except pypdfium2.PdfiumError:
        return ()
    try:
        return tuple(text for text in _texts(document) if symbols.is_signed(text))
    finally:
        document.close()


def _texts(document: pypdfium2.PdfDocument) -> Iterator[str]:
    for place in range(len(document)):
        bitmap = document[place].render(scale=_PIXELS_A_POINT, grayscale=True, may_draw_forms=False)
        yield from symbols.read(bitmap.to_pil().convert("L"))
