"""What a buyer may ask: whether a manufacturer lets its cars be asked about, and which confirmation a VIN has."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import and_, select, update

from signer.domain import content
from signer.domain.confirmation import Standing
from signer.register import tables

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy.engine import Connection

    from signer.domain.confirmation import Confirmation
    from signer.register.scope import Scope


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """
    A confirmation, whose it is, and whether it may be told of to whoever holds the car.

    `is_open`: it is in force for this VIN, no other manufacturer confirmed it, and the manufacturer answers buyers.
    """

    manufacturer_id: int
    confirmation: Confirmation
    is_open: bool


def since(tx: Connection, *, scope: Scope) -> datetime | None:
    """Return since when a manufacturer answers buyers, None if it does not."""
    table = tables.manufacturers
    found: datetime | None = tx.execute(select(table.c.buyers_since).where(table.c.id == scope.owner)).scalar()
    return found


def set_since(tx: Connection, at: datetime | None, *, scope: Scope) -> None:
    """Let a manufacturer answer buyers from an instant on, or no longer (None)."""
    table = tables.manufacturers
    tx.execute(update(table).where(table.c.id == scope.owner).values(buyers_since=at))


def held(tx: Connection, vin: str, *, scope: Scope, at: datetime) -> Held | None:
    """
    Return the confirmation that a VIN has, or in place of none the newest of all, which is not open.

    So the same is read and parsed whether a VIN is known or not. None only while nothing was ever issued.
    """
    heads, lines, claims, makers = tables.confirmations, tables.lines, tables.vin_claims, tables.manufacturers
    wanted = scope.only(
        select(
            heads.c.manufacturer_id,
            heads.c.content,
            heads.c.standing,
            heads.c.suspended_until,
            lines.c.standing.label("line"),
            makers.c.buyers_since,
        ),
        heads,
    )
    wanted = wanted.join(makers, makers.c.id == heads.c.manufacturer_id)
    wanted = wanted.join(lines, lines.c.confirmation_id == heads.c.id)
    mine = wanted.join(claims, and_(claims.c.confirmation_id == heads.c.id, claims.c.vin == lines.c.vin))
    rows = tx.execute(mine.where(claims.c.vin == vin, claims.c.slot == "live")).all()
    newest = tx.execute(wanted.order_by(heads.c.id.desc()).limit(1)).first()
    row = rows[0] if rows else newest
    if row is None:
        return None
    is_over = row.suspended_until is not None and row.suspended_until <= at
    alive = (Standing.ISSUED, Standing.SUSPENDED) if is_over else (Standing.ISSUED,)
    return Held(
        manufacturer_id=row.manufacturer_id,
        confirmation=content.parse(row.content),
        is_open=len(rows) == 1 and row.standing in alive and row.line in alive and row.buyers_since is not None,
    )
