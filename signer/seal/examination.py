"""
One seal, examined step by step: its place, its value, its signer, its time, its chain.

Source: docs/reference/acceptance-rules.md, rules 2, 3, 5 and 9; ETSI EN 319 102-1, 5.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pyhanko.sign.validation.errors import SignatureValidationError

from signer.domain.evidence import State, TimestampFacts
from signer.domain.trust import Purpose
from signer.errors import InvalidInput
from signer.seal import (
    algorithms,
    certificates,
    chain,
    cms,
    dss,
    existence,
    naming,
    pdf,
    place,
    precheck,
    revocation,
    tail,
    token,
)
from signer.seal.certificates import Certificate
from signer.seal.findings import Findings, Id

if TYPE_CHECKING:
    from datetime import datetime

    from pyhanko.pdf_utils.reader import PdfFileReader

    from signer.domain.evidence import Level, SealFinding
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
    findings.settle(Id.SEAL_FORM, place.form_fault(document.reader, document.fields, document.seal))
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
    witness = _Witness(trust, at, findings, layers)
    entry = witness.signer(signer)
    stamps = witness.timestamps(signed, revisions or (), document.file, is_listed=entry is not None)
    judged, level = None, _level(signed, stamps)
    if entry is not None:
        witness.embedded((*signed.certificates, *layers[0].certificates))
        judged = witness.chain(entry, signer, stamps.seal)
        if witness.revocation(entry, stamps):
            level = "B-LTA" if stamps.archived else "B-LT"
    findings.settle(Id.BYTE_RANGE, place.coverage_fault(document.reader, document.seal))
    return Result(
        findings=findings.all(),
        reason=reason,
        sealed_length=where.sealed_length,
        signer=signer,
        entry=entry,
        level=level,
        timestamp=stamps.seal,
        archived=stamps.archived,
        chain=judged,
    )


@dataclass(frozen=True, slots=True)
class _Stamps:
    """The timestamp that proves the seal, and the layer that it stands in; the archive timestamps that count."""

    seal: TimestampFacts | None = None
    layer: int = 0
    archived: tuple[TimestampFacts, ...] = ()


def _level(signed: cms.SignedData, stamps: _Stamps) -> Level:
    return "B-T" if cms.SIGNATURE_TIMESTAMP in signed.unsigned or stamps.archived else "B-B"


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
    is_so = findings.settle(Id.REVISIONS, place.change_fault(document.whole, len(found)))
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

    def __init__(
        self, trust: TrustList, at: datetime, findings: Findings, layers: tuple[revocation.Evidence, ...]
    ) -> None:
        self._trust = trust
        self._at = at
        self._findings = findings
        self._layers = layers
        self._authorities = {entry.certificate_digest: entry for entry in trust.of(Purpose.TSA)}

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
        strange = sum(member.digest not in listed for member in map(Certificate, members))
        fault = f"{strange} certificates inside are not on the trust list" if strange else ""
        self._findings.settle(Id.EMBEDDED_CERTIFICATES, fault)

    def timestamps(
        self, signed: cms.SignedData, revisions: tuple[tail.Revision, ...], file: bytes, *, is_listed: bool
    ) -> _Stamps:
        """Judge the token on the signature, if there is one, and those of the revisions after the seal."""
        if not is_listed:
            for which in (Id.TIMESTAMP_TOKEN, Id.TIMESTAMP, Id.ARCHIVE):
                self._findings.open(which, None, "not asked of a signer that is not listed")
            return _Stamps()
        own = self._own(signed)
        archive = [self._archived(revision, layer, file) for layer, revision in enumerate(revisions, start=1)]
        stamps = tuple(stamp for stamp in (own, *archive) if stamp is not None)
        proofs = existence.prove(stamps, self._layers, trust=self._trust, at=self._at)
        self._archive_answer(proofs, foreign=archive.count(None))
        good = [proof for proof in proofs if not proof.fault]
        self._timestamp_answer(own, proofs, has_good=bool(good))
        archived = tuple(_facts(proof) for proof in good if proof.stamp.layer)
        return _Stamps(_facts(good[0]), good[0].stamp.layer, archived) if good else _Stamps()

    def _own(self, signed: cms.SignedData) -> existence.Stamp | None:
        findings, data = self._findings, signed.unsigned.get(cms.SIGNATURE_TIMESTAMP)
        if data is None:
            findings.passed(Id.TIMESTAMP_TOKEN, "none is attached")
            return None
        listed = [Certificate(entry.der) for entry in self._authorities.values()]
        try:
            found = token.check(data, imprint_of=signed.signature, authorities=listed)
        except token.TokenRefused as error:
            findings.failed(Id.TIMESTAMP_TOKEN, error.sub_indication, str(error))
            findings.open(Id.TIMESTAMP, error.sub_indication, "the token does not count")
            return None
        findings.passed(Id.TIMESTAMP_TOKEN)
        self.embedded(found.embedded)
        return existence.Stamp(entry=self._authorities[found.certificate.digest], at=found.at, layer=0)

    def _archived(self, revision: tail.Revision, layer: int, file: bytes) -> existence.Stamp | None:
        """Check a token over a revision; None if it is good, but by an authority that is not listed."""
        listed = [Certificate(entry.der) for entry in self._authorities.values()]
        covered = revision.covered(file)
        try:
            if token.is_by_another(revision.token, authorities=listed):
                token.check_foreign(revision.token, imprint_of=covered)
                return None
            found = token.check(revision.token, imprint_of=covered, authorities=listed)
        except token.TokenRefused as error:
            self._findings.failed(Id.REVISIONS, error.sub_indication, f"the timestamp of revision {layer}: {error}")
            return None
        self.embedded((*found.embedded, *revision.evidence.certificates))
        return existence.Stamp(entry=self._authorities[found.certificate.digest], at=found.at, layer=layer)

    def _timestamp_answer(
        self, own: existence.Stamp | None, proofs: tuple[existence.Proof, ...], *, has_good: bool
    ) -> None:
        findings = self._findings
        if has_good:
            findings.passed(Id.TIMESTAMP)
        elif own is not None:
            findings.open(Id.TIMESTAMP, proofs[0].sub_indication, proofs[0].fault)
        else:
            findings.open(Id.TIMESTAMP, None, "no timestamp is attached, or none counts")

    def _archive_answer(self, proofs: tuple[existence.Proof, ...], *, foreign: int) -> None:
        """Say whether every archive timestamp counts; one by another authority proves nothing, and harms no one."""
        archive = [proof for proof in proofs if proof.stamp.layer]
        lapsed = next((proof for proof in archive if proof.fault), None)
        if foreign:
            told = f"{foreign} archive timestamps are by authorities that are not listed"
            self._findings.open(Id.ARCHIVE, "NO_CERTIFICATE_CHAIN_FOUND", told)
        elif lapsed is not None:
            self._findings.open(Id.ARCHIVE, lapsed.sub_indication, lapsed.fault)
        else:
            self._findings.passed(Id.ARCHIVE, f"{len(archive)} archive timestamps" if archive else "none is attached")

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

    def revocation(self, entry: TrustEntry, stamps: _Stamps) -> bool:
        """
        Judge what the file says of revocation, at the proven time or now; tell whether it says all that is needed.

        Asked of every link but the anchors: the seal's chain, and the chain of the authority whose token counts.
        """
        stamp, entries = stamps.seal, [entry]
        if stamp is not None and (authority := self._trust.by_digest(stamp.certificate_digest)) is not None:
            entries.append(authority)
        links = dict.fromkeys(link for one in entries for link in revocation.links_of(one, self._trust))
        at, is_proven = (stamp.at, True) if stamp else (self._at, False)
        inside = revocation.union(self._layers[: stamps.layer + 1])
        later = revocation.union(self._layers[stamps.layer + 1 :])
        said = revocation.judge(links, inside, at=at, is_proven=is_proven, later=later)
        self._findings.add(Id.REVOCATION, said.state, said.sub_indication, said.detail)
        return is_proven and bool(links) and said.state is State.PASSED


def _facts(proof: existence.Proof) -> TimestampFacts:
    return TimestampFacts(
        at=proof.stamp.at,
        certificate_digest=proof.stamp.entry.certificate_digest,
        through=None if proof.is_by_itself and not proof.stamp.layer else "archive",
    )
