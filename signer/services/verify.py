"""Verify a file: gather every fact on its own, then let `verification.decide` judge."""

from __future__ import annotations

import base64
import hashlib
from typing import TYPE_CHECKING, Protocol

import structlog

from signer import metrics
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
from signer.domain.log_facts import NO_LOG, LogFacts
from signer.domain.trust import Purpose
from signer.domain.values import beijing_day
from signer.metrics.catalogue import VERDICTS
from signer.services import log_gathering
from signer.services.alarms import NoWatch
from signer.services.on_paper import PaperJudging, no_scanner, scanned, signed_codes, without_code
from signer.verification.decide import decide
from signer.verification.record import official_copy

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from signer.domain.number import Number
    from signer.domain.scan import Scan
    from signer.domain.trust import TrustList
    from signer.domain.verdict import Verdict
    from signer.services.alarms import Watch
    from signer.services.on_paper import Listed
    from signer.services.sources import Source
    from signer.verification.policy import Policy

log = structlog.get_logger()


class Judge(Protocol):
    """What finds the facts of a seal."""

    def __call__(self, data: bytes, trust: TrustList, at: datetime, /, *, is_known: bool = False) -> SealFacts:
        """Return the facts of a file's seal; `is_known` tells that the file is one on record, byte for byte."""


class Verifying:
    """Verify files against a trust list and what a register says: asked now, or in an offline bundle."""

    def __init__(
        self,
        *,
        source: Source,
        judge: Judge,
        policy: Policy,
        clock: Callable[[], datetime],
        watch: Watch | None = None,
        scanner: Callable[[bytes], Scan] = no_scanner,
    ) -> None:
        self._scanner = scanner
        self._papers = PaperJudging(source=source, policy=policy, clock=clock)
        self._watch = watch or NoWatch()
        self._of = "own file" if watch is None else "file"
        self._source = source
        self._judge = judge
        self._policy = policy
        self._clock = clock

    def file(self, data: bytes, asked: Asked | None = None) -> Verdict:
        """Return the verdict on a file; every content whatsoever has one."""
        return self.file_for(data, lambda _: asked or Asked())

    def file_for(self, data: bytes, ask: Callable[[Listed | None], Asked]) -> Verdict:
        """
        Return the verdict on a file for a question that depends on the record which it names.

        A file that is filed as an official copy is not parsed: the question is only how its record stands. A picture in
        which there is a signed code is judged as paper.
        """
        if (copy := self.copy(data)) is not None:
            digest, verdict = copy.file.file_digest, official_copy(copy, ask(copy.record), self._policy)
        else:
            facts = self.gather(data)
            digest, verdict = facts.file.file_digest, self._judged(data, facts, ask)
        log.info("file.verified", code=verdict.code, number=verdict.number, file=digest[:16])
        metrics.count(VERDICTS, verdict.code, self._of)
        for one in (verdict, *verdict.others):
            self._watch.heed(one)
        return verdict

    def _judged(self, data: bytes, facts: Facts, ask: Callable[[Listed | None], Asked]) -> Verdict:
        """Judge a file by its seal, or what is on a picture of paper by its codes."""
        scan = scanned(self._scanner, data, facts.seal)
        if found := signed_codes(scan):
            return self._papers.verdict(found, ask, is_whole=scan.is_whole)
        facts = facts.model_copy(update={"seal": without_code(data, facts.seal, scan)})
        return self.decide(facts, ask(facts.register_.record))

    def sitting(self, files: tuple[bytes, ...]) -> Verifying:
        """Return this, for one request about these files: what is the same for all of them is asked once."""
        digests = tuple(hashlib.sha256(data).hexdigest() for data in files)
        return Verifying(
            source=self._source.sitting(digests),
            judge=self._judge,
            policy=self._policy,
            clock=self._clock,
            watch=self._watch,
            scanner=self._scanner,
        )

    def copy(self, data: bytes) -> CopyFacts | None:
        """Find whether a file is filed as an official copy, by its digest alone, and how its record stands."""
        digest, at = hashlib.sha256(data).hexdigest(), self._clock()
        filed = self._source.copy(digest, at)
        if filed is None:
            return None
        trust = self._source.trust()
        return CopyFacts(
            at=at,
            today=beijing_day(at),
            file=FileFacts(size=len(data), file_digest=digest),
            filed_at=filed.at,
            record=filed.record,
            test=trust.test,
            trust_list=trust.sequence,
            entry=trust.by_digest(filed.seal_digest) if filed.seal_digest else None,
        )

    def gather(self, data: bytes) -> Facts:
        """Find everything that can be known of a file, judging nothing."""
        is_known = self._source.holds(hashlib.sha256(data).hexdigest())
        return self._facts(data, self._register, is_known=is_known)

    def gather_before_record(self, data: bytes, expected: Callable[[FileFacts], RegisterFacts]) -> Facts:
        """
        Find the facts of a file that is sealed but not recorded yet, over the register as it will be.

        It is known, byte for byte, to be of our own making: no stranger's bytes are in it (docs/adr/0033).
        """
        return self._facts(data, lambda _seal, file, _content, _at: expected(file), is_known=True)

    def decide(self, facts: Facts, asked: Asked) -> Verdict:
        """Judge facts for what was asked."""
        return decide(facts, asked, self._policy)

    def _facts(
        self,
        data: bytes,
        register: Callable[[SealFacts, FileFacts, ContentFacts, datetime], RegisterFacts],
        *,
        is_known: bool,
    ) -> Facts:
        at, trust = self._clock(), self._source.trust()
        seal = self._judge(data, trust, at, is_known=is_known)
        file, content = file_facts(data, seal), content_facts(seal)
        at = self._clock()
        return Facts(
            at=at,
            today=beijing_day(at),
            file=file,
            seal=seal,
            content=content,
            register_=register(seal, file, content, at),
            trust=self._source.later(trust_facts(trust, seal), at),
            log=self._log(seal, file, content, trust),
        )

    def _log(self, seal: SealFacts, file: FileFacts, content: ContentFacts, trust: TrustList) -> LogFacts:
        """Find what the log says: as the register has it, and by the proof inside the file."""
        number = claimed_number(seal, content)
        said = NO_LOG if seal.form is not Form.SEALED else self._source.log(number, file)
        return said.model_copy(update={"attached": log_gathering.attached(seal, content, trust)})

    def _register(self, seal: SealFacts, file: FileFacts, content: ContentFacts, at: datetime) -> RegisterFacts:
        number = claimed_number(seal, content)
        if seal.form in (Form.UNREADABLE, Form.STRANGER) and number is None:
            return RegisterFacts(source="none", as_of=at, is_complete=True)
        made_at = seal.timestamp.at if seal.timestamp else seal.claimed_at
        return self._source.register(number, file, content, made_at=made_at, at=at)


def claimed_number(seal: SealFacts, content: ContentFacts) -> Number | None:
    """Return the number that a file names: in its sealed content, else where it claims one."""
    return content.confirmation.number if content.confirmation else seal.claimed_number


def file_facts(data: bytes, seal: SealFacts) -> FileFacts:
    """Compute what the parent never takes from the child: the digests of the file and of S."""
    length = seal.sealed_length
    is_inside = length is not None and length <= len(data)
    digest = hashlib.sha256(memoryview(data)[:length] if is_inside else b"")
    sealed = digest.hexdigest() if is_inside else None
    digest.update(memoryview(data)[length:] if is_inside else data)
    return FileFacts(size=len(data), file_digest=digest.hexdigest(), sealed_digest=sealed)


def content_facts(seal: SealFacts) -> ContentFacts:
    """Parse the attachment of the sealed revision with the domain's own parser."""
    if seal.content is None:
        return ContentFacts(fault="absent")
    try:
        encoded = base64.b64decode(seal.content, validate=True)
        confirmation = encoding.parse_kept(encoded)
    except encoding.ContentRefused as error:
        digest = encoding.content_digest(encoded).hex()
        return ContentFacts.model_validate(
            {"fault": error.reason, "detail": error.detail[:400], "content_digest": digest}
        )
    except ValueError:
        return ContentFacts(fault="malformed", detail="the attachment is not base64 from the child")
    return ContentFacts(confirmation=confirmation, content_digest=encoding.content_digest(encoded).hex())


def trust_facts(trust: TrustList, seal: SealFacts) -> TrustFacts:
    """Pick from the trust list what the decision may see: its age, and the entry of the seal's certificate."""
    found = trust.by_digest(seal.certificate_digest) if seal.certificate_digest else None
    entry = found if found is not None and found.purpose is Purpose.PDF_SEAL else None
    return TrustFacts(sequence=trust.sequence, issued=trust.issued, expires=trust.expires, test=trust.test, entry=entry)
