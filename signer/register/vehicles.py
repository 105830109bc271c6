"""Where a vehicle is named: every confirmation on record with a VIN, or with its last eight characters."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import select

from signer.domain.confirmation import Standing
from signer.domain.number import Number
from signer.register import tables

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy.engine import Connection

    from signer.register.scope import Scope

WHOLE, TAIL = 17, 8
_UNSPOKEN = (Standing.PENDING, Standing.ABANDONED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Naming:
    """One line of one confirmation that names a vehicle."""

    vin: str
    number: Number
    manufacturer_id: int
    standing: Standing
    recorded_at: datetime


def named(tx: Connection, typed: str, *, scope: Scope, at: datetime, most: int) -> tuple[Naming, ...]:
    """
    Return the lines that name a VIN (17 characters), or whose VIN ends so (8), the latest first.

    What was never issued is left out. A suspension that is over counts no more. The end of a VIN has no index: every
    line is read, and nothing is paid for it when confirmations are issued.
    """
    lines, heads = tables.lines, tables.confirmations
    wanted = select(
        lines.c.vin,
        lines.c.standing,
        heads.c.number,
        heads.c.manufacturer_id,
        heads.c.recorded_at,
        heads.c.suspended_until,
    ).join(heads, heads.c.id == lines.c.confirmation_id)
    fits = lines.c.vin == typed if len(typed) == WHOLE else lines.c.vin.endswith(typed, autoescape=True)
    wanted = scope.only(wanted, heads).where(fits, heads.c.standing.not_in(_UNSPOKEN))
    rows = tx.execute(wanted.order_by(heads.c.recorded_at.desc(), lines.c.vin).limit(most))
    return tuple(
        Naming(
            vin=row.vin,
            number=Number(row.number),
            manufacturer_id=row.manufacturer_id,
            standing=_standing(row.standing, row.suspended_until, at),
            recorded_at=row.recorded_at,
        )
        for row in rows
    )


def _standing(stored: str, suspended_until: datetime | None, at: datetime) -> Standing:
    is_over = suspended_until is not None and suspended_until <= at
    return Standing.ISSUED if is_over and stored == Standing.SUSPENDED else Standing(stored)
