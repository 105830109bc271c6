"""What the code on paper is signed from: a reserved number as it was committed, and its place in a status list."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import select

from signer.domain.confirmation import Standing
from signer.errors import Conflict, NotFound
from signer.register.tables import confirmations, status_entries

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

    from signer.domain.number import Number
    from signer.register.scope import Scope


@dataclass(frozen=True, slots=True)
class PendingRow:
    """A reserved number: its content as it is kept, and the list and index where its standing will be told."""

    content: bytes
    status: tuple[int, int]


def pending(tx: Connection, number: Number, *, scope: Scope) -> PendingRow:
    """Return a reserved number as it was committed. NotFound; Conflict if it is not pending, or not any more."""
    wanted = (
        select(
            confirmations.c.content,
            confirmations.c.standing,
            status_entries.c.list.label("status_list"),
            status_entries.c.index.label("place"),
        )
        .join(status_entries, status_entries.c.confirmation_id == confirmations.c.id)
        .where(confirmations.c.number == number)
    )
    row = tx.execute(scope.only(wanted, confirmations)).one_or_none()
    if row is None:
        raise NotFound(f"no confirmation has the number {number}")
    if row.standing != Standing.PENDING:
        raise Conflict(f"{number} is {row.standing}: a code is signed only while a number is pending")
    return PendingRow(content=bytes(row.content), status=(row.status_list, row.place))
