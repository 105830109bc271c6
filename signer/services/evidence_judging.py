"""Judge an evidence bundle without a network: its PDF by the pinned root's trust list and what is signed beside it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from signer.domain import content as encoding
from signer.domain import status_list as plain
from signer.domain.evidence import RegisterFacts
from signer.domain.log_facts import NO_LOG, LogFacts
from signer.domain.receipt import FileSubject, VerdictClaims
from signer.errors import BundleRefused, InvalidInput
from signer.seal import log_trust, receipt, record_word, status_list
from signer.services import evidence_opening, log_gathering
from signer.services.evidence_parts import CHECKPOINT, CONTENT, PROOF, RECEIPT, RECORD, STATUS
from signer.services.offline import BundleSource
from signer.services.sources import FiledCopy, OnPaper
from signer.services.verify import Verifying
from signer.transparency import checkpoints

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from signer.domain.evidence import Asked, ContentFacts, Facts, FileFacts, TrustFacts
    from signer.domain.number import Number
    from signer.domain.paper_code import PaperClaims
    from signer.domain.record_word import RecordWord
    from signer.domain.status_list import Said, StatusList
    from signer.domain.trust import TrustList
    from signer.domain.verdict import Verdict
    from signer.seal.trust import RootKey
    from signer.services.evidence_opening import Opened
    from signer.services.shelf import Issuer, Shelf
    from signer.services.verify import Judge
    from signer.verification.policy import Policy

_NOTHING = plain.Said()


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """The verdict on the PDF of a bundle, and by what it was judged."""

    verdict: Verdict
    trust_list: int
    record_as_of: datetime | None
    status_as_of: datetime | None
    log_size: int | None


class EvidenceSource:
    """What is signed in one bundle, and what is kept here of the same issuer: a `Source` like the register itself."""

    def __init__(self, opened: Opened, trust: TrustList, issuer: Issuer | None, *, at: datetime) -> None:
        """Believe every part, or none of the bundle. Raises BundleRefused."""
        self._opened = opened
        self._trust = trust
        self._kept = BundleSource(issuer) if issuer else None
        self._at = at
        try:
            self.word = self._record()
            self.list = self._list(issuer)
            self.log_size = self._head()
            self._refuse_receipt()
        except InvalidInput as error:
            raise error if isinstance(error, BundleRefused) else BundleRefused(str(error)) from error

    def _record(self) -> RecordWord | None:
        token = self._opened.parts.get(RECORD)
        word = record_word.believe(token, self._trust) if token is not None else None
        if word is not None and word.record.number != self._opened.number:
            raise BundleRefused(f"{RECORD} is about {word.record.number}, not {self._opened.number}")
        return word

    def _list(self, issuer: Issuer | None) -> StatusList | None:
        """Return the latest status list that is at hand: of the bundle, or kept here since."""
        token, place = self._opened.parts.get(STATUS), self.word.status if self.word else None
        brought = status_list.believe(token, self._trust) if token is not None else None
        if brought is not None and (place is None or brought.number != place.list):
            raise BundleRefused(f"{STATUS} is list {brought.number}, in which the record has no place")
        kept = issuer.status_list(place.list) if issuer and place else None
        found = [one for one in (brought.list if brought else None, kept) if one is not None]
        return max(found, key=lambda one: one.at, default=None)

    def _head(self) -> int | None:
        note = self._opened.parts.get(CHECKPOINT)
        if note is None:
            return None
        keys = log_trust.keys(self._trust, at=self.word.as_of if self.word else self._at)
        try:
            return checkpoints.open_signed(note.decode("utf-8"), keys).checkpoint.size
        except UnicodeDecodeError as error:
            raise BundleRefused(f"{CHECKPOINT} is no text") from error

    def _refuse_receipt(self) -> None:
        """Refuse a receipt that is forged, or about another file; one that cannot be told from here says nothing."""
        token = self._opened.parts.get(RECEIPT)
        if token is None:
            return
        found = receipt.examine(token, self._trust, at=self._at)
        if found.state == "not-genuine":
            raise BundleRefused(f"{RECEIPT}: {found.reason}: {found.detail}")
        pdf, claims = self._opened.pdf, found.claims
        mine = FileSubject(sha256=hashlib.sha256(pdf).hexdigest(), size=len(pdf))
        if claims is not None and (not isinstance(claims, VerdictClaims) or claims.subject != mine):
            raise BundleRefused(f"{RECEIPT} is about another file than the PDF")

    def refuse_other_content(self, facts: Facts) -> None:
        """Refuse a `confirmation.json` that is not the PDF's own. Raises BundleRefused."""
        beside, inside = self._opened.parts.get(CONTENT), facts.content.content_digest
        if beside is not None and inside is not None and encoding.content_digest(beside).hex() != inside:
            raise BundleRefused(f"{CONTENT} is not what is attached to the PDF")

    def trust(self) -> TrustList:
        """Return the trust list to judge by."""
        return self._trust

    def code(self, claims: PaperClaims | None, at: datetime) -> OnPaper:
        """Return nothing: what is on paper is in no bundle."""
        del claims
        return OnPaper(register=RegisterFacts(source="none", as_of=at, is_complete=False))

    def later(self, facts: TrustFacts, at: datetime) -> TrustFacts:
        """Add what a kept bundle knows better of the seal."""
        return self._kept.later(facts, at) if self._kept else facts

    def register(
        self, number: Number | None, file: FileFacts, content: ContentFacts, *, made_at: datetime | None, at: datetime
    ) -> RegisterFacts:
        """Return the latest word on the number: of the bundle, or of an offline bundle that is kept here."""
        kept = self._kept.register(number, file, content, made_at=made_at, at=at) if self._kept else None
        record = self.word.facts(content, self.list, self._said()) if self.word else None
        told = record.told if record else None
        if record is None or told is None or number != record.number:
            return kept or RegisterFacts(source="none", as_of=at, is_complete=False)
        if kept is not None and kept.record is not None and kept.as_of >= told.at:
            return kept
        is_ours = file.sealed_digest in record.sealed_digests
        return RegisterFacts(
            source="bundle",
            as_of=told.at,
            is_complete=False,
            record=record,
            number_of_digest=record.number if is_ours else None,
        )

    def _said(self) -> Said:
        word = self.word
        if word is None or word.status is None:
            return _NOTHING
        code_at = word.record.recorded_at or word.record.issued_at
        return plain.status_of(self.list, word.status.index, self._at, code_at=code_at)

    def log(self, number: Number | None, file: FileFacts) -> LogFacts:
        """Return what the proof in the bundle proves."""
        proof = self._opened.parts.get(PROOF)
        if proof is None:
            return NO_LOG
        return LogFacts(issued=log_gathering.brought(proof, file, number, self._trust))

    def holds(self, file_digest: str) -> bool:
        """Tell that nobody here knows the file beforehand."""
        del file_digest
        return False

    def copy(self, file_digest: str, at: datetime) -> FiledCopy | None:
        """Find no official copy: the PDF of a bundle is one of ours."""
        del file_digest, at
        return None

    def sitting(self, file_digests: tuple[str, ...]) -> Self:
        """Return this: a bundle does not change."""
        del file_digests
        return self


class OfflineEvidence:
    """Judge evidence bundles by pinned roots, and by what is kept of their issuers."""

    def __init__(self, *, shelf: Shelf, judge: Judge, policy: Policy, clock: Callable[[], datetime]) -> None:
        self._shelf = shelf
        self._judge = judge
        self._policy = policy
        self._clock = clock

    def file(self, data: bytes, asked: Asked, *, pinned: tuple[RootKey, ...]) -> Judged:
        """Return the verdict on a bundle's PDF. Raises BundleRefused if anything beside it is not as it was signed."""
        opened = evidence_opening.unpack(data)
        trusted = self._shelf.believe(opened.trust_list, pinned=pinned)
        source = EvidenceSource(opened, trusted.trust, trusted.issuer, at=self._clock())
        house = Verifying(source=source, judge=self._judge, policy=self._policy, clock=self._clock)
        facts = house.gather(opened.pdf)
        source.refuse_other_content(facts)
        return Judged(
            verdict=house.decide(facts, asked),
            trust_list=trusted.trust.sequence,
            record_as_of=source.word.as_of if source.word else None,
            status_as_of=source.list.at if source.list else None,
            log_size=source.log_size,
        )
