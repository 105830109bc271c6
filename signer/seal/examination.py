"""
One seal, examined step by step: its place, its value, its signer, its time, its chain.

Source: docs/reference/acceptance-rules.md, rules 2, 3, 5 and 9; ETSI EN 319 102-1, 5.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from pyhanko.sign.validation.errors import SignatureValidationError

from signer.domain.evidence import State, TimestampFacts
from signer.domain.trust import Purpose, SealState
from signer.errors import InvalidInput
from signer.seal import algorithms, certificates, chain, cms, dss, naming, place, precheck, revocation, token
from signer.seal.certificates import Certificate
from signer.seal.findings import Findings, Id

if TYPE_CHECKING:
    from datetime import datetime

    from pyhanko.pdf_utils.reader import PdfFileReader

    from signer.domain.evidence import Level, SealFinding
    from signer.domain.trust import TrustEntry, TrustList

CLOCK_SKEW: Final = timedelta(minutes=5)
_SIGNED_ATTRIBUTES: Final = {cms.CONTENT_TYPE, cms.MESSAGE_DIGEST, cms.SIGNING_CERTIFICATE_V2}


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """The file under examination: its bytes, pyHanko's reading of it, its signature fields, and which is the seal."""

    file: bytes
    reader: PdfFileReader
    fields: tuple[place.Field, ...]
    seal: place.Filled


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What was found. `entry` is the signer's, if it is listed as a seal; absent values were not reached."""

    findings: tuple[SealFinding, ...]
    reason: str | None = None
    sealed_length: int | None = None
    signer: Certificate | None = None
    entry: TrustEntry | None = None
    level: Level | None = None
    timestamp: TimestampFacts | None = None
    chain: chain.Judged | None = None


def examine(document: Document, findings: Findings, *, trust: TrustList, at: datetime) -> Result:
    """Examine a seal at an instant and add an answer to every question. What parsers raise is the caller's to catch."""
    findings.settle(Id.FILE_FORM, "" if precheck.has_clean_end(document.file) else "bytes follow the end of the file")
    findings.settle(Id.SEAL_FORM, place.form_fault(document.reader, document.fields, document.seal))
    where = place.byte_range(document.file, document.seal.signature)
    if isinstance(where, str):
        findings.failed(Id.BYTE_RANGE, "FORMAT_FAILURE", where)
        return Result(findings=findings.all())
    findings.passed(Id.BYTE_RANGE)
    reason = _examine_tail(document, where, findings)
    value = _read(document, where, findings)
    if value is None:
        return Result(findings=findings.all(), reason=reason, sealed_length=where.sealed_length)
    signed, signer = value
    _examine_signature(document.file, where, signed, signer, findings)
    witness = _Witness(trust, at, findings, _held(document, findings))
    entry = witness.signer(signer)
    stamp = witness.timestamp(signed, is_listed=entry is not None)
    judged, level = None, _level(signed)
    if entry is not None:
        witness.embedded(signed.certificates)
        judged = witness.chain(entry, signer, stamp)
        level = witness.revocation(entry, stamp) or level
    findings.settle(Id.BYTE_RANGE, place.coverage_fault(document.reader, document.seal))
    return Result(
        findings=findings.all(),
        reason=reason,
        sealed_length=where.sealed_length,
        signer=signer,
        entry=entry,
        level=level,
        timestamp=stamp,
        chain=judged,
    )


def _level(signed: cms.SignedData) -> Level:
    return "B-T" if cms.SIGNATURE_TIMESTAMP in signed.unsigned else "B-B"


def _held(document: Document, findings: Findings) -> revocation.Evidence:
    """Return the evidence inside the file; what is not of the form is an alteration, and no evidence."""
    try:
        held = dss.read(document.reader)
    except dss.DssRefused as error:
        findings.failed(Id.REVOCATION_FORM, "FORMAT_FAILURE", str(error))
        return revocation.Evidence()
    findings.passed(Id.REVOCATION_FORM, "none is attached" if held is None else "")
    return held or revocation.Evidence()


def _examine_tail(document: Document, where: place.Range, findings: Findings) -> str | None:
    """
    Demand that nothing follows S, and return ADDED_SIGNATURE if a signature does.

    The grammar of archive revisions (DSS, document timestamps: rule 2) has its place here, and is
    not written yet: until then whatever follows is an alteration.
    """
    tail = len(document.file) - where.sealed_length
    findings.settle(Id.REVISIONS, f"{tail} bytes follow what was sealed" if tail else "")
    filled = [found for found in document.fields if found.signature is not None]
    return "ADDED_SIGNATURE" if tail and len(filled) > 1 else None


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
    findings.settle(Id.CMS_FORM, _cms_fault(signed, signer))
    return signed, signer


def _cms_fault(signed: cms.SignedData, signer: Certificate) -> str:
    """Return what a seal's CMS has that it must not have, or lacks, or ''. Source: EN 319 142-1, 6.3; rule 5."""
    if set(signed.signed) != _SIGNED_ATTRIBUTES:
        return "the signed attributes are not content-type, message-digest and signing-certificate-v2"
    if set(signed.unsigned) - {cms.SIGNATURE_TIMESTAMP}:
        return "an unsigned attribute other than one signature timestamp"
    if not signed.is_sorted:
        return "a set is not in DER order"
    return "" if cms.names_certificate(signed, signer) else "signing-certificate-v2 does not name the signer"


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


class _Witness:
    """Asks the trust list, and it alone, whose certificates these are and whether they count."""

    def __init__(self, trust: TrustList, at: datetime, findings: Findings, held: revocation.Evidence) -> None:
        self._trust = trust
        self._at = at
        self._findings = findings
        self._held = held

    def signer(self, signer: Certificate) -> TrustEntry | None:
        """Find the signer on the list, before anything is asked of its certificate (rule 3)."""
        findings = self._findings
        entry = self._trust.by_digest(signer.digest)
        if entry is None or entry.purpose is not Purpose.PDF_SEAL:
            detail = (
                f"listed as {entry.purpose.value}, not as a seal" if entry else f"not on list {self._trust.sequence}"
            )
            findings.failed(Id.SIGNER_LISTED, "NO_CERTIFICATE_CHAIN_FOUND", detail)
            return None
        findings.passed(Id.SIGNER_LISTED, f"on list {self._trust.sequence}")
        if entry.naming_profile is None or entry.uscc is None:
            findings.failed(Id.NAMING, "CHAIN_CONSTRAINTS_FAILURE", "the entry names no profile")
            return entry
        fault = naming.fault(signer, profile=entry.naming_profile, legal_name=entry.legal_name, uscc=entry.uscc)
        findings.settle(Id.NAMING, fault, sub_indication="CHAIN_CONSTRAINTS_FAILURE")
        return entry

    def embedded(self, members: tuple[bytes, ...]) -> None:
        """Demand that every certificate that travels inside is, byte for byte, one of the list (rule 5)."""
        listed = {entry.certificate_digest for entry in self._trust.entries}
        everyone = (*members, *self._held.certificates)
        strange = sum(member.digest not in listed for member in map(Certificate, everyone))
        fault = f"{strange} certificates inside are not on the trust list" if strange else ""
        self._findings.settle(Id.EMBEDDED_CERTIFICATES, fault)

    def timestamp(self, signed: cms.SignedData, *, is_listed: bool) -> TimestampFacts | None:
        """Judge the token on the signature, if there is one; `is_listed` tells whether the signer is."""
        findings, data = self._findings, signed.unsigned.get(cms.SIGNATURE_TIMESTAMP)
        if data is None:
            findings.passed(Id.TIMESTAMP_TOKEN, "none is attached")
            findings.open(Id.TIMESTAMP, None, "no timestamp is attached")
            return None
        if not is_listed:
            findings.open(Id.TIMESTAMP_TOKEN, None, "not asked of a signer that is not listed")
            findings.open(Id.TIMESTAMP, None, "not asked of a signer that is not listed")
            return None
        authorities = {entry.certificate_digest: entry for entry in self._trust.of(Purpose.TSA)}
        listed = [Certificate(entry.der) for entry in authorities.values()]
        try:
            found = token.check(data, imprint_of=signed.signature, authorities=listed)
        except token.TokenRefused as error:
            findings.failed(Id.TIMESTAMP_TOKEN, error.sub_indication, str(error))
            findings.open(Id.TIMESTAMP, error.sub_indication, "the token does not count")
            return None
        findings.passed(Id.TIMESTAMP_TOKEN)
        self.embedded(found.embedded)
        return self._entitled(authorities[found.certificate.digest], found)

    def _entitled(self, entry: TrustEntry, found: token.Token) -> TimestampFacts | None:
        """Count a token only if its authority's chain is valid now, and it was entitled then (rule 9)."""
        findings = self._findings
        judged = chain.judge(entry, self._trust, at=self._at)
        if not judged.is_good:
            findings.open(Id.TIMESTAMP, judged.sub_indication, judged.detail)
            return None
        if not entry.is_entitled(found.at) or entry.state in (SealState.SUSPENDED, SealState.REVOKED):
            detail = f"the authority is {entry.state.value}, or was not entitled then"
            findings.open(Id.TIMESTAMP, "CHAIN_CONSTRAINTS_FAILURE", detail)
            return None
        if not judged.not_before <= found.at <= self._at + CLOCK_SKEW:
            findings.open(Id.TIMESTAMP, "TIMESTAMP_ORDER_FAILURE", "its time lies outside the time that can be")
            return None
        links = revocation.links_of(entry, self._trust)
        said = revocation.judge(links, self._held, at=found.at, is_proven=True)
        if said.state is State.FAILED:
            findings.open(Id.TIMESTAMP, said.sub_indication, said.detail)
            return None
        findings.passed(Id.TIMESTAMP)
        return TimestampFacts(at=found.at, certificate_digest=found.certificate.digest)

    def chain(self, entry: TrustEntry, signer: Certificate, stamp: TimestampFacts | None) -> chain.Judged:
        """
        Judge the chain at the time of the timestamp, or now.

        Without a timestamp an expired certificate is undetermined, never failed: the register may prove that the
        file is older, and the chain's span lets the decision see it.
        """
        findings = self._findings
        judged = chain.judge(entry, self._trust, at=stamp.at if stamp else self._at)
        if usage := certificates.seal_usage_fault(signer):
            findings.failed(Id.CHAIN, "CHAIN_CONSTRAINTS_FAILURE", usage)
        elif judged.is_good:
            findings.passed(Id.CHAIN)
        elif judged.is_only_time and stamp is None and judged.sub_indication == "OUT_OF_BOUNDS_NO_POE":
            findings.open(Id.CHAIN, judged.sub_indication, judged.detail)
        else:
            findings.failed(Id.CHAIN, judged.sub_indication, judged.detail)
        return judged

    def revocation(self, entry: TrustEntry, stamp: TimestampFacts | None) -> Level | None:
        """
        Judge what the file says of revocation, at the time of the timestamp or now; B-LT if it says all that is needed.

        Asked of every link but the anchors: the seal's chain, and the chain of the authority whose token counts.
        """
        entries = [entry]
        if stamp is not None and (authority := self._trust.by_digest(stamp.certificate_digest)) is not None:
            entries.append(authority)
        links = dict.fromkeys(link for one in entries for link in revocation.links_of(one, self._trust))
        at, is_proven = (stamp.at, True) if stamp else (self._at, False)
        said = revocation.judge(links, self._held, at=at, is_proven=is_proven)
        self._findings.add(Id.REVOCATION, said.state, said.sub_indication, said.detail)
        return "B-LT" if is_proven and links and said.state is State.PASSED else None
