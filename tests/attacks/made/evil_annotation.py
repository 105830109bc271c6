"""Annotations are added to the certified file: text, stamp, link, redaction, file, and what hides the seal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spliced import annotated, body, places, stream, updated

if TYPE_CHECKING:
    from collections.abc import Iterator

    from genuine import Genuine


KINDS = (
    b"/Subtype /FreeText /DA (/Helv 12 Tf) /Contents (another vehicle)",
    b"/Subtype /Stamp /Name /Approved",
    b"/Subtype /Redact /OverlayText (another vehicle)",
    b"/Subtype /Link /A << /S /URI /URI (https://signer.example/) >>",
    b"/Subtype /Link /A << /S /JavaScript /JS (app.alert\\(1\\)) >>",
    b"/Subtype /FileAttachment /FS << /Type /Filespec /F (confirmation.json) >>",
    b"/Subtype /Popup /Open true",
    b"/Subtype /Watermark /FixedPrint << /Type /FixedPrint >>",
    b"/Subtype /Square /IC [1 1 1] /F 4",
)


def make(genuine: Genuine) -> Iterator[bytes]:
    file = genuine.pdf
    at = places(file)
    picture = stream(b"1 g 0 0 500 300 re f", b"/Type /XObject /Subtype /Form /BBox [0 0 500 300]")
    for kind in KINDS:
        told = b"<< /Type /Annot %b /Rect [40 300 540 600] /P %d 0 R /AP << /N %d 0 R >> >>"
        annotation = told % (kind, at.page, at.size + 1)
        listed = annotated(file, at, at.size)
        yield updated(file, {at.page: listed, at.size: annotation, at.size + 1: picture})
    field = body(file, at.field)
    yield updated(file, {at.field: field[:-2] + b"/AP << /N %d 0 R >> >>" % at.size, at.size: picture})
    yield updated(file, {at.field: field.replace(b"/F 132", b"/F 2")})
