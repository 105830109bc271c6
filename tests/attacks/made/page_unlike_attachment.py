"""The page says one thing, the attachment what was issued; the listed key seals it outside the service."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import pikepdf
from genuine import saved
from pki import blank_pdf

if TYPE_CHECKING:
    from collections.abc import Iterator

    from genuine import Genuine


def make(genuine: Genuine) -> Iterator[bytes]:
    key = genuine.ours.seal("yunzhou")
    with pikepdf.open(io.BytesIO(genuine.pdf)) as opened:
        content = opened.attachments["confirmation.json"].get_file().read_bytes()

    def overwritten(pdf: pikepdf.Pdf) -> None:
        pdf.pages[0].contents_add(
            b"q 1 1 1 rg 40 400 500 30 re f 0 g BT /F9 9 Tf 45 410 Td (1M8GDM9AXKP042788) Tj ET Q"
        )

    def emptied(pdf: pikepdf.Pdf) -> None:
        pdf.pages[0].Contents = pdf.make_stream(b"BT (another vehicle) Tj ET")

    def attached(pdf: pikepdf.Pdf) -> None:
        specification = pikepdf.AttachedFileSpec(
            pdf, content, filename="confirmation.json", mime_type="application/json"
        )
        specification.relationship = pikepdf.Name.Data
        for name in tuple(pdf.attachments):
            del pdf.attachments[name]
        pdf.attachments["confirmation.json"] = specification
        pdf.Root.AF = pikepdf.Array([specification.obj])

    other = genuine.other.pdf
    for page in (
        saved(genuine.page, overwritten),
        saved(genuine.page, emptied),
        saved(other[: other.index(b"%%EOF") + 6], attached),
        blank_pdf(content=content),
    ):
        yield genuine.resealed(key, page)
