"""The list of what a manufacturer built, if it keeps one: VIN, model, day. It only ever marks lines of a draft."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import bindparam, delete, func, insert, select

from signer.domain.vehicle import Vin
from signer.register import audit
from signer.register.desk_tables import production
from signer.register.ready import Ready

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date, datetime

    from sqlalchemy.engine import Connection

    from signer.register.scope import Scope

PAGE = 50
_AT_ONCE = 500
_ANY = Ready(select(production.c.vin).where(production.c.manufacturer_id == bindparam("maker")).limit(1))


@dataclass(frozen=True, slots=True, kw_only=True)
class Built:
    """One vehicle of the list."""

    vin: Vin
    model: str
    built_on: date | None


def put(tx: Connection, built: Iterable[Built], *, by: str, scope: Scope, at: datetime) -> tuple[int, int]:
    """Add vehicles to the list, or change them where they are on it; return how many were added and changed."""
    wanted: dict[str, Built] = {one.vin: one for one in built}
    before = known(tx, wanted, scope=scope) or frozenset()
    for chunk in _chunks(list(wanted)):
        tx.execute(scope.only(delete(production), production).where(production.c.vin.in_(chunk)))
        rows = [{"vin": vin, "model": wanted[vin].model, "built_on": wanted[vin].built_on} for vin in chunk]
        tx.execute(insert(production), [{"manufacturer_id": scope.owner, "listed_at": at, **row} for row in rows])
    added, changed = len(wanted) - len(before), len(before)
    told = {"added": str(added), "changed": str(changed)}
    audit.note(tx, "production.listed", actor=by, subject="production", at=at, manufacturer_id=scope.owner, **told)
    return added, changed


def known(tx: Connection, vins: Iterable[str], *, scope: Scope) -> frozenset[str] | None:
    """Return which of some VINs are on the list, None for a manufacturer that keeps none."""
    if _ANY.first(tx, {"maker": scope.owner}) is None:
        return None
    wanted = scope.only(select(production.c.vin), production)
    found: set[str] = set()
    for chunk in _chunks(sorted(set(vins))):
        found |= set(tx.execute(wanted.where(production.c.vin.in_(chunk))).scalars())
    return frozenset(found)


def count(tx: Connection, *, scope: Scope) -> int:
    """Return how many vehicles are on the list."""
    return int(tx.execute(scope.only(select(func.count()).select_from(production), production)).scalar_one())


def page(tx: Connection, *, scope: Scope, search: str = "", number: int = 1) -> tuple[Built, ...]:
    """Return one page of the list by VIN, and the first of the next page if any; `search` is any part of a VIN."""
    wanted = scope.only(select(production.c.vin, production.c.model, production.c.built_on), production)
    if search:
        wanted = wanted.where(production.c.vin.contains(search.replace("\x00", " "), autoescape=True))
    rows = tx.execute(wanted.order_by(production.c.vin).limit(PAGE + 1).offset((number - 1) * PAGE))
    return tuple(Built(vin=Vin(row.vin), model=row.model, built_on=row.built_on) for row in rows)


def remove(tx: Connection, vins: Iterable[str], *, by: str, scope: Scope, at: datetime) -> int:
    """Take vehicles off the list; return how many."""
    gone = 0
    for chunk in _chunks(sorted(set(vins))):
        gone += tx.execute(scope.only(delete(production), production).where(production.c.vin.in_(chunk))).rowcount
    if gone:
        told = {"removed": str(gone)}
        audit.note(tx, "production.removed", actor=by, subject="production", at=at, manufacturer_id=scope.owner, **told)
    return gone


def _chunks(vins: list[str]) -> Iterable[list[str]]:
    return (vins[start : start + _AT_ONCE] for start in range(0, len(vins), _AT_ONCE))
