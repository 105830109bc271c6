"""Withdraw a confirmation with two people, or hold it, or a seal, at once with one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from signer.domain.parties import Role
from signer.domain.trust import SealState
from signer.domain.vehicle import normalise_vin
from signer.errors import Conflict, InvalidInput, NotPermitted
from signer.register import audit, endings, parties

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from signer.domain.number import Number
    from signer.register.database import Database, Transaction
    from signer.register.endings import Reason

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


class Ending:
    """End confirmations, or hold them for a while."""

    def __init__(self, *, database: Database, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._clock = clock

    def withdraw(self, wanted: Withdrawal) -> tuple[str, ...]:
        """Withdraw, in one transaction, and return the VINs. NotPermitted, NotFound, Conflict, InvalidInput."""
        at, reason = self._clock(), _reason(wanted.reason)
        if wanted.by == wanted.second:
            raise NotPermitted("a withdrawal needs a second person")
        vins = tuple(dict.fromkeys(normalise_vin(vin) for vin in wanted.vins))
        with self._database.write() as tx:
            tenant = parties.tenant(tx, wanted.manufacturer)
            _refuse_without(tx, wanted.by, (Role.PREPARER, Role.APPROVER), tenant.id)
            _refuse_without(tx, wanted.second, (Role.APPROVER,), tenant.id)
            ended = endings.withdraw(tx, wanted.number, manufacturer_id=tenant.id, vins=vins, reason=reason, at=at)
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
        return ended

    def suspend(self, number: Number, *, manufacturer: str, by: str) -> datetime | None:
        """
        Hold a confirmation at once for 72 h; a second person's word makes it last until it is lifted.

        Returns when it ends by itself, or None. Conflict when the same person asks again.
        """
        at = self._clock()
        with self._database.write() as tx:
            tenant = parties.tenant(tx, manufacturer)
            _refuse_without(tx, by, (Role.PREPARER, Role.APPROVER), tenant.id)
            holder = endings.suspended_by(tx, number, manufacturer_id=tenant.id, at=at)
            if holder == by:
                raise Conflict(f"{number} is suspended by the same person; a second one makes it last")
            until = at + HOLD if holder is None else None
            endings.suspend(tx, number, manufacturer_id=tenant.id, by=by, until=until, at=at)
            scope = {"actor": by, "subject": number, "event": "confirmation.suspended"}
            audit.note(tx, **scope, at=at, manufacturer_id=tenant.id, until=until.isoformat() if until else "lifted")
        return until

    def lift(self, number: Number, *, manufacturer: str, by: str) -> None:
        """End a suspension; only an approver may."""
        at = self._clock()
        with self._database.write() as tx:
            tenant = parties.tenant(tx, manufacturer)
            _refuse_without(tx, by, (Role.APPROVER,), tenant.id)
            endings.lift(tx, number, manufacturer_id=tenant.id, at=at)
            audit.note(tx, "confirmation.resumed", actor=by, subject=number, at=at, manufacturer_id=tenant.id)

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
            if is_held and audit.last_actor(tx, "seal.suspended", subject=subject) == by:
                raise Conflict("the seal is suspended by the same person; a second one makes it last")
            until = None if is_held else at + HOLD
            endings.suspend_seal(tx, seal.certificate_digest, manufacturer_id=tenant.id, until=until, at=at)
            audit.note(tx, "seal.suspended", actor=by, subject=subject, at=at, manufacturer_id=tenant.id)
        return until

    def lift_seal(self, certificate_digest: str, *, manufacturer: str, by: str) -> None:
        """End a seal's suspension; only an approver may."""
        at = self._clock()
        with self._database.write() as tx:
            tenant = parties.tenant(tx, manufacturer)
            _refuse_without(tx, by, (Role.APPROVER,), tenant.id)
            seal = _matching(tx, certificate_digest, tenant.id, at)
            endings.lift_seal(tx, seal.certificate_digest, manufacturer_id=tenant.id, at=at)
            subject = seal.certificate_digest[:16]
            audit.note(tx, "seal.resumed", actor=by, subject=subject, at=at, manufacturer_id=tenant.id)


def _matching(tx: Transaction, beginning: str, manufacturer_id: int, at: datetime) -> parties.Seal:
    seals = parties.seals_of(tx, manufacturer_id=manufacturer_id, at=at)
    found = [seal for seal in seals if seal.certificate_digest.startswith(beginning.lower())]
    if len(found) != 1 or len(beginning) < 8:
        raise InvalidInput("seal", "give the certificate's SHA-256, at least its first 8 hexadecimal digits")
    return found[0]


def _reason(typed: str) -> Reason:
    for reason in endings.REASONS:
        if reason == typed:
            return reason
    raise InvalidInput("reason", f"is one of {', '.join(endings.REASONS)}")


def _refuse_without(tx: Transaction, person: str, roles: tuple[Role, ...], manufacturer_id: int) -> None:
    parties.person_of(tx, person)
    if not parties.roles_of(tx, person, manufacturer_id=manufacturer_id) & set(roles):
        raise NotPermitted(f"{person} is not {' or '.join(roles)} of this manufacturer")
