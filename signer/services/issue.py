"""Issue a confirmation: intent, render, lint, seal, check, record. The order is the security (docs/explanation)."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Protocol

from signer import metrics
from signer.domain import content as encoding
from signer.domain import rules
from signer.domain.confirmation import Standing
from signer.domain.number import Number
from signer.errors import Conflict, NotFound, RuleViolation, Unavailable
from signer.metrics.catalogue import ISSUE_SECONDS
from signer.register import confirmations, lookup, parties, restores, seals, submissions
from signer.register.scope import Scope
from signer.services.gathering import Asking, Gathering, usable_seal
from signer.services.sealing import Issued, Sealing, Work, unheard
from signer.services.seals import warn_near_limit

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from signer.domain.confirmation import Confirmation, Draft, Terms
    from signer.errors import Finding
    from signer.register.blobs import Blobs
    from signer.register.database import Database, Transaction
    from signer.services.engines import Chance, Page, SealBox
    from signer.services.room import Room
    from signer.services.sealing import Recorded


class LiveAlready(Conflict):
    """Vehicles are covered by confirmations in force; `violations` says which, in the rules' own words."""

    def __init__(self, violations: tuple[Finding, ...]) -> None:
        super().__init__("; ".join(str(violation) for violation in violations))
        self.violations = violations


class ChangedSince(Conflict):
    """What would be sealed now is not what was approved; nothing was, and no number is used up."""

    def __init__(self, terms: Terms) -> None:
        super().__init__("what would be sealed now is not what was approved")
        self.terms = terms


class Word(Protocol):
    """
    A word that was given before the order, on exactly these terms: transaction 1 holds it, transaction 2 hears of it.

    What is done in either is part of that transaction.
    """

    @property
    def terms_digest(self) -> bytes:
        """The digest of the terms (32 bytes)."""

    def refuse_unapproved(self, tx: Transaction, *, scope: Scope) -> None:
        """Refuse to reserve a number unless the word stands, and hold it so. Conflict."""

    def recorded(self, tx: Transaction, number: Number, *, scope: Scope, at: datetime) -> None:
        """Note that the order is issued."""


@dataclass(frozen=True, slots=True)
class Approved:
    """What was approved before the order: a submission by its reference, and the digest of its terms (32 bytes)."""

    ref: str
    terms_digest: bytes

    def refuse_unapproved(self, tx: Transaction, *, scope: Scope) -> None:
        """Refuse unless the submission stands approved with these terms."""
        submissions.refuse_unapproved(tx, self.ref, self.terms_digest, scope=scope)

    def recorded(self, tx: Transaction, number: Number, *, scope: Scope, at: datetime) -> None:
        """Do nothing: whoever approved writes down what became of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """
    Who wants what: manufacturer (USCC or legal name), two persons by id, an idempotency key, where from.

    With `approved`, exactly those terms are sealed, for as long as that word stands, or nothing is. With `keeps`, what
    is unavailable for now leaves a number that was reserved pending, to be finished, instead of ending it.
    """

    draft: Draft
    manufacturer: str
    preparer: str
    approver: str
    origin: str
    key: str | None = None
    approved: Word | None = None
    keeps: bool = False


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
        sealing: Sealing,
        room: Room,
        clock: Callable[[], datetime],
        chance: Chance,
    ) -> None:
        self._database = database
        self._blobs = blobs
        self._page = page
        self._seals = seals
        self._gathering = Gathering(page=page, seals=seals)
        self._sealing = sealing
        self._room = room
        self._clock = clock
        self._chance = chance

    def issue(self, order: Order) -> Issued:
        """
        Issue one confirmation and return it; nothing leaves before transaction 2 has committed.

        Raises RuleViolation (all of them), Conflict (ChangedSince among them), NotFound, ManufacturerSuspended,
        KeyUnavailable, TimestampUnavailable, RevocationUnavailable, StorageUnavailable, SelfCheckFailed; StorageLow
        before a number is used up. After one was reserved, a note on the error names it and says what becomes of it.
        """
        self._page.refuse_base_url()
        if (replay := self._replay(order)) is not None:
            return replay
        self._room.refuse_low()
        with metrics.timed(ISSUE_SECONDS, "prepare"):
            ready = self._prepare(order)
        with metrics.timed(ISSUE_SECONDS, "reserve"):
            confirmation, encoded = self._reserve(ready)
        return self._sealing.complete(
            Work(
                tenant=ready.tenant,
                seal=ready.seal,
                confirmation=confirmation,
                encoded=encoded,
                preparer=order.preparer,
                approver=order.approver,
                origin=order.origin,
                findings=ready.findings,
                at=ready.at,
                recorded=_hearing(order, ready.tenant.scope),
                keeping=(Unavailable,) if order.keeps else (),
            )
        )

    def _replay(self, order: Order) -> Issued | None:
        if order.key is None:
            return None
        with self._database.read() as tx:
            tenant = parties.tenant(tx, order.manufacturer)
            number = confirmations.keyed(tx, _key(order), scope=tenant.scope)
            if number is None:
                return None
            head = lookup.summary(tx, number, scope=tenant.scope)
        if head.standing is Standing.PENDING:
            raise Conflict(f"{number} is being issued under this key right now")
        if head.file_digest is None:
            raise Conflict(f"{number} was abandoned ({head.end_reason}); use a new key")
        return Issued(number=number, pdf=self._blobs.get(head.file_digest), level=None, findings=(), is_replay=True)

    def _prepare(self, order: Order) -> _Ready:
        at = self._clock()
        with self._database.read() as tx:
            tenant = parties.tenant(tx, order.manufacturer)
            parties.refuse_suspended(tx, tenant.id)
            seal = usable_seal(tx, tenant, at=at)
            asking = Asking(tenant=tenant, preparer=order.preparer, approver=order.approver)
            circumstances = self._gathering.circumstances(tx, order.draft, asking, seal=seal, at=at)
        terms, found = rules.judge(order.draft, circumstances)
        _refuse(found)
        if seal is None or terms is None:
            raise NotFound("the manufacturer has no seal")
        self._seals.refuse_unusable(seal, at=at, tsa_policy=tenant.tsa_policy)
        self._sealing.refuse_unready(tenant)
        if order.approved is not None and encoding.terms_digest(terms) != order.approved.terms_digest:
            raise ChangedSince(terms)
        return _Ready(order=order, tenant=tenant, seal=seal, terms=terms, findings=found, at=at)

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
            approval=approval,
            confirmation=confirmation,
            encoded=encoded,
            renderer_digest=self._page.digest,
            key=_key(ready.order) if ready.order.key else None,
        )
        with self._database.write() as tx:
            restores.refuse_held(tx)
            parties.refuse_suspended(tx, ready.tenant.id)
            if (approved := ready.order.approved) is not None:
                approved.refuse_unapproved(tx, scope=ready.tenant.scope)
            seal = seals.refuse_unusable(tx, ready.seal.certificate_digest, at=ready.at)
            confirmations.reserve(tx, made, scope=ready.tenant.scope, at=ready.at, randbelow=self._chance.below)
        warn_near_limit(seal)
        return confirmation, encoded

    def refuse_low(self) -> None:
        """Refuse to begin while too little room is left to keep what would be sealed. StorageLow."""
        self._room.refuse_low()

    def outcome(self, order: Order) -> lookup.Summary | None:
        """Return the record that an order's key stands for, however it stands; None if none was reserved. Conflict."""
        with self._database.read() as tx:
            tenant = parties.tenant(tx, order.manufacturer)
            number = confirmations.keyed(tx, _key(order), scope=tenant.scope)
            return None if number is None else lookup.summary(tx, number, scope=tenant.scope)

    def fetch(self, number: Number, *, manufacturer: str | None = None) -> bytes:
        """
        Return the sealed file of an issued confirmation, its digest checked; NotFound if nothing was issued.

        For a manufacturer (USCC or legal name) another's is not there; None is for operators only.
        """
        with self._database.read() as tx:
            scope = (
                Scope.everything("an operator fetches")
                if manufacturer is None
                else parties.tenant(tx, manufacturer).scope
            )
            head = lookup.summary(tx, number, scope=scope)
        if head.file_digest is None:
            raise NotFound(f"{number} is {head.standing}: there is no sealed file")
        return self._blobs.get(head.file_digest)


def _hearing(order: Order, scope: Scope) -> Recorded:
    """Return what transaction 2 does for the word that an order has."""
    if (approved := order.approved) is None:
        return unheard
    return partial(approved.recorded, scope=scope)


def _key(order: Order) -> confirmations.Key:
    people = f"{order.manufacturer}\n{order.preparer}\n{order.approver}\n"
    payload = people + order.draft.model_dump_json()
    return confirmations.Key(
        operation="issue", key=order.key or "", payload_digest=hashlib.sha256(payload.encode()).digest()
    )


def _refuse(found: tuple[Finding, ...]) -> None:
    violations = tuple(finding for finding in found if finding.severity == "violation")
    if violations and {finding.rule for finding in violations} == {"vin.live"}:
        raise LiveAlready(violations)
    if violations:
        raise RuleViolation(violations)
