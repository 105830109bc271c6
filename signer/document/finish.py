"""What Typst cannot do to a page: the field for the seal, Arabic ligatures by name, the last newline."""

from __future__ import annotations

import io
import re

import pikepdf
from pikepdf import Dictionary, Name

from signer.document import field

_LIGATURES = {b"06440622": b"FEF5", b"06440623": b"FEF7", b"06440625": b"FEF9", b"06440627": b"FEFB"}
_LIGATURE = re.compile(rb"<(0644062[2357])>", re.IGNORECASE)


def finish(pdf: bytes, *, picture_alt: str, tooltip: str) -> bytes:
    """
    Return the PDF as it is sealed: with the empty field `Seal`, ended by %%EOF and a newline.

    The same input gives the same bytes. Source: ISO 19005-3, 6.1.3 and 6.1.9.
    """
    with pikepdf.open(io.BytesIO(pdf)) as opened:
        field.add_seal_field(opened, picture_alt=picture_alt, tooltip=tooltip)
        return _saved(opened)


def without_field(pdf: bytes) -> bytes:
    """Return the PDF as it is printed: the same, but nothing in it waits for a seal of ours."""
    with pikepdf.open(io.BytesIO(pdf)) as opened:
        return _saved(opened)


def _saved(pdf: pikepdf.Pdf) -> bytes:
    _name_ligatures(pdf)
    out = io.BytesIO()
    pdf.save(
        out, deterministic_id=True, object_stream_mode=pikepdf.ObjectStreamMode.preserve, fix_metadata_version=False
    )
    return out.getvalue()


def _name_ligatures(pdf: pikepdf.Pdf) -> None:
    """
    Let each lam-alef glyph stand for the one ligature character instead of two letters.

    Readers that turn right-to-left text by characters turn the two letters round as well; the one
    character is normalised (NFKC) to lam, alef. Source: ISO 32000-1, 9.10.3; Unicode, Arabic Presentation Forms-B.
    """
    fonts = {font.objgen: font for page in pdf.pages for font in page.resources.get(Name.Font, Dictionary()).values()}
    for font in fonts.values():
        stated = font.ToUnicode.read_bytes()
        named = _LIGATURE.sub(lambda found: b"<" + _LIGATURES[found[1].upper()] + b">", stated)
        if named != stated:
            font.ToUnicode.write(named)
