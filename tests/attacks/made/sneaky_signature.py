"""A signature field whose picture covers the page is added to the certified file: empty, or signed by somebody."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spliced import annotated, formed, places, stream, updated

if TYPE_CHECKING:
    from collections.abc import Iterator

    from genuine import Genuine


def make(genuine: Genuine) -> Iterator[bytes]:
    file = genuine.pdf
    at = places(file)
    picture = stream(b"1 g 0 0 500 300 re f", b"/Type /XObject /Subtype /Form /BBox [0 0 500 300]")
    page, root = annotated(file, at, at.size), formed(file, at, at.size)
    told = b"<< /Type /Annot /Subtype /Widget /FT /Sig /T (Two) /F 4 /Rect [40 300 540 600] /P %d 0 R %%b >>" % at.page
    seen = b"/AP << /N %d 0 R >>" % (at.size + 1)
    around = {at.page: page, at.root: root, at.size + 1: picture}
    yield updated(file, {**around, at.size: told % seen})
    kinds = (
        b"/Type /Sig /Filter /Adobe.PPKLite /SubFilter /adbe.pkcs7.detached",
        b"/Type /DocTimeStamp /Filter /Adobe.PPKLite /SubFilter /ETSI.RFC3161",
    )
    for kind in kinds:
        value = b"<< %b /ByteRange [0 %d %d 0] /Contents <%b> >>"
        signed = value % (kind, len(file), len(file), file[slice(*genuine.gap)])
        objects = {**around, at.size: told % (seen + b" /V %d 0 R" % (at.size + 2)), at.size + 2: signed}
        yield updated(file, objects)
    hidden = told % (seen + b" /V %d 0 R" % at.signature)
    yield updated(file, {**around, at.size: hidden})
