"""Whose records a question or a change may touch: the one place that keeps manufacturers apart."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from sqlalchemy import Delete, Select, Update, select

from signer.errors import NotFound
from signer.register import tables

if TYPE_CHECKING:
    from sqlalchemy import Table

Statement = TypeVar("Statement", Select[Any], Update, Delete)


@dataclass(frozen=True, slots=True)
class Scope:
    """
    One manufacturer's records, or everybody's for a stated reason.

    Every function of the register that reads or changes what manufacturers own is handed one. What lies outside is
    as if it were not there: NotFound, in the words for an unknown number.
    """

    manufacturer_id: int | None
    reason: str

    @classmethod
    def of(cls, manufacturer_id: int) -> Scope:
        """Return the scope of one manufacturer."""
        return cls(manufacturer_id, "its own records")

    @classmethod
    def everything(cls, reason: str) -> Scope:
        """Return the scope of operators, public verification and maintenance, who say why they need it."""
        if not reason:
            raise ValueError("who sees everything says why")
        return cls(None, reason)

    @property
    def owner(self) -> int:
        """The one manufacturer to whom what is written belongs."""
        if self.manufacturer_id is None:
            raise ValueError("a record is one manufacturer's, never everybody's")
        return self.manufacturer_id

    def admits(self, manufacturer_id: int) -> bool:
        """Tell whether a record of this manufacturer is in the scope."""
        return self.manufacturer_id in (None, manufacturer_id)

    def only(self, statement: Statement, table: Table) -> Statement:
        """Return a statement over a table narrowed to the records in the scope."""
        if self.manufacturer_id is None:
            return statement
        if "manufacturer_id" in table.c:
            return statement.where(table.c.manufacturer_id == self.manufacturer_id)
        heads = tables.confirmations
        mine = select(heads.c.id).where(heads.c.manufacturer_id == self.manufacturer_id)
        return statement.where(table.c.confirmation_id.in_(mine))


def unknown(number: str) -> NotFound:
    """Return the one error for a number that is unknown, or another manufacturer's."""
    return NotFound(f"no confirmation {number} in the register")
