"""New names of manufacturers that one person proposed, until another one confirms them, or somebody drops them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from sqlalchemy import insert, select, update

from signer.errors import Conflict, NotFound
from signer.register import audit
from signer.register.desk_tables import renamings

if TYPE_CHECKING:
    from datetime import date, datetime

    from sqlalchemy.engine import Connection

    from signer.register.scope import Scope

Outcome = Literal["done", "dropped"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """
    What was proposed: the company is called `legal_name` from the day `from_on`, and `former_name` before it.

    `outcome` is None while it waits for another person.
    """

    ref: str
    former_name: str
    legal_name: str
    legal_name_en: str | None
    from_on: date
    announcement: str
    reason: str
    evidence_ref: str
    asked_by: str
    asked_at: datetime
    decided_by: str | None = None
    decided_at: datetime | None = None
    outcome: Outcome | None = None


def add(tx: Connection, proposal: Proposal, *, scope: Scope) -> None:
    """Write down what was proposed. Conflict if another proposal waits."""
    if waiting(tx, scope=scope) is not None:
        raise Conflict("another new name waits for a second person")
    told = {name: getattr(proposal, name) for name in Proposal.__dataclass_fields__}
    tx.execute(insert(renamings).values(manufacturer_id=scope.owner, **told))
    names = {"former": proposal.former_name, "name": proposal.legal_name, "from": proposal.from_on.isoformat()}
    _note(tx, "renaming.asked", proposal, by=proposal.asked_by, scope=scope, at=proposal.asked_at, **names)


def get(tx: Connection, ref: str, *, scope: Scope) -> Proposal:
    """Return what was proposed. NotFound, also for another manufacturer's."""
    mine = scope.only(select(renamings), renamings).where(renamings.c.ref == ref)
    row = tx.execute(mine).mappings().first()
    if row is None:
        raise NotFound(f"no new name was proposed under {ref!r}")
    return Proposal(**{name: row[name] for name in Proposal.__dataclass_fields__})


def waiting(tx: Connection, *, scope: Scope) -> Proposal | None:
    """Return what waits for a second person, None if nothing does."""
    mine = scope.only(select(renamings), renamings).where(renamings.c.decided_at.is_(None))
    row = tx.execute(mine).mappings().first()
    return None if row is None else Proposal(**{name: row[name] for name in Proposal.__dataclass_fields__})


def decide(
    tx: Connection,
    proposal: Proposal,
    outcome: Outcome,
    *,
    by: str,
    scope: Scope,
    at: datetime,
    factor: str | None = None,
) -> None:
    """Record that a second person confirmed it, or that it was dropped. Conflict if that was done already."""
    mine = update(renamings).where(renamings.c.ref == proposal.ref, renamings.c.decided_at.is_(None))
    told = {"decided_by": by, "decided_at": at, "outcome": outcome, "factor": factor}
    if not tx.execute(scope.only(mine, renamings).values(**told)).rowcount:
        raise Conflict("this was decided already")
    _note(tx, f"renaming.{outcome}", proposal, by=by, scope=scope, at=at, factor=factor or "")


def _note(
    tx: Connection, event: str, proposal: Proposal, *, by: str, scope: Scope, at: datetime, **fields: str
) -> None:
    audit.note(tx, event, actor=by, subject=proposal.ref, at=at, manufacturer_id=scope.owner, **fields)
