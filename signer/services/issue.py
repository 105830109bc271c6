"""Issue a confirmation: intent, render, lint, seal, check, record. The order is the security (docs/explanation)."""

from __future__ import annotations

import hashlib
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import structlog

from signer.domain import content as encoding
from signer.domain import rules
from signer.domain.circumstances import Circumstances, Predecessor
from signer.domain.confirmation import Standing
from signer.domain.evidence import Asked, FileFacts, LineFacts, RecordFacts, RegisterFacts
from signer.domain.number import Number
from signer.domain.parties import Role, normalise_uscc
from signer.domain.trust import SealState
from signer.domain.vehicle import normalise_vin
from signer.domain.verdict import Code
from signer.errors import Conflict, InvalidInput, NotFound, RuleViolation, SelfCheckFailed, SignerError
from signer.register import audit, confirmations, lookup, parties, restores

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime, timedelta

    from signer.domain.confirmation import Confirmation, Draft, Terms
    from signer.domain.verdict import Verdict
    from signer.errors import Finding
    from signer.register.blobs import Blobs
    from signer.register.database import Database, Transaction
    from signer.seal import sign
    from signer.services.engines import Chance, Page, SealBox
    from signer.services.verify import Verifying

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """Who wants what: manufacturer (USCC or legal name), two persons by id, an idempotency key, where from."""

    draft: Draft
    manufacturer: str
    preparer: str
    approver: str
    origin: str
    key: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Issued:
    """An issued confirmation: its number and file, what the rules had to remark, and whether a key replayed it."""

    number: Number
    pdf: bytes
    level: str | None
    findings: tuple[Finding, ...]
    is_replay: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ready:
    order: Order
    tenant: parties.Tenant
    seal: parties.Seal
    terms: Terms
    findings: tuple[Finding, ...]
    at: datetime


class Issuing:
    """Issue confirmations, one at a time; not to be shared between threads (the seal refuses)."""

    def __init__(
        self,
        *,
        database: Database,
        blobs: Blobs,
        page: Page,
        seals: SealBox,
        verifying: Verifying,
        clock: Callable[[], datetime],
        chance: Chance,
    ) -> None:
        self._database = database
        self._blobs = blobs
        self._page = page
        self._seals = seals
        self._verifying = verifying
        self._clock = clock
        self._chance = chance

    def issue(self, order: Order) -> Issued:
        """
        Issue one confirmation and return it; nothing leaves before transaction 2 has committed.

        Raises RuleViolation (all of them), Conflict, NotFound, KeyUnavailable, TimestampUnavailable,
        RevocationUnavailable, StorageUnavailable, SelfCheckFailed. After a number was reserved, a note on the error
        names it and says that it is abandoned.
        """
        self._page.refuse_base_url()
        if (replay := self._replay(order)) is not None:
            return replay
        ready = self._prepare(order)
        confirmation, encoded = self._reserve(ready)
        with self._abandoning(confirmation.number, ready, use=None):
            page = self._page.render(confirmation, encoded=encoded)
            sealed = self._seals.seal(page, ready.seal, at=ready.at, tsa_policy=ready.tenant.tsa_policy)
        use = _use(ready, confirmation.number, sealed)
        with self._abandoning(confirmation.number, ready, use=use):
            return self._check_and_record(ready, confirmation, encoded, sealed, use)

    @contextmanager
    def _abandoning(self, number: Number, ready: _Ready, *, use: audit.SealUse | None) -> Iterator[None]:
        """End the number if the block fails; a use of the seal stands in the seal register all the same (B7)."""
        try:
            yield
        except SignerError as error:
            log.error("confirmation.abandoned", number=number, code=error.code)
            error.add_note(f"number {number} was reserved; it is abandoned and will never be used")
            with self._database.write() as tx:
                confirmations.abandon(tx, number, reason=f"{error.code}: {error}", at=self._clock())
                if use is not None:
                    audit.note_seal_use(tx, use, manufacturer_id=ready.tenant.id)
            raise

    def _replay(self, order: Order) -> Issued | None:
        if order.key is None:
            return None
        with self._database.read() as tx:
            tenant = parties.tenant(tx, order.manufacturer)
            number = confirmations.keyed(tx, _key(order), manufacturer_id=tenant.id)
            if number is None:
                return None
            head = lookup.summary(tx, number)
        if head.standing is Standing.PENDING:
            raise Conflict(f"{number} is being issued under this key right now")
        if head.file_digest is None:
            raise Conflict(f"{number} was abandoned ({head.end_reason}); use a new key")
        return Issued(number=number, pdf=self._blobs.get(head.file_digest), level=None, findings=(), is_replay=True)

    def _prepare(self, order: Order) -> _Ready:
        at = self._clock()
        with self._database.read() as tx:
            tenant = parties.tenant(tx, order.manufacturer)
            seal = _usable_seal(parties.seals_of(tx, manufacturer_id=tenant.id, at=at))
            circumstances = self._circumstances(tx, order, tenant, seal, at)
        found = rules.check(order.draft, circumstances)
        _refuse(found)
        if seal is None:
            raise NotFound("the manufacturer has no seal")
        self._seals.refuse_unusable(seal, at=at, tsa_policy=tenant.tsa_policy)
        terms = rules.to_terms(order.draft, circumstances)
        return _Ready(order=order, tenant=tenant, seal=seal, terms=terms, findings=found, at=at)

    def _circumstances(
        self, tx: Transaction, order: Order, tenant: parties.Tenant, seal: parties.Seal | None, at: datetime
    ) -> Circumstances:
        preparer, approver = parties.person_of(tx, order.preparer), parties.person_of(tx, order.approver)
        typed_vins = {normalise_vin(vehicle.vin) for vehicle in order.draft.vehicles}
        return Circumstances(
            at=at,
            manufacturer=tenant.manufacturer,
            exporter=parties.exporter_of(tx, normalise_uscc(order.draft.exporter)),
            outlets=parties.outlets_of(tx, manufacturer_id=tenant.id),
            seal=None if seal is None else self._seals.circumstances(seal, tenant.manufacturer),
            live=confirmations.claims_of(tx, typed_vins, manufacturer_id=tenant.id),
            predecessor=_predecessor(tx, order.draft.supersedes, tenant, at),
            preparer=preparer,
            approver=approver,
            preparer_may_prepare=Role.PREPARER in parties.roles_of(tx, preparer.id, manufacturer_id=tenant.id),
            approver_may_approve=Role.APPROVER in parties.roles_of(tx, approver.id, manufacturer_id=tenant.id),
            production=None,
            uncovered=self._page.uncovered,
            template_version=self._page.version,
        )

    def _reserve(self, ready: _Ready) -> tuple[Confirmation, bytes]:
        """Write transaction 1 (step 5): from here on the number is used up."""
        digest = encoding.terms_digest(ready.terms)
        number = Number.draw(self._chance.bits)
        confirmation = encoding.build(terms=ready.terms, approved_digest=digest, number=number, issued_at=ready.at)
        encoded = encoding.encode(confirmation)
        approval = confirmations.Approval(
            terms_digest=digest,
            preparer_id=ready.order.preparer,
            approver_id=ready.order.approver,
            approved_at=ready.at,
        )
        made = confirmations.Reservation(
            manufacturer_id=ready.tenant.id,
            approval=approval,
            confirmation=confirmation,
            encoded=encoded,
            renderer_digest=self._page.digest,
            key=_key(ready.order) if ready.order.key else None,
        )
        with self._database.write() as tx:
            restores.refuse_held(tx)
            confirmations.reserve(tx, made, at=ready.at, randbelow=self._chance.below)
        return confirmation, encoded

    def _check_and_record(
        self, ready: _Ready, confirmation: Confirmation, encoded: bytes, sealed: sign.Sealed, use: audit.SealUse
    ) -> Issued:
        may_lack_proof = self._seals.may_lack_proof(ready.tenant.tsa_policy)
        file = self._self_check(sealed.pdf, confirmation, encoded, may_lack_proof=may_lack_proof)
        self._blobs.put(sealed.pdf)
        stored = confirmations.SealedFile(
            file_digest=bytes.fromhex(file.file_digest),
            sealed_digest=use.sealed_digest,
            sealed_length=sealed.sealed_length,
            size=file.size,
            level=sealed.level,
            timestamp_at=sealed.timestamp_at,
        )
        with self._database.write() as tx:
            confirmations.record(tx, confirmation.number, stored, use, at=self._clock())
        log.info("confirmation.issued", number=confirmation.number, file=file.file_digest[:16], level=sealed.level)
        return Issued(number=confirmation.number, pdf=sealed.pdf, level=sealed.level, findings=ready.findings)

    def _self_check(self, pdf: bytes, confirmation: Confirmation, encoded: bytes, *, may_lack_proof: bool) -> FileFacts:
        """Verify the sealed file as any officer would, over the register as it will be (step 10)."""
        facts = self._verifying.gather_before_record(
            pdf, lambda file: prospective(confirmation, encoded, file, self._clock())
        )
        verdict = self._verifying.decide(facts, Asked())
        if not _is_sound(verdict, may_lack_proof=may_lack_proof):
            open_ = "; ".join(
                f"{check.id}: {check.reason} {check.detail}" for check in verdict.checks if check.argues_for
            )
            raise SelfCheckFailed(f"the sealed file of {confirmation.number} does not verify: {verdict.code} ({open_})")
        return facts.file

    def abandon_stale(self, age: timedelta) -> tuple[Number, ...]:
        """End the records that have been pending for longer than an age; return their numbers."""
        at = self._clock()
        with self._database.write() as tx:
            stale = confirmations.pending(tx, before=at - age)
            return tuple(number for number in stale if confirmations.abandon(tx, number, reason="stale", at=at))

    def fetch(self, number: Number) -> bytes:
        """Return the sealed file of an issued confirmation, its digest checked; NotFound if nothing was issued."""
        with self._database.read() as tx:
            head = lookup.summary(tx, number)
        if head.file_digest is None:
            raise NotFound(f"{number} is {head.standing}: there is no sealed file")
        return self._blobs.get(head.file_digest)


def _use(ready: _Ready, number: Number, sealed: sign.Sealed) -> audit.SealUse:
    return audit.SealUse(
        seal_digest=ready.seal.certificate_digest,
        number=number,
        sealed_digest=hashlib.sha256(sealed.pdf[: sealed.sealed_length]).digest(),
        preparer_id=ready.order.preparer,
        approver_id=ready.order.approver,
        origin=ready.order.origin,
        used_at=ready.at,
    )


def _key(order: Order) -> confirmations.Key:
    people = f"{order.manufacturer}\n{order.preparer}\n{order.approver}\n"
    payload = people + order.draft.model_dump_json()
    return confirmations.Key(
        operation="issue", key=order.key or "", payload_digest=hashlib.sha256(payload.encode()).digest()
    )


def _usable_seal(seals: tuple[parties.Seal, ...]) -> parties.Seal | None:
    active = tuple(seal for seal in seals if seal.state is SealState.ACTIVE)
    return next(iter(active or seals), None)


def _predecessor(tx: Transaction, typed: str, tenant: parties.Tenant, at: datetime) -> Predecessor | None:
    try:
        number = Number.parse(typed)
    except ValueError:
        return None
    record = lookup.by_number(tx, number, at=at)
    if record is None or record.confirmation.terms.manufacturer.uscc != tenant.manufacturer.uscc:
        return None
    held = (Standing.ISSUED, Standing.SUSPENDED)
    live = frozenset(line.vin for line in record.lines if line.standing in held)
    return Predecessor(number=number, exporter=record.confirmation.terms.exporter.uscc, live_vins=live)


def _refuse(found: tuple[Finding, ...]) -> None:
    violations = tuple(finding for finding in found if finding.severity == "violation")
    if violations and {finding.rule for finding in violations} == {"vin.live"}:
        raise Conflict("; ".join(str(finding) for finding in violations))
    if violations:
        raise RuleViolation(violations)


def prospective(confirmation: Confirmation, encoded: bytes, file: FileFacts, at: datetime) -> RegisterFacts:
    """Return what the register will say once a sealed file is recorded."""
    if file.sealed_digest is None:
        raise InvalidInput("file", "the sealed file has no sealed prefix")
    record = RecordFacts(
        number=confirmation.number,
        confirmation=confirmation,
        content_digest=encoding.content_digest(encoded).hex(),
        sealed_digests=(file.sealed_digest,),
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
