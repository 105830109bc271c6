"""What one person asked for that cannot be undone, until a second person says yes, or somebody drops it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from sqlalchemy import insert, select, update

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

    `outcome` is None while it waits for a second person.
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


def decide(
    tx: Connection, wish: Wish, outcome: Outcome, *, by: str, scope: Scope, at: datetime, factor: str | None = None
) -> None:
    """Record the second person's yes, or that it was dropped. Conflict if that was done already."""
    table = second_words
    mine = scope.only(update(table).where(table.c.ref == wish.ref, table.c.decided_at.is_(None)), table)
    told = {"decided_by": by, "decided_at": at, "outcome": outcome, "factor": factor}
    if not tx.execute(mine.values(**told)).rowcount:
        raise Conflict("this was decided already")
    _note(tx, f"{wish.kind}.{outcome}", wish, by=by, scope=scope, at=at, asked=wish.ref, factor=factor or "")


def _note(tx: Connection, event: str, wish: Wish, *, by: str, scope: Scope, at: datetime, **fields: str) -> None:
    audit.note(tx, event, actor=by, subject=wish.number, at=at, manufacturer_id=scope.owner, **fields)


def _wish(row: RowMapping) -> Wish:
    told = {name: row[name] for name in Wish.__dataclass_fields__}
    return Wish(**told | {"vins": tuple(json.loads(row["vins"]))})
