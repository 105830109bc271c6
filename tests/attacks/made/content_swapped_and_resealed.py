"""The attachment is replaced, and the listed key seals the page outside the service."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pikepdf
from genuine import saved

from signer.domain import content
from signer.domain.vehicle import Vin

if TYPE_CHECKING:
    from collections.abc import Iterator

    from genuine import Genuine


def make(genuine: Genuine) -> Iterator[bytes]:
    def change(pdf: pikepdf.Pdf) -> None:
        old = pdf.attachments["confirmation.json"].get_file().read_bytes()
        told = content.parse(old)
        vehicle = told.terms.vehicles[0].model_copy(update={"vin": Vin("1M8GDM9AXKP042788")})
        terms = told.terms.model_copy(update={"vehicles": (vehicle, *told.terms.vehicles[1:])})
        digest = content.terms_digest(terms)
        changed = content.build(terms=terms, approved_digest=digest, number=told.number, issued_at=told.issued_at)
        swapped = content.encode(changed)
        spec = pikepdf.AttachedFileSpec(pdf, swapped, filename="confirmation.json", mime_type="application/json")
        spec.relationship = pikepdf.Name.Data
        pdf.attachments["confirmation.json"] = spec
        proof = pdf.attachments["log-proof.json"]
        pdf.Root.AF = pikepdf.Array([spec.obj, proof.obj])

    yield genuine.resealed(genuine.ours.seal("yunzhou"), saved(genuine.page, change))
