"""What one person asked for that cannot be undone, until a second person says yes, or somebody drops it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from sqlalchemy import false, insert, or_, select, update

from signer.errors import Conflict, NotFound
from signer.register import audit
from signer.register.desk_tables import second_words

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy.engine import Connection, RowMapping

    from signer.domain.number import Number
    from signer.register.scope import Scope

Kind = Literal["withdraw", "retract"]
Outcome = Literal["done", "dropped"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """
    What was asked: which VINs of a number are to be withdrawn and why, or which copy (SHA-256) is to be retracted.

    `outcome` is None while it waits for a second person; `external_ref` is that person's own reference elsewhere, if
    one was given.
    """

    ref: str
    number: Number
    kind: Kind
    vins: tuple[str, ...]
    reason: str | None
    file_digest: bytes | None
    asked_by: str
    asked_at: datetime
    decided_by: str | None = None
    decided_at: datetime | None = None
    outcome: Outcome | None = None
    external_ref: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """Whose word it is, by which factor it was given (`token`: by a machine), and its reference elsewhere."""

    by: str
    factor: str | None = None
    external_ref: str = ""


def add(tx: Connection, wish: Wish, *, scope: Scope) -> None:
    """Write down what was asked. Conflict if a withdrawal of the same number waits already."""
    told = {name: getattr(wish, name) for name in Wish.__dataclass_fields__}
    tx.execute(insert(second_words).values(**told | {"manufacturer_id": scope.owner, "vins": json.dumps(wish.vins)}))
    fields = {"lines": str(len(wish.vins)), "reason": wish.reason or "", "asked": wish.ref}
    _note(tx, f"{wish.kind}.asked", wish, by=wish.asked_by, scope=scope, at=wish.asked_at, **fields)


def get(tx: Connection, ref: str, *, scope: Scope) -> Wish:
    """Return what was asked. NotFound, also for another manufacturer's."""
    mine = scope.only(select(second_words), second_words).where(second_words.c.ref == ref)
    row = tx.execute(mine).mappings().first()
    if row is None:
        raise NotFound(f"nothing was asked under {ref!r}")
    return _wish(row)


def waiting(tx: Connection, *, scope: Scope, number: Number | None = None) -> tuple[Wish, ...]:
    """Return what waits for a second person, of one number or of all, the oldest first."""
    mine = scope.only(select(second_words), second_words).where(second_words.c.decided_at.is_(None))
    if number is not None:
        mine = mine.where(second_words.c.number == number)
    return tuple(_wish(row) for row in tx.execute(mine.order_by(second_words.c.id).limit(200)).mappings())


def part(
    tx: Connection, *, scope: Scope, outcomes: tuple[Outcome | None, ...], before: int, limit: int
) -> tuple[tuple[int, Wish], ...]:
    """
    Return withdrawals that were asked for, each with its id, the newest first, and one more than asked for.

    Those with one of these outcomes (None: it waits), with an id below `before` (0: all).
    """
    table = second_words
    mine = scope.only(select(table), table).where(table.c.kind == "withdraw")
    known = [outcome for outcome in outcomes if outcome is not None]
    is_waiting = table.c.outcome.is_(None) if None in outcomes else false()
    mine = mine.where(or_(table.c.outcome.in_(known), is_waiting))
    mine = mine.where(table.c.id < before) if before else mine
    rows = tx.execute(mine.order_by(table.c.id.desc()).limit(limit + 1)).mappings()
    return tuple((row["id"], _wish(row)) for row in rows)


def decide(tx: Connection, wish: Wish, outcome: Outcome, given: Given, *, scope: Scope, at: datetime) -> None:
    """Record the second person's yes, or that it was dropped. Conflict if that was done already."""
    table = second_words
    mine = scope.only(update(table).where(table.c.ref == wish.ref, table.c.decided_at.is_(None)), table)
    elsewhere = given.external_ref or None
    told = {"decided_by": given.by, "decided_at": at, "outcome": outcome, "factor": given.factor}
    told |= {"external_ref": elsewhere}
    if not tx.execute(mine.values(**told)).rowcount:
        raise Conflict("this was decided already")
    fields = {"asked": wish.ref, "factor": given.factor or ""} | ({"external_ref": elsewhere} if elsewhere else {})
    _note(tx, f"{wish.kind}.{outcome}", wish, by=given.by, scope=scope, at=at, **fields)


def _note(tx: Connection, event: str, wish: Wish, *, by: str, scope: Scope, at: datetime, **fields: str) -> None:
    audit.note(tx, event, actor=by, subject=wish.number, at=at, manufacturer_id=scope.owner, **fields)


def _wish(row: RowMapping) -> Wish:
    told = {name: row[name] for name in Wish.__dataclass_fields__}
    return Wish(**told | {"vins": tuple(json.loads(row["vins"]))})
