"""A manufacturer's rules of which outlets a confirmation gets: keep them in order, and try them out."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, get_args

from signer.domain.confirmation import MOST_OUTLETS, Draft, DraftDestination, DraftVehicle
from signer.domain.field_names import FIELDS
from signer.domain.outlet_choice import OutletRule
from signer.domain.outlet_entry_texts import RULES
from signer.domain.parties import country_code
from signer.domain.places import Place
from signer.domain.rule_catalogue import rule
from signer.domain.values import MOST_TEXT, tidy, unprintable
from signer.domain.vehicle import Energy
from signer.errors import NotFound, RuleViolation
from signer.register import outlets, parties
from signer.services.outlets import note

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from signer.errors import Finding
    from signer.register.database import Database, Transaction
    from signer.services.outlets import Outlets, Suggestion

MOST_RULES = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """What a try-out asks: a destination, a brand and an energy, as typed."""

    country: str = ""
    port: str = ""
    brand: str = ""
    energy: str = ""


class OutletRules:
    """The rules of choice of every manufacturer."""

    def __init__(self, *, database: Database, outlets: Outlets, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._outlets = outlets
        self._clock = clock

    def all(self, maker: str) -> tuple[OutletRule, ...]:
        """Return a manufacturer's rules in order."""
        with self._database.read() as tx:
            return outlets.choosing_of(tx, scope=parties.tenant(tx, maker).scope).rules

    def add(self, maker: str, typed: Mapping[str, str], *, by: str) -> None:
        """Add a rule after the others. RuleViolation names every wrong field."""
        made = read_rule(typed)
        with self._database.write() as tx:
            tenant, rules = self._of(tx, maker)
            if len(rules) >= MOST_RULES:
                raise RuleViolation((RULES["outlet-entry.many"].at("", most=str(MOST_RULES)),))
            self._save(tx, tenant, (*rules, made), by=by)

    def change(self, maker: str, rule_id: str, typed: Mapping[str, str], *, by: str) -> None:
        """Make a rule what was typed. NotFound, RuleViolation."""
        with self._database.write() as tx:
            tenant, rules = self._of(tx, maker)
            place = _place(rules, rule_id)
            made = replace(read_rule(typed), id=rules[place].id)
            self._save(tx, tenant, (*rules[:place], made, *rules[place + 1 :]), by=by)

    def move(self, maker: str, rule_id: str, *, by_places: int, by: str) -> None:
        """Move a rule up (negative) or down among the others, as far as there is room. NotFound."""
        with self._database.write() as tx:
            tenant, rules = self._of(tx, maker)
            place = _place(rules, rule_id)
            rest = (*rules[:place], *rules[place + 1 :])
            at = max(0, min(len(rest), place + by_places))
            self._save(tx, tenant, (*rest[:at], rules[place], *rest[at:]), by=by)

    def remove(self, maker: str, rule_id: str, *, by: str) -> None:
        """Remove a rule. NotFound."""
        with self._database.write() as tx:
            tenant, rules = self._of(tx, maker)
            place = _place(rules, rule_id)
            self._save(tx, tenant, (*rules[:place], *rules[place + 1 :]), by=by)

    def try_out(self, maker: str, trial: Trial) -> Suggestion:
        """Return what a confirmation for one such vehicle would get."""
        draft = Draft(
            destination=DraftDestination(country=trial.country[:200], port=trial.port[:200]),
            vehicles=(DraftVehicle(brand=trial.brand[:200], energy=trial.energy[:40]),),
        )
        return self._outlets.suggest(draft, maker)

    def _of(self, tx: Transaction, maker: str) -> tuple[parties.Tenant, tuple[OutletRule, ...]]:
        tenant = parties.tenant(tx, maker)
        return tenant, outlets.choosing_of(tx, scope=tenant.scope).rules

    def _save(self, tx: Transaction, tenant: parties.Tenant, rules: tuple[OutletRule, ...], *, by: str) -> None:
        at = self._clock()
        outlets.save_rules(tx, rules, scope=tenant.scope, at=at)
        note(tx, tenant, "outlet-rules.changed", by=by, subject=tenant.manufacturer.uscc, at=at, rules=str(len(rules)))


def read_rule(typed: Mapping[str, str]) -> OutletRule:
    """Return a rule as typed: empty fields fit everything. RuleViolation names every wrong field."""
    found: list[Finding] = []
    text = {name: tidy(typed.get(name, "")[:1000]) for name in ("country", "brand", "energy", "most")}
    code = country_code(text["country"][:100])
    if text["country"] and code in ("", "CN"):
        found.append(RULES["outlet-entry.country"].at("/country", typed=text["country"]))
    if len(text["brand"]) > MOST_TEXT or unprintable(text["brand"]):
        found.append(rule("text.too-long").at("/brand", field=FIELDS["brand"], most="120", length="120+"))
    energy = next((one for one in get_args(Energy) if one == text["energy"]), None)
    if text["energy"] and energy is None:
        found.append(RULES["outlet-entry.word"].at("/energy", field=FIELDS["energies"], typed=text["energy"]))
    most = int(text["most"]) if text["most"].isascii() and text["most"].isdecimal() and len(text["most"]) < 4 else 0
    if not 1 <= most <= MOST_OUTLETS:
        found.append(RULES["outlet-entry.most"].at("/most", most=str(MOST_OUTLETS)))
    centre = None
    try:
        centre = Place.of(typed.get("latitude", "")[:50], typed.get("longitude", "")[:50])
    except ValueError:
        found.append(RULES["outlet-entry.place"].at("/latitude"))
    if found:
        raise RuleViolation(tuple(found))
    return OutletRule(country=code or None, brand=text["brand"] or None, energy=energy, centre=centre, most=most)


def _place(rules: tuple[OutletRule, ...], rule_id: str) -> int:
    for place, each in enumerate(rules):
        if str(each.id) == rule_id:
            return place
    raise NotFound("no such rule of choice")
