"""Withdraw a confirmation with two people, or hold it, or a seal, at once with one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from signer.domain.confirmation import Standing
from signer.domain.parties import Role
from signer.domain.trust import SealState
from signer.domain.vehicle import normalise_vin
from signer.errors import Conflict, InvalidInput, NotFound, NotPermitted
from signer.register import audit, confirmations, endings, lookup, parties, restores
from signer.register.journal import Entry
from signer.register.scope import Scope

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from signer.domain.number import Number
    from signer.register.database import Database, Transaction
    from signer.register.endings import Reason
    from signer.register.journal import Journal

HOLD = timedelta(hours=72)
"""How long one person alone may suspend (docs/explanation/the-rule.md, B6)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Withdrawal:
    """Who withdraws what, and why; `second` is another person, an approver. No VINs: every line in force."""

    number: Number
    manufacturer: str
    by: str
    second: str
    reason: str
    vins: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Abandonment:
    """Who gives up a number whose sealing never completed, and why; `second` is another person, an approver."""

    number: Number
    manufacturer: str
    by: str
    reason: str
    second: str | None = None


class Ending:
    """End confirmations, or hold them for a while."""

    def __init__(self, *, database: Database, journal: Journal, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._journal = journal
        self._clock = clock

    def withdraw(self, wanted: Withdrawal, also: Callable[[Transaction], None] = lambda _: None) -> tuple[str, ...]:
        """
        Withdraw, in one transaction, and return the VINs; `also` is done in the same one.

        Raises NotPermitted, NotFound, Conflict, InvalidInput.
        """
        at, reason = self._clock(), _reason(wanted.reason)
        if wanted.by == wanted.second:
            raise NotPermitted("a withdrawal needs a second person")
        vins = tuple(dict.fromkeys(normalise_vin(vin) for vin in wanted.vins))
        with self._database.write() as tx:
            also(tx)
            tenant = parties.tenant(tx, wanted.manufacturer)
            _refuse_without(tx, wanted.by, (Role.PREPARER, Role.APPROVER), tenant.id)
            _refuse_without(tx, wanted.second, (Role.APPROVER,), tenant.id)
            ended = endings.withdraw(tx, wanted.number, scope=tenant.scope, vins=vins, reason=reason, at=at)
            audit.note(
                tx,
                "confirmation.withdrawn",
                actor=wanted.by,
                subject=wanted.number,
                at=at,
                manufacturer_id=tenant.id,
                second=wanted.second,
                reason=reason,
                lines=str(len(ended)),
            )
            self._journal.add(Entry(at=at, number=wanted.number, vins=ended, standing="withdrawn"))
        return ended

    def abandon(self, wanted: Abandonment) -> None:
        """
        End a pending record for ever: its vehicles are free again, its number is never used.

        One that a restored backup held as pending may have been issued since, and its paper would be called never
        issued: that takes a second person. NotPermitted, NotFound, InvalidInput.
        """
        if wanted.by == wanted.second:
            raise NotPermitted("the second person is another one")
        if not 10 <= len(wanted.reason.strip()) <= 200:
            raise InvalidInput("reason", "say why in 10 to 200 characters")
        with self._database.write() as tx:
            tenant = parties.tenant(tx, wanted.manufacturer)
            _refuse_without(tx, wanted.by, (Role.PREPARER, Role.APPROVER), tenant.id)
            if wanted.second is not None:
                _refuse_without(tx, wanted.second, (Role.APPROVER,), tenant.id)
            pending, restored_at = (
                confirmations.pending_record(tx, wanted.number, scope=tenant.scope),
                restores.newest(tx),
            )
            if wanted.second is None and restored_at is not None and pending.reserved_at <= restored_at:
                raise NotPermitted(f"{wanted.number} was pending in the backup, perhaps issued since: say --second too")
            told = {"reason": wanted.reason, "actor": wanted.by, "second": wanted.second or ""}
            confirmations.abandon(tx, wanted.number, scope=tenant.scope, at=self._clock(), **told)

    def suspend(
        self, number: Number, *, manufacturer: str, by: str, also: Callable[[Transaction], None] = lambda _: None
    ) -> datetime | None:
        """
        Hold a confirmation at once for 72 h; a second person's word makes it last until it is lifted.

        Returns when it ends by itself, or None; `also` is done in the same transaction. Conflict when the same person
        asks again.
        """
        at = self._clock()
        with self._database.write() as tx:
            tenant = parties.tenant(tx, manufacturer)
            _refuse_without(tx, by, (Role.PREPARER, Role.APPROVER), tenant.id)
            holder = endings.suspended_by(tx, number, scope=tenant.scope, at=at)
            if holder == by:
                raise Conflict(f"{number} is suspended by the same person; a second one makes it last")
            until = at + HOLD if holder is None else None
            endings.suspend(tx, number, scope=tenant.scope, by=by, until=until, at=at)
            also(tx)
            scope = {"actor": by, "subject": number, "event": "confirmation.suspended"}
            audit.note(tx, **scope, at=at, manufacturer_id=tenant.id, until=until.isoformat() if until else "lifted")
            held = lookup.vins_standing(tx, number, Standing.SUSPENDED, scope=tenant.scope)
            self._journal.add(Entry(at=at, number=number, vins=held, standing="suspended", until=until))
        return until

    def lift(self, number: Number, *, manufacturer: str, by: str) -> None:
        """End a suspension; only an approver may."""
        at = self._clock()
        with self._database.write() as tx:
            tenant = parties.tenant(tx, manufacturer)
            _refuse_without(tx, by, (Role.APPROVER,), tenant.id)
            held = lookup.vins_standing(tx, number, Standing.SUSPENDED, scope=tenant.scope)
            endings.lift(tx, number, scope=tenant.scope, at=at)
            audit.note(tx, "confirmation.resumed", actor=by, subject=number, at=at, manufacturer_id=tenant.id)
            self._journal.add(Entry(at=at, number=number, vins=held, standing="issued"))

    def suspend_seal(self, certificate_digest: str, *, manufacturer: str, by: str) -> datetime | None:
        """
        Hold a seal at once for 72 h: it seals nothing, and what it sealed is INDETERMINATE meanwhile.

        A second person's word makes it last until it is lifted. Returns when it ends by itself, or None.
        Conflict when the same person asks again.
        """
        at = self._clock()
        with self._database.write() as tx:
            tenant = parties.tenant(tx, manufacturer)
            _refuse_without(tx, by, (Role.PREPARER, Role.APPROVER), tenant.id)
            seal = _matching(tx, certificate_digest, tenant.id, at)
            subject = seal.certificate_digest[:16]
            is_held = seal.state is SealState.SUSPENDED
            if is_held and audit.last_actor(tx, "seal.suspended", subject=subject, scope=tenant.scope) == by:
                raise Conflict("the seal is suspended by the same person; a second one makes it last")
            until = None if is_held else at + HOLD
            endings.suspend_seal(tx, seal.certificate_digest, scope=tenant.scope, until=until, at=at)
            audit.note(tx, "seal.suspended", actor=by, subject=subject, at=at, manufacturer_id=tenant.id)
            self._journal.add(Entry(at=at, seal=seal.certificate_digest, standing="suspended", until=until))
        return until

    def lift_seal(self, certificate_digest: str, *, manufacturer: str, by: str) -> None:
        """End a seal's suspension; only an approver may."""
        at = self._clock()
        with self._database.write() as tx:
            tenant = parties.tenant(tx, manufacturer)
            _refuse_without(tx, by, (Role.APPROVER,), tenant.id)
            seal = _matching(tx, certificate_digest, tenant.id, at)
            endings.lift_seal(tx, seal.certificate_digest, scope=tenant.scope, at=at)
            subject = seal.certificate_digest[:16]
            audit.note(tx, "seal.resumed", actor=by, subject=subject, at=at, manufacturer_id=tenant.id)
            self._journal.add(Entry(at=at, seal=seal.certificate_digest, standing="issued"))


def _matching(tx: Transaction, beginning: str, manufacturer_id: int, at: datetime) -> parties.Seal:
    seals = parties.seals_of(tx, scope=Scope.of(manufacturer_id), at=at)
    found = [seal for seal in seals if seal.certificate_digest.startswith(beginning.lower())]
    if len(beginning) < 8:
        raise InvalidInput("seal", "give the certificate's SHA-256, at least its first 8 hexadecimal digits")
    if len(found) != 1:
        raise NotFound(f"no seal {beginning!r} of this manufacturer's")
    return found[0]


def _reason(typed: str) -> Reason:
    for reason in endings.REASONS:
        if reason == typed:
            return reason
    raise InvalidInput("reason", f"is one of {', '.join(endings.REASONS)}")


def _refuse_without(tx: Transaction, person: str, roles: tuple[Role, ...], manufacturer_id: int) -> None:
    parties.person_of(tx, person)
    if not parties.roles_of(tx, person, scope=Scope.of(manufacturer_id)) & set(roles):
        raise NotPermitted(f"{person} is not {' or '.join(roles)} of this manufacturer")
