"""What ends or holds a confirmation after it was issued: withdrawal, and suspension for a time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from sqlalchemy import and_, delete, select, update

from signer.domain.confirmation import Standing
from signer.domain.number import Number
from signer.errors import Conflict, NotFound
from signer.register import audit, log, status_lists, tables
from signer.register.confirmations import close_if_ended
from signer.register.scope import unknown

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy.engine import Connection, Row

    from signer.register.scope import Scope


Reason = Literal["error", "sale-fell-through", "exporter-request", "vehicle-changed", "key-misuse", "fraud", "other"]
REASONS: tuple[Reason, ...] = (
    "error",
    "sale-fell-through",
    "exporter-request",
    "vehicle-changed",
    "key-misuse",
    "fraud",
    "other",
)
_HELD = (Standing.ISSUED, Standing.SUSPENDED)


def _head(tx: Connection, number: Number, scope: Scope) -> Row[Any]:
    heads = tables.confirmations
    head = tx.execute(scope.only(select(heads).where(heads.c.number == number), heads)).first()
    if head is None:
        raise unknown(number)
    return head


def withdraw(
    tx: Connection,
    number: Number,
    *,
    scope: Scope,
    vins: tuple[str, ...],
    reason: Reason,
    at: datetime,
) -> tuple[str, ...]:
    """
    Withdraw lines for ever, all of them when `vins` is empty, and return the VINs.

    The claims are given back, the history stays. Conflict if a line is not in force or suspended.
    """
    lines, claims = tables.lines, tables.vin_claims
    head = _head(tx, number, scope)
    listed = select(lines.c.vin, lines.c.standing).where(lines.c.confirmation_id == head.id)
    rows = tx.execute(listed.order_by(lines.c.position)).all()
    standing = {row.vin: Standing(row.standing) for row in rows}
    wanted = vins or tuple(vin for vin, found in standing.items() if found in _HELD)
    if unknown := [vin for vin in wanted if vin not in standing]:
        raise NotFound(f"{number} does not list {', '.join(unknown)}")
    if not wanted or any(standing[vin] not in _HELD for vin in wanted):
        raise Conflict(f"{number} has ended already for what was asked, or was never issued")
    mine = and_(lines.c.confirmation_id == head.id, lines.c.vin.in_(wanted))
    ended = {"standing": Standing.WITHDRAWN, "ended_at": at, "reason_class": reason}
    tx.execute(update(lines).where(mine).values(**ended))
    held = and_(claims.c.manufacturer_id == head.manufacturer_id, claims.c.confirmation_id == head.id)
    tx.execute(delete(claims).where(held, claims.c.vin.in_(wanted)))
    close_if_ended(tx, head.id, at=at)
    status_lists.settle(tx, head.id)
    log.queue_end(tx, "withdraw", confirmation_id=head.id, at=at)
    audit.queue_notice(tx, "confirmation.withdrawn", manufacturer_id=head.manufacturer_id, number=number, at=at)
    return wanted


def suspend(tx: Connection, number: Number, *, scope: Scope, by: str, until: datetime | None, at: datetime) -> None:
    """Hold every line in force until an instant (None: until it is lifted). Conflict if nothing is in force."""
    head = _head(tx, number, scope)
    if head.standing not in (Standing.ISSUED, Standing.SUSPENDED):
        raise Conflict(f"{number} is {head.standing}: there is nothing to suspend")
    _set_held(tx, head.id, Standing.SUSPENDED, suspended_by=by, suspended_until=until)
    status_lists.settle(tx, head.id)
    audit.queue_notice(tx, "confirmation.suspended", manufacturer_id=head.manufacturer_id, number=number, at=at)


def lift(tx: Connection, number: Number, *, scope: Scope, at: datetime) -> None:
    """End a suspension: what was held is in force again."""
    head = _head(tx, number, scope)
    if head.standing != Standing.SUSPENDED:
        raise Conflict(f"{number} is {head.standing}, not suspended")
    _set_held(tx, head.id, Standing.ISSUED, suspended_by=None, suspended_until=None)
    status_lists.settle(tx, head.id)
    audit.queue_notice(tx, "confirmation.resumed", manufacturer_id=head.manufacturer_id, number=number, at=at)


def suspended_by(tx: Connection, number: Number, *, scope: Scope, at: datetime) -> str | None:
    """Return who holds a confirmation at an instant, or None."""
    head = _head(tx, number, scope)
    is_over = head.suspended_until is not None and head.suspended_until <= at
    return None if is_over or head.standing != Standing.SUSPENDED else str(head.suspended_by)


def overdue(tx: Connection, *, scope: Scope, at: datetime) -> tuple[tuple[Number, int], ...]:
    """Return the confirmations whose suspension has run out, each with its manufacturer's id."""
    heads = tables.confirmations
    wanted = select(heads.c.number, heads.c.manufacturer_id).where(
        heads.c.standing == Standing.SUSPENDED, heads.c.suspended_until <= at
    )
    return tuple(
        (Number(row.number), row.manufacturer_id) for row in tx.execute(scope.only(wanted, heads).order_by(heads.c.id))
    )


def overdue_seals(tx: Connection, *, scope: Scope, at: datetime) -> tuple[tuple[str, int], ...]:
    """Return the seals whose suspension has run out, each with its manufacturer's id."""
    table = tables.seals
    wanted = select(table.c.certificate_digest, table.c.manufacturer_id).where(
        table.c.state == "suspended", table.c.suspended_until <= at
    )
    return tuple((row.certificate_digest, row.manufacturer_id) for row in tx.execute(scope.only(wanted, table)))


def _set_held(
    tx: Connection,
    confirmation_id: int,
    standing: Standing,
    *,
    suspended_by: str | None,
    suspended_until: datetime | None,
) -> None:
    heads, lines = tables.confirmations, tables.lines
    held = {"standing": standing, "suspended_by": suspended_by, "suspended_until": suspended_until}
    tx.execute(update(heads).where(heads.c.id == confirmation_id).values(**held))
    mine = and_(lines.c.confirmation_id == confirmation_id, lines.c.standing.in_(_HELD))
    tx.execute(update(lines).where(mine).values(standing=standing))


def suspend_seal(
    tx: Connection, certificate_digest: str, *, scope: Scope, until: datetime | None, at: datetime
) -> None:
    """Hold a seal: it seals nothing, and what it sealed is INDETERMINATE, until an instant."""
    table = tables.seals
    mine = scope.only(update(table).where(table.c.certificate_digest == certificate_digest), table)
    held = {"state": "suspended", "state_since": at, "suspended_until": until}
    changed = tx.execute(mine.where(table.c.state.in_(("active", "suspended"))).values(**held))
    if not changed.rowcount:
        raise NotFound("no such seal that could be suspended")


def lift_seal(tx: Connection, certificate_digest: str, *, scope: Scope, at: datetime) -> None:
    """Make a suspended seal active again."""
    table = tables.seals
    mine = scope.only(update(table).where(table.c.certificate_digest == certificate_digest), table)
    active = {"state": "active", "state_since": at, "suspended_until": None}
    if not tx.execute(mine.where(table.c.state == "suspended").values(**active)).rowcount:
        raise Conflict("the seal is not suspended")
