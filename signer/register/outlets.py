"""What chooses an outlet: facts that are never printed, and rules; an outlet's own link; what its closing touches."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from sqlalchemy import String, bindparam, delete, func, insert, literal, select, update

from signer.domain import content
from signer.domain.confirmation import Standing
from signer.domain.number import Number
from signer.domain.outlet_choice import Choosing, OutletFacts, OutletRule
from signer.domain.places import Place, degrees
from signer.errors import NotFound
from signer.register import tables
from signer.register.desk_tables import drafts, outlet_facts, outlet_rules
from signer.register.ready import Ready

if TYPE_CHECKING:
    from datetime import date, datetime

    from sqlalchemy import Row
    from sqlalchemy.engine import Connection

    from signer.register.scope import Scope

_HELD = (Standing.ISSUED, Standing.SUSPENDED)
_MOST_DRAFTS = 500
_RULES = Ready(
    select(outlet_rules)
    .where(outlet_rules.c.manufacturer_id == bindparam("maker"))
    .order_by(outlet_rules.c.position, outlet_rules.c.id)
)
_KNOWN = Ready(select(outlet_facts).where(outlet_facts.c.manufacturer_id == bindparam("maker")))


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """How an outlet answers for its own listing: when a link was made, what it said (`remark`: what is wrong)."""

    manufacturer_id: int
    outlet_id: str
    link_sent_at: datetime | None = None
    confirmed_at: datetime | None = None
    remark: str | None = None
    remarked_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Touched:
    """A confirmation in force that names an outlet: its exporter's name, how many vehicles are in force."""

    number: Number
    exporter: str
    issued_at: datetime
    vehicles: int


def choosing_of(tx: Connection, *, scope: Scope) -> Choosing:
    """Return how one manufacturer chooses: its rules in order, and what is known of its outlets."""
    mine = {"maker": scope.owner}
    return Choosing(
        rules=tuple(_rule(row) for row in _RULES.rows(tx, mine)),
        facts={row.outlet_id: _facts(row) for row in _KNOWN.rows(tx, mine)},
    )


def save_facts(tx: Connection, outlet_id: str, facts: OutletFacts, *, scope: Scope, at: datetime) -> None:
    """Insert or change what is known of an outlet; closing it revokes its link."""
    values: dict[str, Any] = {
        **_degrees(facts.place),
        "brands": json.dumps(facts.brands, ensure_ascii=False),
        "energies": json.dumps(facts.energies),
        "closed_on": facts.closed_on,
        "changed_at": at,
    }
    if facts.closed_on is not None:
        values["link_digest"] = None
    _put(tx, outlet_id, values, scope=scope)


def _put(tx: Connection, outlet_id: str, values: dict[str, Any], *, scope: Scope) -> None:
    mine = scope.only(update(outlet_facts), outlet_facts).where(outlet_facts.c.outlet_id == outlet_id)
    if not tx.execute(mine.values(**values)).rowcount:
        empty = {"brands": "[]", "energies": "[]"}
        new = {**empty, **values, "manufacturer_id": scope.owner, "outlet_id": outlet_id}
        tx.execute(insert(outlet_facts).values(**new))


def listings(tx: Connection, *, scope: Scope) -> dict[str, Listing]:
    """Return how the outlets of one manufacturer answered for their listings, by id."""
    rows = tx.execute(scope.only(select(outlet_facts), outlet_facts)).all()
    return {row.outlet_id: _listing(row) for row in rows}


def set_link(tx: Connection, outlet_id: str, digest: bytes | None, *, scope: Scope, at: datetime) -> None:
    """Make a link the outlet's only one, by the SHA-256 of its token; None takes it away."""
    _put(tx, outlet_id, {"link_digest": digest, "link_sent_at": at, "changed_at": at}, scope=scope)


def by_link(tx: Connection, digest: bytes, *, scope: Scope) -> Listing | None:
    """Return whose link has a token of this SHA-256, or None; how old it is, the caller judges."""
    wanted = scope.only(select(outlet_facts), outlet_facts).where(outlet_facts.c.link_digest == digest)
    row = tx.execute(wanted).first()
    return None if row is None else _listing(row)


def answer(tx: Connection, outlet_id: str, remark: str | None, *, scope: Scope, at: datetime) -> None:
    """Keep what an outlet says of its listing: that all is right (None), or what is wrong."""
    said = {"confirmed_at": at, "remark": None, "remarked_at": None}
    values = said if remark is None else {"remark": remark, "remarked_at": at}
    _put(tx, outlet_id, {**values, "changed_at": at}, scope=scope)


def settle(tx: Connection, outlet_id: str, *, scope: Scope, at: datetime) -> None:
    """Forget what an outlet said is wrong: somebody has seen to it."""
    _put(tx, outlet_id, {"remark": None, "remarked_at": None, "changed_at": at}, scope=scope)


def save_rules(tx: Connection, rules: tuple[OutletRule, ...], *, scope: Scope, at: datetime) -> None:
    """Make a manufacturer's rules exactly these, in this order; those that it has keep their ids."""
    table = outlet_rules
    kept = [rule.id for rule in rules if rule.id is not None]
    tx.execute(scope.only(delete(table), table).where(table.c.id.not_in(kept)))
    for position, rule in enumerate(rules):
        values = {
            "country": rule.country,
            "brand": rule.brand,
            "energy": rule.energy,
            **_degrees(rule.centre),
            "most": rule.most,
            "position": position,
            "changed_at": at,
        }
        if rule.id is None:
            tx.execute(insert(table).values(manufacturer_id=scope.owner, **values))
        elif not tx.execute(scope.only(update(table), table).where(table.c.id == rule.id).values(**values)).rowcount:
            raise NotFound("no such rule of choice")


def touched(tx: Connection, outlet_id: str, *, scope: Scope) -> tuple[Touched, ...]:
    """Return the confirmations with vehicles in force that name an outlet, the newest first."""
    heads, lines = tables.confirmations, tables.lines
    needle = content.outlet_mark(outlet_id)
    is_named = (
        func.instr(heads.c.content, needle) > 0
        if tx.dialect.name == "sqlite"
        else func.position(literal(needle).op("IN")(heads.c.content)) > 0
    )
    wanted = scope.only(select(heads.c.id, heads.c.number, heads.c.content, heads.c.reserved_at), heads)
    rows = tx.execute(wanted.where(heads.c.standing.in_(_HELD), is_named).order_by(heads.c.reserved_at.desc())).all()
    found = []
    for row in rows:
        terms = content.parse(row.content).terms
        alive = select(func.count()).where(lines.c.confirmation_id == row.id, lines.c.standing.in_(_HELD))
        count = int(tx.execute(alive).scalar_one())
        if count and any(outlet.id == outlet_id for outlet in terms.outlets):
            name = terms.exporter.legal_name
            found.append(Touched(number=Number(row.number), exporter=name, issued_at=row.reserved_at, vehicles=count))
    return tuple(found)


def open_drafts(tx: Connection, *, scope: Scope) -> tuple[str, ...]:
    """Return the bodies (`signer.draft/1`) of the newest drafts that are open or wait for approval."""
    wanted = scope.only(select(drafts.c.body), drafts).where(drafts.c.state.in_(("open", "waiting")))
    return tuple(tx.execute(wanted.order_by(drafts.c.changed_at.desc()).limit(_MOST_DRAFTS)).scalars())


def closed(tx: Connection, ids: frozenset[str], *, scope: Scope, on: date) -> tuple[tuple[str, date], ...]:
    """Return which of these outlets are closed on a day, each with the first day on which it was."""
    named = {f"id{place}": one for place, one in enumerate(sorted(ids))}
    rows = _closed(tuple(named)).rows(tx, {"maker": scope.owner, "on": on, **named})
    return tuple((row.outlet_id, row.closed_on) for row in rows)


@lru_cache(maxsize=64)
def _closed(names: tuple[str, ...]) -> Ready:
    """Return the question after so many outlets, put together once: a statement that is ready cannot expand."""
    return Ready(
        select(outlet_facts.c.outlet_id, outlet_facts.c.closed_on)
        .where(outlet_facts.c.manufacturer_id == bindparam("maker"), outlet_facts.c.closed_on <= bindparam("on"))
        .where(outlet_facts.c.outlet_id.in_([bindparam(name, type_=String) for name in names]))
        .order_by(outlet_facts.c.outlet_id)
    )


def _degrees(place: Place | None) -> dict[str, str | None]:
    if place is None:
        return {"latitude": None, "longitude": None}
    return {"latitude": degrees(place.latitude), "longitude": degrees(place.longitude)}


def _place(row: Row[Any]) -> Place | None:
    return Place.of(row.latitude or "", row.longitude or "")


def _facts(row: Row[Any]) -> OutletFacts:
    return OutletFacts(
        place=_place(row),
        brands=tuple(json.loads(row.brands)),
        energies=tuple(json.loads(row.energies)),
        closed_on=row.closed_on,
    )


def _rule(row: Row[Any]) -> OutletRule:
    return OutletRule(
        id=row.id, country=row.country, brand=row.brand, energy=row.energy, centre=_place(row), most=row.most
    )


def _listing(row: Row[Any]) -> Listing:
    return Listing(**{name: getattr(row, name) for name in Listing.__dataclass_fields__})
