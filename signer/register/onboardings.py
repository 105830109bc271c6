"""Manufacturers that one operator proposed, until another one confirms them, or somebody drops them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from sqlalchemy import insert, select, update

from signer.domain.parties import Manufacturer
from signer.errors import Conflict, NotFound
from signer.register import tables
from signer.register.office_tables import onboardings
from signer.register.parties import dump

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy.engine import Connection, RowMapping

Outcome = Literal["done", "dropped"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """Whom an operator proposes to let in, and who is invited as its first administrator; `outcome` None: waits."""

    ref: str
    record: Manufacturer
    admin_name: str
    admin_login: str
    language: str
    asked_by: str
    asked_at: datetime
    decided_by: str | None = None
    decided_at: datetime | None = None
    outcome: Outcome | None = None


def add(tx: Connection, proposal: Proposal) -> None:
    """Write a proposal down. Conflict if another one of the same USCC waits."""
    uscc = proposal.record.uscc
    open_one = select(onboardings.c.ref).where(onboardings.c.uscc == uscc, onboardings.c.decided_at.is_(None))
    if tx.execute(open_one).first() is not None:
        raise Conflict(f"{uscc} was proposed already")
    told: dict[str, Any] = {name: getattr(proposal, name) for name in Proposal.__dataclass_fields__}
    tx.execute(insert(onboardings).values(**{**told, "uscc": uscc, "record": dump(proposal.record)}))


def get(tx: Connection, ref: str) -> Proposal:
    """Return a proposal. NotFound."""
    row = tx.execute(select(onboardings).where(onboardings.c.ref == ref)).mappings().first()
    if row is None:
        raise NotFound(f"no manufacturer was proposed under {ref!r}")
    return _proposal(row)


def waiting(tx: Connection) -> tuple[Proposal, ...]:
    """Return what waits for another operator, the oldest first."""
    wanted = select(onboardings).where(onboardings.c.decided_at.is_(None)).order_by(onboardings.c.id)
    return tuple(_proposal(row) for row in tx.execute(wanted).mappings())


def decide(tx: Connection, ref: str, outcome: Outcome, *, by: str, at: datetime, factor: str | None = None) -> None:
    """Write down what became of a proposal. Conflict if it was decided already."""
    mine = update(onboardings).where(onboardings.c.ref == ref, onboardings.c.decided_at.is_(None))
    told = {"decided_by": by, "decided_at": at, "outcome": outcome, "factor": factor}
    if not tx.execute(mine.values(**told)).rowcount:
        raise Conflict("this was decided already")


def suspend(tx: Connection, manufacturer_id: int, *, by: str, reason: str, at: datetime) -> None:
    """Let a manufacturer issue nothing. Conflict if it is suspended already."""
    table = tables.manufacturers
    mine = update(table).where(table.c.id == manufacturer_id, table.c.suspended_at.is_(None))
    if not tx.execute(mine.values(suspended_at=at, suspended_by=by[:64], suspended_for=reason)).rowcount:
        raise Conflict("it is suspended already")


def resume(tx: Connection, manufacturer_id: int) -> None:
    """Let a manufacturer issue again. Conflict if it is not suspended."""
    table = tables.manufacturers
    mine = update(table).where(table.c.id == manufacturer_id, table.c.suspended_at.is_not(None))
    if not tx.execute(mine.values(suspended_at=None, suspended_by=None, suspended_for=None)).rowcount:
        raise Conflict("it is not suspended")


def _proposal(row: RowMapping) -> Proposal:
    values = {name: row[name] for name in Proposal.__dataclass_fields__}
    return Proposal(**{**values, "record": Manufacturer.model_validate_json(row["record"])})
