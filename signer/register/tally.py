"""What was issued, counted by month and destination beside the register: no page parses a hundred thousand of them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import func, insert, select, update

from signer.domain import content
from signer.domain.values import BEIJING
from signer.register import tables
from signer.register.desk_tables import tallies

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

    from signer.register.scope import Scope


@dataclass(frozen=True, slots=True, kw_only=True)
class Issue:
    """One confirmation that was issued, as it is counted: `use` is its line of the seal register."""

    use: int
    manufacturer_id: int
    month: str
    country: str
    vehicles: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """How many were issued in a month (`2026-11`, Beijing) for a destination (alpha-2), and for how many vehicles."""

    month: str
    country: str
    confirmations: int
    vehicles: int


def uncounted(tx: Connection, *, scope: Scope, most: int) -> tuple[Issue, ...]:
    """Return what was issued since the last count, the oldest first."""
    through = tx.execute(select(func.max(tallies.c.through))).scalar() or 0
    uses, heads = tables.seal_uses, tables.confirmations
    wanted = (
        select(uses.c.id, uses.c.manufacturer_id, uses.c.used_at, heads.c.content)
        .join(heads, heads.c.number == uses.c.number)
        .where(uses.c.id > through)
        .order_by(uses.c.id)
        .limit(most)
    )
    return tuple(
        Issue(
            use=row.id,
            manufacturer_id=row.manufacturer_id,
            month=f"{row.used_at.astimezone(BEIJING):%Y-%m}",
            country=(terms := content.parse(row.content).terms).destination.country.alpha2,
            vehicles=len(terms.vins),
        )
        for row in tx.execute(scope.only(wanted, uses))
    )


def count(tx: Connection, issues: tuple[Issue, ...], *, scope: Scope) -> None:
    """Add what was issued to the tallies, in the order of the seal register."""
    for issue in issues:
        mine = (tallies.c.manufacturer_id == issue.manufacturer_id, tallies.c.month == issue.month)
        more = {
            "confirmations": tallies.c.confirmations + 1,
            "vehicles": tallies.c.vehicles + issue.vehicles,
            "through": issue.use,
        }
        known = scope.only(update(tallies), tallies).where(*mine, tallies.c.country == issue.country)
        if not tx.execute(known.values(**more)).rowcount:
            told = {"month": issue.month, "country": issue.country, "vehicles": issue.vehicles, "through": issue.use}
            tx.execute(insert(tallies).values(manufacturer_id=issue.manufacturer_id, confirmations=1, **told))


def of(tx: Connection, *, scope: Scope, most: int) -> tuple[Tally, ...]:
    """Return the tallies of one manufacturer, with what was issued since they were counted (so many at most)."""
    confirmations: Counter[tuple[str, str]] = Counter()
    vehicles: Counter[tuple[str, str]] = Counter()
    for row in tx.execute(scope.only(select(tallies), tallies)):
        confirmations[row.month, row.country] += row.confirmations
        vehicles[row.month, row.country] += row.vehicles
    for issue in uncounted(tx, scope=scope, most=most):
        confirmations[issue.month, issue.country] += 1
        vehicles[issue.month, issue.country] += issue.vehicles
    return tuple(
        Tally(month=month, country=country, confirmations=many, vehicles=vehicles[month, country])
        for (month, country), many in sorted(confirmations.items())
    )
