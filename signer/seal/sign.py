"""
Make a seal: fill the one empty field `Seal` of a PDF, certified, PAdES B-B or B-T.

Everything that varies lives in the call, so that threads and processes cannot disturb one another: pyHanko writes
the revision, the CMS is assembled from its parts (`cms`).
Source: docs/explanation/seals.md; ETSI EN 319 142-1; ISO 32000-2, 12.8.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC
from io import BytesIO
from typing import TYPE_CHECKING, Final, Literal

from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.misc import PdfError
from pyhanko.sign.fields import MDPPerm, SigSeedSubFilter
from pyhanko.sign.general import SigningError
from pyhanko.sign.signers.cms_embedder import PdfCMSEmbedder, SigIOSetup, SigMDPSetup, SigObjSetup
from pyhanko.sign.signers.constants import ESIC_EXTENSION_1
from pyhanko.sign.signers.pdf_byterange import PreparedByteRangeDigest, SignatureObject

from signer.errors import InvalidInput
from signer.seal import cms, keys

if TYPE_CHECKING:
    from datetime import datetime

    from signer.seal.keys import SealKey
    from signer.seal.timestamp import Timestamper

FIELD: Final = "Seal"
"""The name of the one signature field that a confirmation has."""
_SPARE_BYTES: Final = 64
_PDF_VERSION: Final = (1, 7)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sealed:
    """A sealed PDF. `sealed_length` is the length of S, which is all of it; `certificate_digest` is hex SHA-256."""

    pdf: bytes
    level: Literal["B-B", "B-T"]
    timestamp_at: datetime | None
    sealed_length: int
    certificate_digest: str


def seal(pdf: bytes, *, key: SealKey, timestamper: Timestamper | None, at: datetime) -> Sealed:
    """
    Seal a PDF that has one empty field `Seal`.

    Args:
        pdf: the file as rendered and checked; it ends with an EOL after `%%EOF` (PDF/A-3, 6.1.9).
        key: the seal's key.
        timestamper: who gives the timestamp; without one the level is B-B.
        at: the intended time, written to /M in whole seconds of UTC.

    Raises:
        InvalidInput: the PDF has no such field, is sealed already, or cannot be read.
        KeyUnavailable: the certificate is not valid at `at`.
        TimestampUnavailable: no authority answered rightly; nothing was sealed.

    """
    keys.refuse_outside_validity(key.certificate, at, name="the seal")
    room = _room(key) + (timestamper.most_bytes if timestamper else 0)
    try:
        return _seal(pdf, key=key, timestamper=timestamper, at=at, room=room)
    except _TooTight as tight:
        return _seal(pdf, key=key, timestamper=timestamper, at=at, room=tight.needed)


class _TooTight(Exception):
    """The CMS is longer than the room kept for it: an authority's token was longer than known."""

    def __init__(self, needed: int) -> None:
        super().__init__(f"{needed} bytes are needed")
        self.needed = needed + _SPARE_BYTES


def _room(key: SealKey) -> int:
    """Return how many bytes a CMS of this key takes without a timestamp, at most."""
    attributes, signature = cms.sign(key, content_type=cms.DATA, digest=bytes(32))
    return len(cms.assemble(key, attributes=attributes, signature=signature)) + _SPARE_BYTES


def _seal(pdf: bytes, *, key: SealKey, timestamper: Timestamper | None, at: datetime, room: int) -> Sealed:
    try:
        prepared, output = _prepare(pdf, at=at, room=room)
    except (PdfError, SigningError, ValueError, KeyError, TypeError, IndexError) as error:
        raise InvalidInput("pdf", f"cannot be sealed: {error}"[:300]) from error
    attributes, signature = cms.sign(key, content_type=cms.DATA, digest=prepared.document_digest)
    token, stamped_at = timestamper.stamp(signature, intended_at=at) if timestamper else (None, None)
    whole = cms.assemble(key, attributes=attributes, signature=signature, timestamp=token)
    if len(whole) > room:
        raise _TooTight(len(whole))
    prepared.fill_with_cms(output, whole)
    sealed = output.getvalue()
    return Sealed(
        pdf=sealed,
        level="B-T" if token else "B-B",
        timestamp_at=stamped_at,
        sealed_length=len(sealed),
        certificate_digest=key.certificate.digest,
    )


def _prepare(pdf: bytes, *, at: datetime, room: int) -> tuple[PreparedByteRangeDigest, BytesIO]:
    """Write the revision with an empty place for the CMS, and return the digest over all the rest."""
    writer = IncrementalPdfFileWriter(BytesIO(pdf))
    writer.ensure_output_version(_PDF_VERSION)  # type: ignore[no-untyped-call]  # pyHanko's
    if writer.output_version < (2, 0):
        writer.register_extension(ESIC_EXTENSION_1)
    steps = PdfCMSEmbedder().write_cms(field_name=FIELD, writer=writer, existing_fields_only=True)
    next(steps)
    placeholder = SignatureObject(
        timestamp=at.astimezone(UTC).replace(microsecond=0),
        subfilter=SigSeedSubFilter.PADES,
        bytes_reserved=2 * room,
    )
    certified = SigMDPSetup(md_algorithm="sha256", certify=True, docmdp_perms=MDPPerm.NO_CHANGES)
    steps.send(SigObjSetup(sig_placeholder=placeholder, mdp_setup=certified))
    output = BytesIO()
    prepared, _ = steps.send(SigIOSetup(md_algorithm="sha256", output=output))
    return prepared, output
