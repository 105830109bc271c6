"""What the code on paper is signed from: a reserved number as it was committed, and its place in a status list."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import bindparam, select

from signer.domain.confirmation import Standing
from signer.errors import Conflict, NotFound
from signer.register.ready import Ready
from signer.register.tables import confirmations, status_entries

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

    from signer.domain.number import Number
    from signer.register.scope import Scope


_PENDING = Ready(
    select(
        confirmations.c.content,
        confirmations.c.standing,
        confirmations.c.manufacturer_id,
        status_entries.c.list.label("status_list"),
        status_entries.c.index.label("place"),
    )
    .join(status_entries, status_entries.c.confirmation_id == confirmations.c.id)
    .where(confirmations.c.number == bindparam("number"))
)


@dataclass(frozen=True, slots=True)
class PendingRow:
    """A reserved number: its content as it is kept, and the list and index where its standing will be told."""

    content: bytes
    status: tuple[int, int]


def pending(tx: Connection, number: Number, *, scope: Scope) -> PendingRow:
    """Return a reserved number as it was committed. NotFound; Conflict if it is not pending, or not any more."""
    row = _PENDING.first(tx, {"number": number})
    if row is None or not scope.admits(row.manufacturer_id):
        raise NotFound(f"no confirmation has the number {number}")
    if row.standing != Standing.PENDING:
        raise Conflict(f"{number} is {row.standing}: a code is signed only while a number is pending")
    return PendingRow(content=bytes(row.content), status=(row.status_list, row.place))
