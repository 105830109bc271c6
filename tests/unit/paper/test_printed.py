"""Codes on the pages of a PDF of our own are read from what a reader would see."""

from __future__ import annotations

import io

from PIL import Image

from signer.paper import printed, symbol

SIGNED = "https://confirm.example.org/v#1" + "2345678901" * 40
SHORT = "https://confirm.example.org/verify#K7Q2M-9XH4T-3PAM"


def sheet(*texts: str) -> Image.Image:
    """A white sheet with symbols one under the other, three pixels a module."""
    page, top = Image.new("L", (827, 1170), 255), 30
    for text in texts:
        modules = symbol.matrix(text, level="Q")
        size = len(modules)
        drawn = Image.frombytes("L", (size, size), bytes(0 if dark else 255 for row in modules for dark in row))
        page.paste(drawn.resize((3 * size, 3 * size), Image.Resampling.NEAREST), (40, top))
        top += 3 * size + 40
    return page


def pdf_of(*pages: Image.Image) -> bytes:
    out = io.BytesIO()
    pages[0].save(out, "PDF", resolution=100, save_all=True, append_images=list(pages[1:]))
    return out.getvalue()


def test_signed_codes_of_all_pages_are_found_and_no_others() -> None:
    assert printed.codes(pdf_of(sheet(SHORT, SIGNED), sheet(), sheet(SIGNED + "1"))) == (SIGNED, SIGNED + "1")


def test_what_cannot_be_drawn_has_none() -> None:
    assert printed.codes(b"%PDF-1.7 nothing") == ()
