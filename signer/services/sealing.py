"""From a reserved number to a recorded one: prove, render, lint, seal, check, store, record (steps 6 to 11)."""

from __future__ import annotations

import hashlib
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import structlog

from signer import metrics
from signer.domain import content as encoding
from signer.domain.confirmation import Standing
from signer.domain.evidence import Asked, FileFacts, LineFacts, RecordFacts, RegisterFacts
from signer.domain.verdict import Code
from signer.errors import RegisterUnavailable, SelfCheckFailed, SignerError
from signer.metrics.catalogue import ISSUE_SECONDS, ISSUED
from signer.register import audit, confirmations, lookup
from signer.register.journal import Entry

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from signer.domain.confirmation import Confirmation
    from signer.domain.number import Number
    from signer.domain.verdict import Verdict
    from signer.errors import Finding
    from signer.register.blobs import Blobs
    from signer.register.database import Database, Transaction
    from signer.register.journal import Journal
    from signer.register.parties import Seal, Tenant
    from signer.seal import sign
    from signer.services.engines import Page, SealBox
    from signer.services.proving import Proving
    from signer.services.verify import Verifying

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Issued:
    """An issued confirmation: its number and file, what the rules had to remark, and whether a key replayed it."""

    number: Number
    pdf: bytes
    level: str | None
    findings: tuple[Finding, ...]
    is_replay: bool = False


class Recorded(Protocol):
    """What else is done in the transaction that records a confirmation."""

    def __call__(self, tx: Transaction, number: Number, /, *, at: datetime) -> None:
        """Do it."""


def unheard(_tx: Transaction, _number: Number, /, *, at: datetime) -> None:
    """Do nothing more in the transaction that records a confirmation."""
    del at


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """
    A reserved number and what it takes to seal it; `at` is the intended time of the seal.

    `recorded` is done in the transaction that records it; errors of the kinds in `keeping` leave it pending.
    """

    tenant: Tenant
    seal: Seal
    confirmation: Confirmation
    encoded: bytes
    preparer: str
    approver: str
    origin: str
    at: datetime
    findings: tuple[Finding, ...] = ()
    recorded: Recorded = unheard
    keeping: tuple[type[SignerError], ...] = ()

    @property
    def number(self) -> Number:
        """The reserved number."""
        return self.confirmation.number


class Sealing:
    """Complete reserved numbers, one at a time; not to be shared between threads (the seal refuses)."""

    def __init__(
        self,
        *,
        database: Database,
        blobs: Blobs,
        page: Page,
        seals: SealBox,
        verifying: Verifying,
        proving: Proving,
        journal: Journal,
        clock: Callable[[], datetime],
    ) -> None:
        self._database = database
        self._blobs = blobs
        self._page = page
        self._seals = seals
        self._verifying = verifying
        self._proving = proving
        self._journal = journal
        self._clock = clock

    def refuse_unready(self, tenant: Tenant) -> None:
        """Refuse, before a number is used up, a manufacturer who lacks what a deployment demands. KeyUnavailable."""
        self._proving.refuse_unready(tenant)

    def complete(self, work: Work) -> Issued:
        """
        Seal, check and record a reserved number; nothing leaves before transaction 2 has committed.

        Whatever fails ends the number for ever, except what the work is kept for. A note on the error tells which.
        """
        with self._ending(work, use=None):
            with metrics.timed(ISSUE_SECONDS, "prove"):
                extras = self._proving.extras(work.number, work.tenant)
            with metrics.timed(ISSUE_SECONDS, "render"):
                page = self._page.render(work.confirmation, encoded=work.encoded, extras=extras)
            with metrics.timed(ISSUE_SECONDS, "seal"):
                sealed = self._seals.seal(page, work.seal, at=work.at, tsa_policy=work.tenant.tsa_policy)
        use = _use(work, sealed)
        with self._ending(work, use=use):
            return self._check_and_record(work, sealed, use)

    @contextmanager
    def _ending(self, work: Work, *, use: audit.SealUse | None) -> Iterator[None]:
        """End the number if the block fails; a use of the seal stands in the seal register all the same (B7)."""
        try:
            yield
        except SignerError as error:
            is_kept = isinstance(error, work.keeping)
            try:
                is_abandoned = self._end(work, error, use, is_kept=is_kept)
            except RegisterUnavailable as lost:
                error.add_note(f"number {work.number} was reserved; the register is gone ({lost}): maintenance ends it")
                raise error from lost
            if is_abandoned:
                error.add_note(f"number {work.number} was reserved; it is abandoned and will never be used")
            raise

    def _end(self, work: Work, error: SignerError, use: audit.SealUse | None, *, is_kept: bool) -> bool:
        metrics.count(ISSUED, error.code)
        log.error("sealing.failed", number=work.number, code=error.code, kept=is_kept)
        at = self._clock()
        with self._database.write() as tx:
            if use is not None:
                audit.note_seal_use(tx, use, manufacturer_id=work.tenant.id)
            reason = f"{error.code}: {error}"
            return not is_kept and confirmations.abandon(tx, work.number, scope=work.tenant.scope, reason=reason, at=at)

    def _check_and_record(self, work: Work, sealed: sign.Sealed, use: audit.SealUse) -> Issued:
        may_lack_proof = self._seals.may_lack_proof(work.tenant.tsa_policy)
        with metrics.timed(ISSUE_SECONDS, "check"):
            file = self._self_check(sealed.pdf, work, may_lack_proof=may_lack_proof)
        with metrics.timed(ISSUE_SECONDS, "store"):
            self._blobs.put(sealed.pdf)
        stored = confirmations.SealedFile(
            file_digest=bytes.fromhex(file.file_digest),
            sealed_digest=use.sealed_digest,
            sealed_length=sealed.sealed_length,
            size=file.size,
            level=sealed.level,
            timestamp_at=sealed.timestamp_at,
        )
        try:
            with metrics.timed(ISSUE_SECONDS, "record"), self._database.write() as tx:
                at = self._clock()
                confirmations.record(tx, work.number, stored, use, scope=work.tenant.scope, at=at)
                work.recorded(tx, work.number, at=at)
                journal_superseded(self._journal, work.confirmation, at=at)
        except RegisterUnavailable:
            if not self._is_recorded(work, stored.file_digest):
                raise
        self._proving.recorded()
        metrics.count(ISSUED, "issued")
        log.info("confirmation.issued", number=work.number, file=file.file_digest[:16], level=sealed.level)
        return Issued(number=work.number, pdf=sealed.pdf, level=sealed.level, findings=work.findings)

    def _is_recorded(self, work: Work, file_digest: bytes) -> bool:
        """Tell whether a commit whose answer was lost took place all the same."""
        with self._database.read() as tx:
            return lookup.number_of_file(tx, file_digest, scope=work.tenant.scope) == work.number

    def _self_check(self, pdf: bytes, work: Work, *, may_lack_proof: bool) -> FileFacts:
        """Verify the sealed file as any officer would, over the register as it will be (step 10)."""
        facts = self._verifying.gather_before_record(
            pdf, lambda file: prospective(work.confirmation, work.encoded, file, self._clock())
        )
        verdict = self._verifying.decide(facts, Asked())
        if not _is_sound(verdict, may_lack_proof=may_lack_proof):
            open_ = "; ".join(
                f"{check.id}: {check.reason} {check.detail}" for check in verdict.checks if check.argues_for
            )
            raise SelfCheckFailed(f"the sealed file of {work.number} does not verify: {verdict.code} ({open_})")
        return facts.file


def _use(work: Work, sealed: sign.Sealed) -> audit.SealUse:
    return audit.SealUse(
        seal_digest=work.seal.certificate_digest,
        number=work.number,
        sealed_digest=hashlib.sha256(sealed.pdf[: sealed.sealed_length]).digest(),
        preparer_id=work.preparer,
        approver_id=work.approver,
        origin=work.origin,
        used_at=work.at,
    )


def journal_superseded(journal: Journal, confirmation: Confirmation, *, at: datetime) -> None:
    """Write into the journal what a confirmation took over, in the transaction that records it."""
    terms = confirmation.terms
    if terms.supersedes is not None:
        journal.add(Entry(at=at, number=terms.supersedes, vins=tuple(map(str, terms.vins)), standing="superseded"))


def prospective(confirmation: Confirmation, encoded: bytes, file: FileFacts, at: datetime) -> RegisterFacts:
    """Return what the register will say once a sealed file is recorded; nothing of one that could not be read."""
    record = RecordFacts(
        number=confirmation.number,
        confirmation=confirmation,
        content_digest=encoding.content_digest(encoded).hex(),
        issued_at=confirmation.issued_at,
        until=confirmation.until,
        sealed_digests=() if file.sealed_digest is None else (file.sealed_digest,),
        recorded_at=at,
        standing=Standing.ISSUED,
        lines=tuple(LineFacts(vin=vin, standing=Standing.ISSUED) for vin in confirmation.terms.vins),
    )
    return RegisterFacts(source="prospective", as_of=at, record=record, number_of_digest=confirmation.number)


_LESSER = frozenset({"NO_TIMESTAMP", "NO_REVOCATION_DATA"})


def _is_sound(verdict: Verdict, *, may_lack_proof: bool) -> bool:
    """Tell whether a sealed file may leave: VALID, or lacking no more than a best effort may lack."""
    if verdict.code is Code.VALID:
        return True
    return may_lack_proof and verdict.code is Code.VALID_WITH_NOTICE and _LESSER.issuperset(verdict.notices)
