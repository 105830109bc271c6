"""What cannot be signed in a picture is put in its place afterwards: letters of a font, the picture of a form field."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pikepdf
from genuine import saved
from spliced import body, places, stream, updated

if TYPE_CHECKING:
    from collections.abc import Iterator

    from genuine import Genuine


def make(genuine: Genuine) -> Iterator[bytes]:
    file = genuine.pdf
    at = places(file)
    font = at.fonts[0]
    plain = b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding << /Differences [ 48 /nine /zero ] >> >>"
    yield updated(file, {font: plain})
    for program in sorted(set(re.findall(rb"/FontFile[23]? (\d+) 0 R", file)))[:1]:
        yield updated(file, {int(program): stream(b"another font")})

    def prepare(pdf: pikepdf.Pdf) -> None:
        fields = pdf.Root.AcroForm.Fields
        text = {"Type": "/Annot", "Subtype": "/Widget", "FT": "/Tx"}
        named = {key: pikepdf.Name(value) for key, value in text.items()}
        field = pikepdf.Dictionary(T="Note", V="", Rect=[40, 400, 300, 420], F=4, **named)
        added = pdf.make_indirect(field)
        fields.append(added)
        fields[0].P.Annots.append(added)

    prepared = genuine.resealed(genuine.ours.seal("yunzhou"), saved(genuine.page, prepare))
    yield prepared
    found = re.search(rb"[\r\n](\d+) 0 obj\s[^\n]*?/T \(Note\)", prepared)
    assert found is not None
    number = int(found[1])
    told = body(prepared, number)
    yield updated(prepared, {number: re.sub(rb"/V \(\)", b"/V (another vehicle)", told)})
    picture = stream(b"BT (another vehicle) Tj ET", b"/Type /XObject /Subtype /Form /BBox [0 0 260 20]")
    size = places(prepared).size
    shown = told[:-2] + b"/AP << /N %d 0 R >> >>" % size
    yield updated(prepared, {number: shown, size: picture})
