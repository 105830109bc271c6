"""What Typst does not do to a page: the field for the seal, ligatures by name, plain colours, the last newline."""

from __future__ import annotations

import io
import re
import zlib
from typing import TYPE_CHECKING

import pikepdf
from pikepdf import Array, Dictionary, Name

from signer.document import field, rewrite

if TYPE_CHECKING:
    from collections.abc import Iterator

_LIGATURES = {b"06440622": b"FEF5", b"06440623": b"FEF7", b"06440625": b"FEF9", b"06440627": b"FEFB"}
_END = b"%%EOF"
"""Ends a CMap as a comment; where a stream is not compressed, those who look for the end of the file would find it."""
_PLAIN = {1: b"/DeviceGray", 3: b"/DeviceRGB"}
_LIGATURE = re.compile(rb"<(0644062[2357])>", re.IGNORECASE)


def finish(pdf: bytes, *, picture_alt: str, tooltip: str) -> bytes:
    """
    Return the PDF as it is sealed: with the empty field `Seal`, ended by %%EOF and a newline.

    The same input gives the same bytes. Source: ISO 19005-3, 6.1.3 and 6.1.9.
    """
    first = rewrite.next_number(pdf)
    with pikepdf.open(io.BytesIO(pdf)) as opened:
        made = field.seal_field(opened, first=first, picture_alt=picture_alt, tooltip=tooltip)
        named = {font.ToUnicode.objgen[0]: _stream(font.ToUnicode, said) for font, said in _ligatures(opened)}
        others = dict((*_files(opened), *_colours(opened)))
    return rewrite.rewritten(pdf, made.changed | named | others, made.added)


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
    for font, named in _ligatures(pdf):
        font.ToUnicode.write(named)


def _ligatures(pdf: pikepdf.Pdf) -> Iterator[tuple[pikepdf.Object, bytes]]:
    """
    Let each lam-alef glyph stand for the one ligature character instead of two letters: yield fonts, and what they say.

    Readers that turn right-to-left text by characters turn the two letters round as well; the one
    character is normalised (NFKC) to lam, alef. Source: ISO 32000-1, 9.10.3; Unicode, Arabic Presentation Forms-B.
    """
    fonts = {font.objgen: font for page in pdf.pages for font in page.resources.get(Name.Font, Dictionary()).values()}
    for font in fonts.values():
        stated = font.ToUnicode.read_bytes()
        named = _LIGATURE.sub(lambda found: b"<" + _LIGATURES[found[1].upper()] + b">", stated)
        if named != stated:
            yield font, named.replace(_END, b"")


def _colours(pdf: pikepdf.Pdf) -> Iterator[tuple[int, bytes]]:
    """
    Yield the colour spaces of the pages as plain ones: the output intent says already that these are sRGB's.

    A reader otherwise makes a profile of each file anew, and turns every colour by it. Source: ISO 19005-3, 6.2.4.3.
    """
    spaces = {space.objgen: space for page in pdf.pages for space in page.resources.get(Name.ColorSpace, {}).values()}
    for (number, _), space in spaces.items():
        if number and isinstance(space, Array) and space[0] == Name.ICCBased:
            yield number, _PLAIN[int(space[1].N)]


def _files(pdf: pikepdf.Pdf) -> Iterator[tuple[int, bytes]]:
    """Yield the attached files in one form, with all that is said of them: Typst leaves small ones without a filter."""
    for specification in pdf.Root.get(Name.AF, ()):
        file = specification.EF.F
        yield specification.objgen[0], specification.unparse(resolved=True)
        is_filtered = Name.Filter in file
        yield file.objgen[0], _written(file, file.read_raw_bytes()) if is_filtered else _stream(file, file.read_bytes())


def _stream(before: pikepdf.Object, data: bytes) -> bytes:
    """Return the value of a stream with other data: Flate, but stored, as compressing depends on one more library."""
    return _written(before, zlib.compress(data, level=0))


def _written(before: pikepdf.Object, encoded: bytes) -> bytes:
    kept = {key: value for key, value in before.items() if key not in ("/Length", "/Filter", "/DecodeParms")}
    about = Dictionary({**kept, "/Length": len(encoded), "/Filter": Name.FlateDecode})
    return about.unparse() + b"\nstream\n" + encoded + b"\nendstream"
