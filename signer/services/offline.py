"""Verify without a register and without a network: by what imported bundles say, of one issuer or of several."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Self

from signer import metrics
from signer.domain.evidence import Asked, ContentFacts, RegisterFacts
from signer.domain.log_facts import NO_LOG
from signer.domain.number import Number
from signer.domain.paper_evidence import StatusFacts, ToldStatus
from signer.domain.scan import NO_SCAN
from signer.domain.status_list import Doubt, Status
from signer.domain.trust import SealState
from signer.domain.values import beijing_day
from signer.domain.verdict import Code
from signer.errors import InvalidInput, Misconfigured
from signer.metrics.catalogue import VERDICTS
from signer.services.lookups import parse_number, parse_tail
from signer.services.on_paper import (
    Found,
    PaperJudging,
    no_scanner,
    scanned,
    signed_codes,
    typed_code,
    without_code,
)
from signer.services.sources import FiledCopy, OnPaper
from signer.services.verify import Verifying
from signer.verification import record as records
from signer.verification.paper import together
from signer.verification.record import RecordQuestion

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from signer.domain.evidence import Facts, FileFacts, RecordFacts, TrustFacts
    from signer.domain.log_facts import LogFacts
    from signer.domain.paper_code import PaperClaims
    from signer.domain.scan import Scan
    from signer.domain.trust import TrustList
    from signer.domain.verdict import Verdict
    from signer.services.on_paper import Listed
    from signer.services.shelf import Issuer, Shelf
    from signer.services.verify import Judge
    from signer.verification.policy import Policy

TOLD: dict[Status, ToldStatus] = {
    Status.IN_FORCE: "in-force",
    Status.ENDED: "ended",
    Status.NOT_NOW: "not-now",
    Status.REPLACED: "replaced",
}
_NO_CONTENT = ContentFacts(fault="absent")


class BundleSource:
    """What one issuer's register said, as of its bundle: a `Source` like the register itself."""

    def __init__(self, issuer: Issuer) -> None:
        self._issuer = issuer
        self._kept = issuer.kept

    def trust(self) -> TrustList:
        """Return the list in the bundle."""
        return self._issuer.trust

    def later(self, facts: TrustFacts, at: datetime) -> TrustFacts:
        """Add what the register knew better of the seal, and the answers that it kept."""
        del at
        entry = facts.entry
        if entry is None:
            return facts
        said = self._kept.revocations((entry.certificate_digest, *entry.chain))
        word = self._kept.seal(entry.certificate_digest)
        told = {
            "revocation_as_of": min((one.this_update for one in said), default=None),
            "revoked_at": min((one.revoked_at for one in said if one.revoked_at is not None), default=None),
        }
        if word is not None and entry.state is SealState.ACTIVE:
            entry = entry.model_copy(update={"state": word.state, "state_since": word.state_since})
        return facts.model_copy(update={"entry": entry, **told})

    def register(
        self, number: Number | None, file: FileFacts, content: ContentFacts, *, made_at: datetime | None, at: datetime
    ) -> RegisterFacts:
        """Find the record of the number, and the number of S. A record at odds with the content says nothing at all."""
        del at
        header = self._kept.header
        line = self._kept.record(number) if number else None
        record = line.facts(content, header) if line else None
        is_contradicted = line is not None and record is None
        found = self._kept.number_of("sealed", file.sealed_digest) if file.sealed_digest else None
        return RegisterFacts(
            source="bundle",
            as_of=header.complete_until,
            is_complete=not is_contradicted
            and (made_at is None or not any(gap.may_hold(made_at) for gap in header.gaps)),
            record=record,
            number_of_digest=Number(found) if found and not is_contradicted else None,
        )

    def log(self, number: Number | None, file: FileFacts) -> LogFacts:
        """Return nothing: a bundle holds no log."""
        del number, file
        return NO_LOG

    def code(self, claims: PaperClaims | None, at: datetime) -> OnPaper:
        """Find the record of the number, its digest and how it stands, and what its status list says of it."""
        header = self._kept.header
        line = self._kept.record(claims.number) if claims else None
        record = line.facts(_NO_CONTENT, header) if line else None
        facts = RegisterFacts(source="bundle", as_of=header.complete_until, is_complete=not header.gaps, record=record)
        return OnPaper(register=facts, status=self._status(claims, at) if claims else None)

    def _status(self, claims: PaperClaims, at: datetime) -> StatusFacts | None:
        if claims.status is None:
            return None
        number, index = claims.status
        said = self._issuer.status_of(number, index, code_at=claims.issued_at, at=at)
        if said.doubt is Doubt.MISSING:
            return None
        word = TOLD[said.status] if said.status is not None else None
        return StatusFacts(status=word, doubt=said.doubt, as_of=said.as_of)

    def holds(self, file_digest: str) -> bool:
        """Tell whether the bundle names this file."""
        return self._kept.number_of("file", file_digest) is not None

    def copy(self, file_digest: str, at: datetime) -> FiledCopy | None:
        """Find the official copy of this digest; the record's content is not in a bundle."""
        del at
        number = self._kept.number_of("copy", file_digest)
        line = self._kept.record(number) if number else None
        record = line.facts(_NO_CONTENT, self._kept.header) if line else None
        if line is None or record is None:
            return None
        filed_at = next(copy.filed_at for copy in line.copies if copy.file_digest == file_digest)
        return FiledCopy(at=filed_at, record=record, seal_digest=line.seal_digest)

    def sitting(self, file_digests: tuple[str, ...]) -> Self:
        """Return this: a bundle does not change."""
        del file_digests
        return self


class OfflineVerifying:
    """Verify files by imported bundles: by that of the issuer whose list names the seal; if none does, by all."""

    def __init__(
        self,
        *,
        shelf: Shelf,
        judge: Judge,
        policy: Policy,
        clock: Callable[[], datetime],
        scanner: Callable[[bytes], Scan] = no_scanner,
    ) -> None:
        self._scanner = scanner
        self._shelf = shelf
        self._judge = judge
        self._policy = policy
        self._clock = clock

    def file(self, data: bytes, asked: Asked | None = None) -> Verdict:
        """Return the verdict on a file. Misconfigured if no bundle was imported."""
        return self.file_for(data, lambda _: asked or Asked())

    def file_for(self, data: bytes, ask: Callable[[Listed | None], Asked]) -> Verdict:
        """Return the verdict on a file for a question that depends on the record which it names."""
        verdict = self._verdict(data, ask)
        metrics.count(VERDICTS, verdict.code, "file")
        return verdict

    def _verdict(self, data: bytes, ask: Callable[[Listed | None], Asked]) -> Verdict:
        waiting = {issuer: self._house(issuer) for issuer in issuers_of(self._shelf)}
        for house in waiting.values():
            if house.copy(data) is not None:
                return house.file_for(data, ask)
        strangers: list[tuple[Facts, Verdict]] = []
        while waiting:
            house = waiting.pop(_likeliest(tuple(waiting), strangers))
            facts = house.gather(data)
            scan = scanned(self._scanner, data, facts.seal) if not strangers else NO_SCAN
            if found := signed_codes(scan):
                return on_paper(self._shelf, found, ask, policy=self._policy, clock=self._clock)
            facts = facts.model_copy(update={"seal": without_code(data, facts.seal, scan)})
            verdict = house.decide(facts, ask(facts.register_.record))
            if facts.trust.entry is not None:
                return verdict
            strangers.append((facts, verdict))
        return _of_nobody(strangers)

    def sitting(self, files: tuple[bytes, ...]) -> Self:
        """Return this: a shelf is at hand."""
        del files
        return self

    def _house(self, issuer: Issuer) -> Verifying:
        return Verifying(source=BundleSource(issuer), judge=self._judge, policy=self._policy, clock=self._clock)


def on_paper(
    shelf: Shelf,
    found: tuple[Found, ...],
    ask: Callable[[Listed | None], Asked],
    *,
    policy: Policy,
    clock: Callable[[], datetime],
) -> Verdict:
    """
    Return the verdict on codes by the bundles of those whose lists name their keys; by all of them if none does.

    A key is unknown only if every list says so with authority: one that could not say makes it a doubt.
    """
    houses = [PaperJudging(source=BundleSource(one), policy=policy, clock=clock) for one in issuers_of(shelf)]
    verdicts: list[Verdict] = []
    unknown = found
    for house in houses:
        if mine := tuple(one for one in unknown if house.knows(one)):
            verdicts.append(house.verdict(mine, ask))
        unknown = tuple(one for one in unknown if one not in mine)
    if unknown:
        said = [house.verdict(unknown, ask) for house in houses]
        verdicts.append(next((one for one in said if one.code is Code.INDETERMINATE), said[0]))
    return together(tuple(one for verdict in verdicts for one in (verdict, *verdict.others)))


def issuers_of(shelf: Shelf) -> tuple[Issuer, ...]:
    """Return the issuers of a shelf. Misconfigured if there is none."""
    found = shelf.issuers()
    if not found:
        raise Misconfigured("no offline bundle is here: import one (`signer import-bundle`), or name it (--bundle)")
    return found


def as_of(shelf: Shelf) -> tuple[tuple[str, datetime], ...]:
    """Return whose bundles are on a shelf, and as of when each speaks."""
    return tuple((issuer.header.origin, issuer.header.complete_until) for issuer in shelf.issuers())


def _likeliest(issuers: tuple[Issuer, ...], found: list[tuple[Facts, Verdict]]) -> Issuer:
    """Return the issuer to ask next: one whose list names the seal, once it is known whose list is needed."""
    digest = found[0][0].seal.certificate_digest if found else None
    return next((one for one in issuers if digest and one.trust.by_digest(digest) is not None), issuers[0])


def _of_nobody(found: list[tuple[Facts, Verdict]]) -> Verdict:
    """
    Choose among the verdicts on a file whose seal no list names.

    A seal is unknown only if every list says so with authority: one that could not say makes it a doubt. Else the one
    whose register holds the number tells most.
    """
    codes = {verdict.code for _, verdict in found}
    graver = Code.INDETERMINATE if {Code.UNKNOWN_SEAL, Code.INDETERMINATE} <= codes else min(codes, key=_rank)
    return min((pair for pair in found if pair[1].code is graver), key=lambda pair: pair[0].register_.record is None)[1]


def _rank(code: Code) -> int:
    return code.rank


class OfflineLookups:
    """Look-ups without a register: only a file's SHA-256 can be found; a bundle holds no VIN to compare with."""

    def __init__(self, *, shelf: Shelf, policy: Policy, clock: Callable[[], datetime]) -> None:
        self._shelf = shelf
        self._policy = policy
        self._clock = clock

    def by_tail(self, number: str, tail: str, *, network: str, asked: Asked | None = None) -> Verdict:
        """Answer that this needs the register. InvalidInput for what can be no number or tail."""
        del network, asked
        parse_number(number)
        parse_tail(tail)
        return self._needed()

    def share(self, number: str, asked: Asked, *, network: str) -> Verdict:
        """Answer that this needs the register."""
        return self.covered((number,), asked, network=network)

    def covered(self, numbers: tuple[str, ...], asked: Asked, *, network: str) -> Verdict:
        """Answer that this needs the register. InvalidInput for what can be no number."""
        del asked, network
        for number in numbers:
            parse_number(number)
        return self._needed()

    def digest(self, sha256: str) -> Verdict:
        """Return ON_RECORD, or the standing, for a file's SHA-256 (hex); INDETERMINATE (SEND_FILE) if it is unknown."""
        text = sha256.strip().lower()
        if not re.fullmatch(r"[0-9a-f]{64}", text):
            raise InvalidInput("sha256", "is 64 hexadecimal digits")
        issuers = issuers_of(self._shelf)
        for issuer in issuers:
            record = _record_of_file(issuer, text)
            if record is not None and records.is_public(record):
                question = self._question(issuer, (record,), subject="digest")
                return records.on_record(question, Asked(), self._policy, today=beijing_day(question.at))
        return records.unknown_digest(self._question(issuers[0], (), subject="digest"), self._policy)

    def code(self, text: str, asked: Asked | None = None) -> Verdict:
        """Return the verdict on a signed code as text, by the bundles. InvalidInput for what cannot be one."""
        found = (Found(1, typed_code(text)),)
        return on_paper(self._shelf, found, lambda _: asked or Asked(), policy=self._policy, clock=self._clock)

    def _needed(self) -> Verdict:
        return records.needs_register(self._question(issuers_of(self._shelf)[0], ()), self._policy)

    def _question(self, issuer: Issuer, found: tuple[RecordFacts, ...], subject: str = "record") -> RecordQuestion:
        trust = issuer.trust
        return RecordQuestion.model_validate(
            {
                "at": self._clock(),
                "test": trust.test,
                "trust_list": trust.sequence,
                "records": found,
                "subject": subject,
            }
        )


def _record_of_file(issuer: Issuer, digest: str) -> RecordFacts | None:
    kept = issuer.kept
    number = kept.number_of("file", digest) or kept.number_of("copy", digest)
    line = kept.record(number) if number else None
    return line.facts(_NO_CONTENT, kept.header) if line else None
