"""Another manufacturer signs the sealed file too."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign import fields, signers

if TYPE_CHECKING:
    from collections.abc import Iterator

    from genuine import Genuine


def make(genuine: Genuine) -> Iterator[bytes]:
    writer = IncrementalPdfFileWriter(io.BytesIO(genuine.pdf))
    fields.append_signature_field(writer, fields.SigFieldSpec("Second"))
    middle = io.BytesIO()
    writer.write(middle)
    path = genuine.ours.folder / "seals" / "beichen.p12"
    signer = signers.SimpleSigner.load_pkcs12(str(path), passphrase=genuine.ours.password)
    assert signer is not None
    second = signers.PdfSigner(signers.PdfSignatureMetadata(field_name="Second"), signer)
    second._enforce_certification_constraints = lambda reader: None
    out = second.sign_pdf(IncrementalPdfFileWriter(io.BytesIO(middle.getvalue())), existing_fields_only=True)
    yield bytes(out.getvalue())
