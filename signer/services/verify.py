"""Verify a file: gather every fact on its own, then let `verification.decide` judge."""

from __future__ import annotations

import base64
import hashlib
from typing import TYPE_CHECKING

import structlog

from signer.domain import content as encoding
from signer.domain.evidence import (
    Asked,
    ContentFacts,
    Facts,
    FileFacts,
    Form,
    RegisterFacts,
    SealFacts,
    TrustFacts,
)
from signer.domain.trust import Purpose, SealState
from signer.domain.values import beijing_day
from signer.register import lookup, parties, restores
from signer.verification.decide import decide

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from signer.domain.number import Number
    from signer.domain.trust import TrustList
    from signer.domain.verdict import Verdict
    from signer.register.database import Database
    from signer.verification.policy import Policy

    Judge = Callable[[bytes, TrustList, datetime], SealFacts]

log = structlog.get_logger()


class Verifying:
    """Verify files against the trust list and the register."""

    def __init__(
        self,
        *,
        database: Database,
        trust: Callable[[], TrustList],
        judge: Judge,
        policy: Policy,
        clock: Callable[[], datetime],
    ) -> None:
        self._database = database
        self._trust = trust
        self._judge = judge
        self._policy = policy
        self._clock = clock

    def file(self, data: bytes, asked: Asked | None = None) -> Verdict:
        """Return the verdict on a file; every content whatsoever has one."""
        facts = self.gather(data)
        verdict = self.decide(facts, asked or Asked())
        log.info("file.verified", code=verdict.code, number=verdict.number, file=facts.file.file_digest[:16])
        return verdict

    def gather(self, data: bytes) -> Facts:
        """Find everything that can be known of a file, judging nothing."""
        return self._facts(data, self._register)

    def gather_before_record(self, data: bytes, expected: Callable[[FileFacts], RegisterFacts]) -> Facts:
        """Find the facts of a file that is sealed but not recorded yet, over the register as it will be."""
        return self._facts(data, lambda _seal, file, _content, _at: expected(file))

    def decide(self, facts: Facts, asked: Asked) -> Verdict:
        """Judge facts for what was asked."""
        return decide(facts, asked, self._policy)

    def _facts(
        self, data: bytes, register: Callable[[SealFacts, FileFacts, ContentFacts, datetime], RegisterFacts]
    ) -> Facts:
        at, trust = self._clock(), self._trust()
        seal = self._judge(data, trust, at)
        file, content = file_facts(data, seal), content_facts(seal)
        at = self._clock()
        return Facts(
            at=at,
            today=beijing_day(at),
            file=file,
            seal=seal,
            content=content,
            register_=register(seal, file, content, at),
            trust=self._trust_facts(trust, seal, at),
        )

    def _trust_facts(self, trust: TrustList, seal: SealFacts, at: datetime) -> TrustFacts:
        """Take the trust list's entry, and the register's live word where that is worse: a seal suspended just now."""
        facts = trust_facts(trust, seal)
        if facts.entry is None or facts.entry.state is not SealState.ACTIVE:
            return facts
        with self._database.read() as tx:
            state = parties.seal_state(tx, facts.entry.certificate_digest, at=at)
        if state is not SealState.SUSPENDED:
            return facts
        return facts.model_copy(update={"entry": facts.entry.model_copy(update={"state": state})})

    def _register(self, seal: SealFacts, file: FileFacts, content: ContentFacts, at: datetime) -> RegisterFacts:
        number = claimed_number(seal, content)
        if seal.form in (Form.UNREADABLE, Form.STRANGER) and number is None:
            return RegisterFacts(source="none", as_of=at, is_complete=True)
        with self._database.read() as tx:
            sealed = bytes.fromhex(file.sealed_digest) if file.sealed_digest else None
            made_at = seal.timestamp.at if seal.timestamp else seal.claimed_at
            return RegisterFacts(
                source="register",
                as_of=at,
                is_complete=made_at is None or not restores.is_gap(tx, made_at),
                record=lookup.by_number(tx, number, at=at) if number else None,
                number_of_digest=lookup.number_of_sealed(tx, sealed) if sealed else None,
            )


def claimed_number(seal: SealFacts, content: ContentFacts) -> Number | None:
    """Return the number that a file names: in its sealed content, else where it claims one."""
    return content.confirmation.number if content.confirmation else seal.claimed_number


def file_facts(data: bytes, seal: SealFacts) -> FileFacts:
    """Compute what the parent never takes from the child: the digests of the file and of S."""
    length = seal.sealed_length
    sealed = hashlib.sha256(data[:length]).hexdigest() if length is not None and length <= len(data) else None
    return FileFacts(size=len(data), file_digest=hashlib.sha256(data).hexdigest(), sealed_digest=sealed)


def content_facts(seal: SealFacts) -> ContentFacts:
    """Parse the attachment of the sealed revision with the domain's own parser."""
    if seal.content is None:
        return ContentFacts(fault="absent")
    try:
        encoded = base64.b64decode(seal.content, validate=True)
        confirmation = encoding.parse(encoded)
    except encoding.ContentRefused as error:
        return ContentFacts.model_validate({"fault": error.reason, "detail": error.detail[:400]})
    except ValueError:
        return ContentFacts(fault="malformed", detail="the attachment is not base64 from the child")
    return ContentFacts(confirmation=confirmation, content_digest=encoding.content_digest(encoded).hex())


def trust_facts(trust: TrustList, seal: SealFacts) -> TrustFacts:
    """Pick from the trust list what the decision may see: its age, and the entry of the seal's certificate."""
    found = trust.by_digest(seal.certificate_digest) if seal.certificate_digest else None
    entry = found if found is not None and found.purpose is Purpose.PDF_SEAL else None
    return TrustFacts(sequence=trust.sequence, issued=trust.issued, expires=trust.expires, test=trust.test, entry=entry)
