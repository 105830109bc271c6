"""
Make a seal: fill the one empty field `Seal` of a PDF, certified, PAdES B-B, B-T or B-LT, in one revision.

Everything that varies lives in the call, so that threads and processes cannot disturb one another: pyHanko writes
the revision, the CMS is assembled from its parts (`cms`).
Source: docs/explanation/seals.md; ETSI EN 319 142-1; ISO 32000-2, 12.8.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC
from io import BytesIO
from typing import TYPE_CHECKING, Final, Literal

from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.misc import PdfError
from pyhanko.sign.fields import MDPPerm, SigSeedSubFilter
from pyhanko.sign.general import SigningError
from pyhanko.sign.signers.cms_embedder import PdfCMSEmbedder, SigIOSetup, SigMDPSetup, SigObjSetup
from pyhanko.sign.signers.constants import ESIC_EXTENSION_1
from pyhanko.sign.signers.pdf_byterange import PreparedByteRangeDigest, SignatureObject

from signer.errors import InvalidInput, TimestampUnavailable
from signer.seal import algorithms, cms, dss, keys

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from pyhanko.pdf_utils.reader import PdfFileReader

    from signer.seal.certificates import Certificate
    from signer.seal.keys import SealKey
    from signer.seal.revocation import Evidence
    from signer.seal.timestamp import Stamp, Timestamper

FIELD: Final = "Seal"
"""The name of the one signature field that a confirmation has."""
_SPARE_BYTES: Final = 64
_PDF_VERSION: Final = (1, 7)
_MOST_TRIES: Final = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Sealed:
    """A sealed PDF. `sealed_length` is the length of S, which is all of it; `certificate_digest` is hex SHA-256."""

    pdf: bytes
    level: Literal["B-B", "B-T", "B-LT"]
    timestamp_at: datetime | None
    sealed_length: int
    certificate_digest: str


def seal(
    pdf: bytes,
    *,
    key: SealKey,
    timestamper: Timestamper | None,
    at: datetime,
    evidence: Callable[[Certificate | None], Evidence | None] | None = None,
) -> Sealed:
    """
    Seal a PDF that has one empty field `Seal`.

    Args:
        pdf: the file as rendered and checked; it ends with an EOL after `%%EOF` (PDF/A-3, 6.1.9).
        key: the seal's key.
        timestamper: who gives the timestamp; without one the level is B-B.
        at: the intended time, written to /M in whole seconds of UTC.
        evidence: gives what proves that neither the seal nor this timestamping authority is revoked, or None. It
            is asked before the timestamp, because the timestamp covers it: if another authority answers than
            was expected, sealing begins again with that one's evidence.

    Raises:
        InvalidInput: the PDF has no such field, is sealed already, or cannot be read.
        KeyUnavailable: the certificate is not valid at `at`.
        TimestampUnavailable: no authority answered rightly; nothing was sealed.

    """
    keys.refuse_outside_validity(key.certificate, at, name="the seal")
    work = _Work(pdf=pdf, key=key, at=at)
    room = _room(key) + (timestamper.most_bytes if timestamper else 0)
    witness = timestamper.expected if timestamper else None
    for _ in range(_MOST_TRIES):
        held = evidence(witness) if evidence else None
        try:
            return _seal(work, timestamper=timestamper, held=held, witness=witness, room=room)
        except _TooTight as tight:
            room = tight.needed
        except _OtherWitness as other:
            witness = other.stamp.certificate
            timestamper = timestamper.preferring(other.stamp.authority) if timestamper else None
    raise TimestampUnavailable("the authorities answer with another certificate each time")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Work:
    """What stays the same however often sealing begins again."""

    pdf: bytes
    key: SealKey
    at: datetime


class _OtherWitness(Exception):
    """Another authority answered than the one whose evidence is in the file."""

    def __init__(self, stamp: Stamp) -> None:
        super().__init__(stamp.certificate.subject)
        self.stamp = stamp


class _TooTight(Exception):
    """The CMS is longer than the room kept for it: an authority's token was longer than known."""

    def __init__(self, needed: int) -> None:
        super().__init__(f"{needed} bytes are needed")
        self.needed = needed + _SPARE_BYTES


def _room(key: SealKey) -> int:
    """Return how many bytes a CMS of this key takes without a timestamp, at most."""
    size = hashlib.new(key.capabilities.scheme.digest).digest_size
    attributes = cms.signed_attributes(key.certificate, content_type=cms.DATA, digest=bytes(size))
    signature = bytes(algorithms.most_signature_bytes(key.certificate.parsed))
    return len(cms.assemble(key, attributes=attributes, signature=signature)) + _SPARE_BYTES


def _seal(
    work: _Work, *, timestamper: Timestamper | None, held: Evidence | None, witness: Certificate | None, room: int
) -> Sealed:
    key = work.key
    try:
        prepared, output = _prepare(work, held=held, room=room)
    except (PdfError, SigningError, ValueError, KeyError, TypeError, IndexError) as error:
        raise InvalidInput("pdf", f"cannot be sealed: {error}"[:300]) from error
    attributes, signature = cms.sign(key, content_type=cms.DATA, digest=prepared.document_digest)
    stamp = timestamper.stamp(signature, intended_at=work.at) if timestamper else None
    if stamp is not None and held is not None and stamp.certificate != witness:
        raise _OtherWitness(stamp)
    token = stamp.token if stamp else None
    whole = cms.assemble(key, attributes=attributes, signature=signature, timestamp=token)
    if len(whole) > room:
        raise _TooTight(len(whole))
    prepared.fill_with_cms(output, whole)
    sealed = output.getvalue()
    return Sealed(
        pdf=sealed,
        level=_level(stamp, held),
        timestamp_at=stamp.at if stamp else None,
        sealed_length=len(sealed),
        certificate_digest=key.certificate.digest,
    )


def _level(stamp: Stamp | None, held: Evidence | None) -> Literal["B-B", "B-T", "B-LT"]:
    if stamp is None:
        return "B-B"
    return "B-LT" if held is not None and (held.ocsps or held.crls) else "B-T"


class _Revision(IncrementalPdfFileWriter):
    """
    A revision that says nothing of its own: the metadata stay as rendered, the identifier follows from the file.

    pyHanko would write the machine's time into the XMP metadata, twice, and draw the identifier by chance.
    """

    def _update_meta(self) -> None:
        """Leave Info and XMP alone."""

    @classmethod
    def _handle_id(cls, prev: PdfFileReader) -> generic.ArrayObject:
        """Keep the first identifier and derive the second from the file. Source: ISO 32000-2, 14.4."""
        prev.stream.seek(0)
        changed = generic.ByteStringObject(hashlib.sha256(prev.stream.read()).digest()[:16])
        return generic.ArrayObject([generic.ByteStringObject(prev.document_id[0]), changed])


def _prepare(work: _Work, *, held: Evidence | None, room: int) -> tuple[PreparedByteRangeDigest, BytesIO]:
    """Write the revision with an empty place for the CMS, and return the digest over all the rest."""
    writer = _Revision(BytesIO(work.pdf))
    writer.ensure_output_version(_PDF_VERSION)  # type: ignore[no-untyped-call]  # pyHanko's
    if writer.output_version < (2, 0):
        writer.register_extension(ESIC_EXTENSION_1)
    if held is not None:
        dss.write(writer, held)
    steps = PdfCMSEmbedder().write_cms(field_name=FIELD, writer=writer, existing_fields_only=True)
    next(steps)
    placeholder = SignatureObject(
        timestamp=work.at.astimezone(UTC).replace(microsecond=0),
        subfilter=SigSeedSubFilter.PADES,
        bytes_reserved=2 * room,
    )
    digest = work.key.capabilities.scheme.digest
    certified = SigMDPSetup(md_algorithm=digest, certify=True, docmdp_perms=MDPPerm.NO_CHANGES)
    steps.send(SigObjSetup(sig_placeholder=placeholder, mdp_setup=certified))
    prepared, output = steps.send(SigIOSetup(md_algorithm=digest, in_place=True))
    return prepared, output
