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
    CopyFacts,
    Facts,
    FileFacts,
    Form,
    RegisterFacts,
    SealFacts,
    TrustFacts,
)
from signer.domain.trust import Purpose, SealState
from signer.domain.values import beijing_day
from signer.register import lookup, official, restores, seals, upgrades
from signer.register.scope import Scope
from signer.verification.decide import decide
from signer.verification.record import official_copy

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from signer.domain.evidence import RecordFacts
    from signer.domain.number import Number
    from signer.domain.trust import TrustList
    from signer.domain.verdict import Verdict
    from signer.register.database import Database
    from signer.verification.policy import Policy

    Judge = Callable[[bytes, TrustList, datetime], SealFacts]

log = structlog.get_logger()


_ANYBODY = Scope.everything("anybody may verify any file")


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
        return self.file_for(data, lambda _: asked or Asked())

    def file_for(self, data: bytes, ask: Callable[[RecordFacts | None], Asked]) -> Verdict:
        """
        Return the verdict on a file for a question that depends on the record which it names.

        A file that is filed as an official copy is not parsed: the question is only how its record stands.
        """
        if (copy := self._copy(data)) is not None:
            digest, verdict = copy.file.file_digest, official_copy(copy, ask(copy.record), self._policy)
        else:
            facts = self.gather(data)
            digest, verdict = facts.file.file_digest, self.decide(facts, ask(facts.register_.record))
        log.info("file.verified", code=verdict.code, number=verdict.number, file=digest[:16])
        return verdict

    def _copy(self, data: bytes) -> CopyFacts | None:
        """Find whether a file is filed as an official copy, by its digest alone, and how its record stands."""
        digest, at = hashlib.sha256(data).digest(), self._clock()
        with self._database.read() as tx:
            filed = official.filed(tx, digest)
            if filed is None:
                return None
            record = lookup.by_number(tx, filed.number, scope=_ANYBODY, at=at)
            if record is None:
                return None
            record = record.over(restores.gaps(tx))
        trust = self._trust()
        return CopyFacts(
            at=at,
            today=beijing_day(at),
            file=FileFacts(size=len(data), file_digest=digest.hex()),
            filed_at=filed.at,
            record=record,
            test=trust.test,
            trust_list=trust.sequence,
        )

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
        """
        Take the trust list's entry, and what the register knows better.

        That is its own word where it is worse, a seal held or retired now, and what the authorities said of the chain
        after the seal.
        """
        facts = trust_facts(trust, seal)
        entry = facts.entry
        if entry is None:
            return facts
        with self._database.read() as tx:
            said = upgrades.answers(tx, (entry.certificate_digest, *entry.chain))
            found = seals.standing_of(tx, entry.certificate_digest, at=at)
        told = {
            "revocation_as_of": min((one.this_update for one in said), default=None),
            "revoked_at": min((one.revoked_at for one in said if one.revoked_at is not None), default=None),
        }
        is_worse = found is not None and found[0] in (SealState.SUSPENDED, SealState.VERIFY_ONLY)
        if found is not None and is_worse and entry.state is SealState.ACTIVE:
            entry = entry.model_copy(update={"state": found[0], "state_since": found[1]})
        return facts.model_copy(update={"entry": entry, **told})

    def _register(self, seal: SealFacts, file: FileFacts, content: ContentFacts, at: datetime) -> RegisterFacts:
        number = claimed_number(seal, content)
        if seal.form in (Form.UNREADABLE, Form.STRANGER) and number is None:
            return RegisterFacts(source="none", as_of=at, is_complete=True)
        with self._database.read() as tx:
            sealed = bytes.fromhex(file.sealed_digest) if file.sealed_digest else None
            made_at = seal.timestamp.at if seal.timestamp else seal.claimed_at
            gaps = restores.gaps(tx)
            record = lookup.by_number(tx, number, scope=_ANYBODY, at=at) if number else None
            return RegisterFacts(
                source="register",
                as_of=at,
                is_complete=made_at is None or not any(gap.may_hold(made_at) for gap in gaps),
                record=record.over(gaps) if record else None,
                number_of_digest=lookup.number_of_sealed(tx, sealed, scope=_ANYBODY) if sealed else None,
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
