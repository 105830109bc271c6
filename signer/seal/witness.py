"""
What the trust list, and it alone, says of a seal's certificates and timestamps, each of its answers a finding.

Source: docs/reference/acceptance-rules.md, rules 3, 5 and 9; ETSI EN 319 102-1, 5.2.5, 5.2.6, 5.4 and 5.6.2.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from signer.domain.evidence import State, TimestampFacts
from signer.domain.trust import Purpose
from signer.seal import certificates, chain, cms, existence, naming, revocation, token
from signer.seal.certificates import Certificate, named
from signer.seal.findings import Findings, Id
from signer.seal.kept import kept

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from signer.domain.evidence import Level
    from signer.domain.trust import TrustEntry, TrustList
    from signer.seal import tail


@dataclass(frozen=True, slots=True)
class Stamps:
    """The timestamp that proves the seal, and the layer that it stands in; the archive timestamps that count."""

    seal: TimestampFacts | None = None
    layer: int = 0
    archived: tuple[TimestampFacts, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Weighed:
    """What the list says of a seal: its entry (None: not listed), its time, its chain, and the level it reaches."""

    entry: TrustEntry | None
    stamps: Stamps
    level: Level
    chain: chain.Judged | None = None


class Witness:
    """
    Asks the trust list, and it alone, whose certificates these are and whether they count.

    `check` checks the tokens of listed authorities, as `token.check` does.
    """

    def __init__(
        self,
        trust: TrustList,
        at: datetime,
        findings: Findings,
        layers: tuple[revocation.Evidence, ...],
        *,
        check: Callable[..., token.Token] = token.check,
    ) -> None:
        self._check = check
        self._trust = trust
        self._at = at
        self._findings = findings
        self._layers = layers
        self._authorities, self._clocks = _read(trust)

    def weigh(
        self, signed: cms.SignedData, signer: Certificate, revisions: tuple[tail.Revision, ...], file: bytes
    ) -> Weighed:
        """Ask all that there is to ask of a seal whose form was read; the answers become findings."""
        entry = self.signer(signer)
        stamps = self.timestamps(signed, revisions, file, is_listed=entry is not None)
        level: Level = "B-T" if cms.SIGNATURE_TIMESTAMP in signed.unsigned or stamps.archived else "B-B"
        if entry is None:
            return Weighed(entry=None, stamps=stamps, level=level)
        self.embedded((*signed.certificates, *self._layers[0].certificates))
        judged = self.chain(entry, signer, stamps.seal)
        if self.revocation(entry, stamps):
            level = "B-LTA" if stamps.archived else "B-LT"
        return Weighed(entry=entry, stamps=stamps, level=level, chain=judged)

    def signer(self, signer: Certificate) -> TrustEntry | None:
        """Find the signer on the list, before anything is asked of its certificate (rule 3)."""
        findings = self._findings
        entry = self._trust.by_digest(signer.digest)
        if entry is None or entry.purpose is not Purpose.PDF_SEAL:
            is_so = f"listed as {entry.purpose.value}, not as a seal" if entry else "not"
            detail = f"{named(signer)} is {is_so} on list {self._trust.sequence}"
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
        strange = [Certificate(member).digest[:16] for member in members if member not in listed_in(self._trust)]
        told = f"{len(strange)} certificates inside are not on the trust list: sha256 {', '.join(strange[:4])}"
        self._findings.settle(
            Id.EMBEDDED_CERTIFICATES, told if strange else "", sub_indication="SIG_CONSTRAINTS_FAILURE"
        )

    def timestamps(
        self, signed: cms.SignedData, revisions: tuple[tail.Revision, ...], file: bytes, *, is_listed: bool
    ) -> Stamps:
        """Judge the token on the signature, if there is one, and those of the revisions after the seal."""
        if not is_listed:
            for which in (Id.TIMESTAMP_TOKEN, Id.TIMESTAMP, Id.ARCHIVE):
                self._findings.open(which, None, "not asked of a signer that is not listed")
            return Stamps(seal=self._time_of_a_stranger(signed))
        own = self._own(signed)
        archive = [self._archived(revision, layer, file) for layer, revision in enumerate(revisions, start=1)]
        stamps = tuple(stamp for stamp in (own, *archive) if stamp is not None)
        proofs = existence.prove(stamps, self._layers, trust=self._trust, at=self._at)
        self._archive_answer(proofs, foreign=archive.count(None))
        good = [proof for proof in proofs if not proof.fault]
        self._timestamp_answer(own, proofs, has_good=bool(good))
        archived = tuple(_facts(proof) for proof in good if proof.stamp.layer)
        return Stamps(_facts(good[0]), good[0].stamp.layer, archived) if good else Stamps()

    def _time_of_a_stranger(self, signed: cms.SignedData) -> TimestampFacts | None:
        """Return when a seal that is not listed existed, if a listed authority says so: a newer list may name it."""
        data = signed.unsigned.get(cms.SIGNATURE_TIMESTAMP)
        if data is None:
            return None
        try:
            found = self._check(data, imprint_of=signed.signature, authorities=self._clocks)
        except token.TokenRefused:
            return None
        stamp = existence.Stamp(entry=self._authorities[found.certificate.digest], at=found.at, layer=0)
        (proof,) = existence.prove((stamp,), self._layers[:1], trust=self._trust, at=self._at)
        return None if proof.fault else _facts(proof)

    def _own(self, signed: cms.SignedData) -> existence.Stamp | None:
        findings, data = self._findings, signed.unsigned.get(cms.SIGNATURE_TIMESTAMP)
        if data is None:
            findings.passed(Id.TIMESTAMP_TOKEN, "none is attached")
            return None
        try:
            found = self._check(data, imprint_of=signed.signature, authorities=self._clocks)
        except token.TokenRefused as error:
            findings.failed(Id.TIMESTAMP_TOKEN, error.sub_indication, str(error))
            findings.open(Id.TIMESTAMP, error.sub_indication, "the token does not count")
            return None
        findings.passed(Id.TIMESTAMP_TOKEN)
        self.embedded(found.embedded)
        return existence.Stamp(entry=self._authorities[found.certificate.digest], at=found.at, layer=0)

    def _archived(self, revision: tail.Revision, layer: int, file: bytes) -> existence.Stamp | None:
        """Check a token over a revision; None if it is good, but by an authority that is not listed."""
        covered = revision.covered(file)
        try:
            if token.is_by_another(revision.token, authorities=self._clocks):
                token.check_foreign(revision.token, imprint_of=covered)
                return None
            found = self._check(revision.token, imprint_of=covered, authorities=self._clocks)
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
            findings.failed(Id.CHAIN, "CHAIN_CONSTRAINTS_FAILURE", f"{named(signer)}: {usage}")
        elif judged.is_good:
            findings.passed(Id.CHAIN)
        elif judged.is_only_time and stamp is None and judged.sub_indication == "OUT_OF_BOUNDS_NO_POE":
            findings.open(Id.CHAIN, judged.sub_indication, judged.detail)
        else:
            findings.failed(Id.CHAIN, judged.sub_indication, judged.detail)
        return judged

    def revocation(self, entry: TrustEntry, stamps: Stamps) -> bool:
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
        said = revocation.judge(links, inside, at=at, inside=self._layers[0], later=later)
        self._findings.add(Id.REVOCATION, said.state, said.sub_indication, said.detail)
        return is_proven and bool(links) and said.state is State.PASSED


@kept
def listed_in(trust: TrustList) -> frozenset[bytes]:
    """Return every certificate of a list, in DER, that its entry names rightly by its digest."""
    return frozenset(entry.der for entry in trust.entries if Certificate(entry.der).digest == entry.certificate_digest)


@kept
def _read(trust: TrustList) -> tuple[Mapping[str, TrustEntry], tuple[Certificate, ...]]:
    """Return a list's authorities of time by the digests of their certificates, and these."""
    authorities = {entry.certificate_digest: entry for entry in trust.of(Purpose.TSA)}
    return authorities, tuple(certificates.known(entry.der) for entry in authorities.values())


def _facts(proof: existence.Proof) -> TimestampFacts:
    return TimestampFacts(
        at=proof.stamp.at,
        certificate_digest=proof.stamp.entry.certificate_digest,
        through=None if proof.is_by_itself and not proof.stamp.layer else "archive",
    )
