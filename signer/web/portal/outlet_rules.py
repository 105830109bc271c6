"""The rules that choose outlets: in order, each with a form, and a place to try them out."""

from __future__ import annotations

from typing import TYPE_CHECKING, get_args

from flask import redirect, request

from signer.domain.places import degrees
from signer.domain.vehicle import Energy
from signer.errors import NotFound, RuleViolation
from signer.services.outlet_rules import Trial
from signer.web import languages
from signer.web.pages import countries
from signer.web.portal.doors import MAKERS, form
from signer.web.portal.outlets import KEEPERS, country_name, faults_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from flask.typing import ResponseReturnValue

    from signer.domain.outlet_choice import OutletRule
    from signer.web.portal.doors import Room, Visit
    from signer.web.portal.rooms import Building
    from signer.web.problems import Fault

_FIELDS = ("country", "brand", "energy", "latitude", "longitude", "most")
_TRIAL = ("country", "port", "brand", "energy")
_USUAL = {"most": "5"}


def room(building: Building) -> Room:
    """Return the room."""
    rules, services = building.doors.room("outlet_rules"), building.services
    base = "/portal/<uscc>/outlets/rules"
    draw = _drawing(building)

    @rules.get(base, MAKERS)
    def show(visit: Visit) -> ResponseReturnValue:
        """Show the rules in order, and what they choose for the vehicle that the address names."""
        return draw(visit, _USUAL)

    @rules.post(base, KEEPERS)
    def add(visit: Visit) -> ResponseReturnValue:
        """Add a rule after the others."""
        typed = _typed()
        try:
            services.outlet_rules.add(visit.uscc, typed, by=visit.person)
        except RuleViolation as error:
            return draw(visit, typed, faults_of(error.violations)), 422
        return _back(visit, "outlet-rules.added")

    _add_one(rules, building)
    return rules


def _drawing(building: Building) -> Callable[..., str]:
    frame, services = building.frame, building.services

    def draw(visit: Visit, typed: Mapping[str, str], faults: tuple[Fault, ...] = (), *, edited: str = "") -> str:
        asked = {name: request.args.get(f"try_{name}", "")[:200] for name in _TRIAL} if request.method == "GET" else {}
        trial = Trial(**asked)
        found = services.outlet_rules.try_out(visit.uscc, trial) if trial.country else None
        every = services.outlet_rules.all(visit.uscc)
        return frame.draw(
            "portal/outlet_rules.html",
            visit,
            faults=faults,
            rules=every,
            typed={name: typed.get(name, "") for name in _FIELDS},
            edited=edited,
            trial=trial,
            found=found,
            fitting=every.index(found.rule) + 1 if found and found.rule in every else 0,
            energies=get_args(Energy),
            countries=countries(languages.chosen()),
            name=country_name,
            degrees=degrees,
            may_keep=visit.has(*KEEPERS),
        )

    return draw


def _add_one(rules: Room, building: Building) -> None:
    """Add the pages of a single rule."""
    services, base = building.services, "/portal/<uscc>/outlets/rules"
    draw = _drawing(building)

    @rules.get(f"{base}/<rule>", KEEPERS)
    def edit(visit: Visit, rule: str) -> ResponseReturnValue:
        """Show one rule's form."""
        return draw(visit, _plain(_find(services.outlet_rules.all(visit.uscc), rule)), edited=rule)

    @rules.post(f"{base}/<rule>", KEEPERS)
    def change(visit: Visit, rule: str) -> ResponseReturnValue:
        """Change a rule, move it up or down, or remove it."""
        _find(services.outlet_rules.all(visit.uscc), rule)
        verb, typed = form().get("do", ""), _typed()
        if verb in ("up", "down"):
            services.outlet_rules.move(visit.uscc, rule, by_places=-1 if verb == "up" else 1, by=visit.person)
            return _back(visit, "outlet-rules.moved")
        if verb == "remove":
            services.outlet_rules.remove(visit.uscc, rule, by=visit.person)
            return _back(visit, "outlet-rules.removed")
        try:
            services.outlet_rules.change(visit.uscc, rule, typed, by=visit.person)
        except RuleViolation as error:
            return draw(visit, typed, faults_of(error.violations), edited=rule), 422
        return _back(visit, "outlet-rules.saved")


def _typed() -> dict[str, str]:
    return {name: form().get(name, "")[:1000] for name in _FIELDS}


def _find(rules: tuple[OutletRule, ...], rule_id: str) -> OutletRule:
    for rule in rules:
        if str(rule.id) == rule_id:
            return rule
    raise NotFound("no such rule of choice")


def _plain(rule: OutletRule) -> dict[str, str]:
    centre = rule.centre
    return {
        "country": rule.country or "",
        "brand": rule.brand or "",
        "energy": rule.energy or "",
        "latitude": degrees(centre.latitude) if centre else "",
        "longitude": degrees(centre.longitude) if centre else "",
        "most": str(rule.most),
    }


def _back(visit: Visit, done: str) -> ResponseReturnValue:
    return redirect(f"/portal/{visit.uscc}/outlets/rules?done={done}", code=303)
