"""
One seal, examined step by step: its place, its value, its signer, its time, its chain.

Source: docs/reference/acceptance-rules.md, rules 2, 3, 5 and 9; ETSI EN 319 102-1, 5.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pyhanko.sign.validation.errors import SignatureValidationError

from signer.errors import InvalidInput
from signer.seal import algorithms, certificates, chain, cms, dss, pdf, place, precheck, revocation, tail
from signer.seal.certificates import Certificate
from signer.seal.findings import Findings, Id
from signer.seal.witness import Witness

if TYPE_CHECKING:
    from datetime import datetime

    from pyhanko.pdf_utils.reader import PdfFileReader

    from signer.domain.evidence import Level, SealFinding, SubIndication, TimestampFacts
    from signer.domain.trust import TrustEntry, TrustList

_SIGNED_ATTRIBUTES: Final = {cms.CONTENT_TYPE, cms.MESSAGE_DIGEST, cms.SIGNING_CERTIFICATE_V2}


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """
    The file under examination, and the sealed prefix S in it, which is read by itself.

    `whole` is pyHanko's reading of the file, `reader`, `fields` and `seal` that of S; `where` is the seal's place, or
    what is wrong with it.
    """

    file: bytes
    whole: PdfFileReader
    reader: PdfFileReader
    fields: tuple[place.Field, ...]
    seal: place.Filled
    where: place.Range | str

    @property
    def has_tail(self) -> bool:
        """Tell whether anything follows S."""
        return isinstance(self.where, place.Range) and self.where.sealed_length < len(self.file)


def open_sealed(file: bytes, reader: PdfFileReader, fields: tuple[place.Field, ...], seal: place.Filled) -> Document:
    """Open the sealed prefix by itself: what it says is what was sealed, whatever follows it."""
    where = place.byte_range(file, seal.signature)
    whole = Document(file=file, whole=reader, reader=reader, fields=fields, seal=seal, where=where)
    if isinstance(where, str) or where.sealed_length == len(file):
        return whole
    prefix = file[: where.sealed_length]
    alone = pdf.open_strictly(prefix)
    own = place.fields(alone)
    inside = place.the_seal(own)
    if inside is None or place.byte_range(prefix, inside.signature) != where:
        fault = "the seal is not the one of the revision that it covers"
        return Document(file=file, whole=reader, reader=reader, fields=fields, seal=seal, where=fault)
    return Document(file=file, whole=reader, reader=alone, fields=own, seal=inside, where=where)


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """
    What was found. `entry` is the signer's, if it is listed as a seal; absent values were not reached.

    `archived` are the archive timestamps that count, the oldest first.
    """

    findings: tuple[SealFinding, ...]
    reason: str | None = None
    sealed_length: int | None = None
    signer: Certificate | None = None
    entry: TrustEntry | None = None
    level: Level | None = None
    timestamp: TimestampFacts | None = None
    archived: tuple[TimestampFacts, ...] = ()
    chain: chain.Judged | None = None


def examine(document: Document, findings: Findings, *, trust: TrustList, at: datetime) -> Result:
    """Examine a seal at an instant and add an answer to every question. What parsers raise is the caller's to catch."""
    findings.settle(Id.FILE_FORM, "" if precheck.has_clean_end(document.file) else "bytes follow the end of the file")
    form_fault = place.form_fault(document.reader, document.fields, document.seal)
    findings.settle(Id.SEAL_FORM, form_fault, sub_indication="SIG_CONSTRAINTS_FAILURE")
    where = document.where
    if isinstance(where, str):
        findings.failed(Id.BYTE_RANGE, "FORMAT_FAILURE", where)
        return Result(findings=findings.all())
    findings.passed(Id.BYTE_RANGE)
    revisions = _examine_tail(document, where, findings)
    reason = None if revisions is not None else _reason(document)
    value = _read(document, where, findings)
    if value is None:
        return Result(findings=findings.all(), reason=reason, sealed_length=where.sealed_length)
    signed, signer = value
    _examine_signature(document.file, where, signed, signer, findings)
    layers = (_held(document, findings), *(revision.evidence for revision in revisions or ()))
    weighed = Witness(trust, at, findings, layers).weigh(signed, signer, revisions or (), document.file)
    findings.settle(Id.BYTE_RANGE, place.coverage_fault(document.reader, document.seal))
    return Result(
        findings=findings.all(),
        reason=reason,
        sealed_length=where.sealed_length,
        signer=signer,
        entry=weighed.entry,
        level=weighed.level,
        timestamp=weighed.stamps.seal,
        archived=weighed.stamps.archived,
        chain=weighed.chain,
    )


def _held(document: Document, findings: Findings) -> revocation.Evidence:
    """Return the evidence inside the file; what is not of the form is an alteration, and no evidence."""
    try:
        held = dss.read(document.reader)
    except dss.DssRefused as error:
        findings.failed(Id.REVOCATION_FORM, "FORMAT_FAILURE", str(error))
        return revocation.Evidence()
    findings.passed(Id.REVOCATION_FORM, "none is attached" if held is None else "")
    return held or revocation.Evidence()


def _examine_tail(document: Document, where: place.Range, findings: Findings) -> tuple[tail.Revision, ...] | None:
    """Demand that nothing follows S but revisions of the grammar (rule 2), and return them; None if it is not so."""
    if not document.has_tail:
        findings.passed(Id.REVISIONS)
        return ()
    try:
        _, found = tail.read(document.file, where.sealed_length, tail.state_of(document.reader))
    except tail.TailRefused as error:
        length = len(document.file) - where.sealed_length
        findings.failed(Id.REVISIONS, "FORMAT_FAILURE", f"{length} bytes follow what was sealed: {error}")
        return None
    is_so = findings.settle(Id.REVISIONS, place.change_fault(document.whole, document.reader, len(found)))
    return found if is_so else None


def _reason(document: Document) -> str | None:
    """Return ADDED_SIGNATURE if what follows the seal holds a signature that is no timestamp."""
    kinds = [
        pdf.text(found.signature, "/Type") for found in place.fields(document.whole) if found.signature is not None
    ]
    return "ADDED_SIGNATURE" if sum(kind != "/DocTimeStamp" for kind in kinds) > 1 else None


def _read(document: Document, where: place.Range, findings: Findings) -> tuple[cms.SignedData, Certificate] | None:
    """Read the seal's value and the certificate inside that it names; None if it has not the form."""
    try:
        signed = cms.read(place.value(document.file, where), content_type=cms.DATA)
        named = [own for own in map(Certificate, signed.certificates) if signed.is_signed_by(own)]
        signer = certificates.load(named[0].der) if len(named) == 1 else None
    except (ValueError, IndexError, InvalidInput) as error:
        findings.failed(Id.CMS_FORM, "FORMAT_FAILURE", str(error))
        return None
    if signer is None:
        detail = f"{len(named)} certificates inside are the signer's, not one"
        findings.failed(Id.CMS_FORM, "NO_SIGNING_CERTIFICATE_FOUND", detail)
        return None
    word, fault = cms_fault(signed, signer)
    findings.settle(Id.CMS_FORM, fault, sub_indication=word)
    return signed, signer


def cms_fault(signed: cms.SignedData, signer: Certificate) -> tuple[SubIndication, str]:
    """Return what a seal's CMS has that it must not have, or lacks, or ''. Source: EN 319 142-1, 6.3; rule 5."""
    if set(signed.signed) != _SIGNED_ATTRIBUTES:
        told = "the signed attributes are not content-type, message-digest and signing-certificate-v2"
        return "SIG_CONSTRAINTS_FAILURE", told
    if set(signed.unsigned) - {cms.SIGNATURE_TIMESTAMP}:
        return "SIG_CONSTRAINTS_FAILURE", "an unsigned attribute other than one signature timestamp"
    if not signed.is_sorted:
        return "FORMAT_FAILURE", "a set is not in DER order"
    is_named = cms.names_certificate(signed, signer)
    return "NO_SIGNING_CERTIFICATE_FOUND", "" if is_named else "signing-certificate-v2 does not name the signer"


def _examine_signature(
    file: bytes, where: place.Range, signed: cms.SignedData, signer: Certificate, findings: Findings
) -> None:
    weakness = algorithms.fault(
        digest=signed.digest_algorithm, signature=signed.signature_algorithm, certificate=signer.parsed
    )
    if not findings.settle(Id.ALGORITHMS, weakness, sub_indication="CRYPTO_CONSTRAINTS_FAILURE"):
        return
    covered = hashlib.new(algorithms.DIGESTS[signed.digest_algorithm], file[: where.gap_start])
    covered.update(file[where.gap_end : where.sealed_length])
    try:
        is_intact, is_valid = cms.check_signature(signed, signer, digest=covered.digest())
    except (SignatureValidationError, ValueError, TypeError, KeyError) as error:
        findings.failed(Id.SIGNATURE, "SIG_CRYPTO_FAILURE", f"{type(error).__name__}: {error}")
        return
    changed = "" if is_intact else "the bytes are not those that were sealed"
    findings.settle(Id.DIGEST, changed, sub_indication="HASH_FAILURE")
    unsigned = "" if is_valid else "the signature does not verify"
    findings.settle(Id.SIGNATURE, unsigned, sub_indication="SIG_CRYPTO_FAILURE")
