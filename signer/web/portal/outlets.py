"""The outlets of a manufacturer: what each destination has, one outlet's page, adding, closing, verifying, its link."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import redirect, request

from signer.domain.outlet_choice import OutletFacts
from signer.domain.outlet_entry import ENTRY_FIELDS, typed_of
from signer.domain.outlet_entry_texts import ENERGY_NAMES, SCOPE_NAMES
from signer.domain.parties import Role, country_code
from signer.domain.values import beijing_day
from signer.errors import RuleViolation
from signer.services.outlets import country_names
from signer.web import languages
from signer.web.pages import countries
from signer.web.portal.doors import MAKERS, form
from signer.web.problems import Fault

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flask.typing import ResponseReturnValue

    from signer.errors import Finding
    from signer.services.outlets import Kept
    from signer.web.portal.doors import Room, Visit
    from signer.web.portal.frame import Frame
    from signer.web.portal.rooms import Building

KEEPERS = frozenset({Role.PREPARER, Role.ADMIN})
"""Who may change outlets; everybody of the manufacturer sees them."""
_LISTS = ("scope", "energies")
_MOST_TYPED = 2000


def room(building: Building) -> Room:
    """Return the room."""
    outlets, frame, services = building.doors.room("outlets"), building.frame, building.services
    base = "/portal/<uscc>/outlets"

    @outlets.get(base, MAKERS)
    def coverage(visit: Visit) -> ResponseReturnValue:
        """Show what each destination has."""
        rows = services.outlets.coverage(visit.uscc)
        return frame.draw("portal/outlets.html", visit, rows=rows, name=country_name, may_keep=visit.has(*KEEPERS))

    @outlets.get(f"{base}/list", MAKERS)
    def listed(visit: Visit) -> ResponseReturnValue:
        """Show the outlets of one country, or all."""
        code = country_code(request.args.get("country", "")[:100])
        rows = services.outlets.every(visit.uscc, country=code)
        may_keep = visit.has(*KEEPERS)
        return frame.draw(
            "portal/outlet_list.html", visit, rows=rows, country=code, name=country_name, may_keep=may_keep
        )

    _add_new(outlets, building)
    _add_one(outlets, building)
    _add_closing(outlets, building)
    return outlets


def _add_new(outlets: Room, building: Building) -> None:
    """Add the form of a new outlet."""
    frame, services, base = building.frame, building.services, "/portal/<uscc>/outlets"

    @outlets.get(f"{base}/add", KEEPERS)
    def new(visit: Visit) -> ResponseReturnValue:
        """Show an empty form."""
        code = country_code(request.args.get("country", "")[:100])
        start = beijing_day(building.clock()).isoformat()
        return _draw_form(frame, visit, None, {"country": code, "authorised_from": start})

    @outlets.post(f"{base}/add", KEEPERS)
    def add(visit: Visit) -> ResponseReturnValue:
        """Add an outlet."""
        typed = _typed()
        try:
            made = services.outlets.add(visit.uscc, typed, by=visit.person)
        except RuleViolation as error:
            return _draw_form(frame, visit, None, typed, faults_of(error.violations)), 422
        return _back(visit, f"/id/{made.id}?done=outlets.added")


def _add_one(outlets: Room, building: Building) -> None:
    """Add the page of one outlet, and what may be done with it at once."""
    frame, services, base = building.frame, building.services, "/portal/<uscc>/outlets"

    @outlets.get(f"{base}/id/<outlet>", MAKERS)
    def show(visit: Visit, outlet: str) -> ResponseReturnValue:
        """Show one outlet, and its form."""
        return _draw_form(frame, visit, services.outlets.one(visit.uscc, outlet), None)

    @outlets.post(f"{base}/id/<outlet>", KEEPERS)
    def change(visit: Visit, outlet: str) -> ResponseReturnValue:
        """Make an outlet what was typed."""
        kept, typed = services.outlets.one(visit.uscc, outlet), _typed()
        try:
            services.outlets.change(visit.uscc, outlet, typed, by=visit.person)
        except RuleViolation as error:
            return _draw_form(frame, visit, kept, typed, faults_of(error.violations)), 422
        return _back(visit, f"/id/{outlet}?done=outlets.saved")

    @outlets.post(f"{base}/id/<outlet>/verified", KEEPERS)
    def verified(visit: Visit, outlet: str) -> ResponseReturnValue:
        """Record that an outlet was verified today."""
        services.outlets.verify(visit.uscc, outlet, by=visit.person)
        return _back(visit, f"/id/{outlet}?done=outlets.verified")

    @outlets.post(f"{base}/id/<outlet>/reopened", KEEPERS)
    def reopened(visit: Visit, outlet: str) -> ResponseReturnValue:
        """Open a closed outlet again."""
        services.outlets.reopen(visit.uscc, outlet, by=visit.person)
        return _back(visit, f"/id/{outlet}?done=outlets.reopened")


def _add_closing(outlets: Room, building: Building) -> None:
    """Add the pages that end something: closing an outlet, and making its link, which ends the one before."""
    frame, services, base = building.frame, building.services, "/portal/<uscc>/outlets/id/<outlet>"

    def closing(visit: Visit, outlet: str, typed: Mapping[str, str], faults: tuple[Fault, ...] = ()) -> str:
        kept = services.outlets.one(visit.uscc, outlet)
        touched = services.outlets.touched(visit.uscc, outlet)
        told = {"kept": kept, "touched": touched, "typed": typed, "name": country_name}
        return frame.draw("portal/outlet_close.html", visit, faults=faults, **told)

    @outlets.get(f"{base}/close", KEEPERS)
    def before_closing(visit: Visit, outlet: str) -> ResponseReturnValue:
        """Show which confirmations in force name an outlet, and ask from when and why it closes."""
        return closing(visit, outlet, {"closed_on": beijing_day(building.clock()).isoformat(), "reason": ""})

    @outlets.post(f"{base}/close", KEEPERS)
    def close(visit: Visit, outlet: str) -> ResponseReturnValue:
        """Close an outlet."""
        typed = {name: form().get(name, "")[:_MOST_TYPED] for name in ("closed_on", "reason")}
        try:
            services.outlets.close(visit.uscc, outlet, on=typed["closed_on"], reason=typed["reason"], by=visit.person)
        except RuleViolation as error:
            return closing(visit, outlet, typed, faults_of(error.violations)), 422
        return _back(visit, f"/id/{outlet}?done=outlets.closed")

    @outlets.post(f"{base}/link", KEEPERS)
    def link(visit: Visit, outlet: str) -> ResponseReturnValue:
        """Make an outlet's link, and show it this once: it is kept nowhere."""
        token = services.outlet_links.make(visit.uscc, outlet, by=visit.person)
        address = f"{services.settings.base_url.rstrip('/')}/outlet-link/{token}"
        return _draw_form(frame, visit, services.outlets.one(visit.uscc, outlet), None, link=address)


def _draw_form(
    frame: Frame,
    visit: Visit,
    kept: Kept | None,
    typed: Mapping[str, str] | None,
    faults: tuple[Fault, ...] = (),
    *,
    link: str = "",
) -> str:
    """Draw the page of an outlet, or of a new one, with what was typed or what is stored."""
    if typed is None and kept is not None:
        typed = typed_of(kept.outlet, kept.entry.facts or OutletFacts(), words=str)
    filled = {name: (typed or {}).get(name, "") for name in ENTRY_FIELDS}
    return frame.draw(
        "portal/outlet.html",
        visit,
        faults=faults,
        kept=kept,
        typed=filled,
        ticked={name: {part.strip() for part in filled[name].split(";")} for name in _LISTS},
        scopes=tuple(SCOPE_NAMES),
        energies=tuple(ENERGY_NAMES),
        countries=countries(languages.chosen()),
        name=country_name,
        may_keep=visit.has(*KEEPERS),
        link=link,
    )


def _typed() -> dict[str, str]:
    """Return what was typed of an outlet; ticked boxes are a list."""
    sent = form()
    typed = {name: sent.get(name, "")[:_MOST_TYPED] for name in ENTRY_FIELDS if name not in _LISTS}
    return typed | {name: "; ".join(sent.getlist(name)[:50])[:_MOST_TYPED] for name in _LISTS}


def faults_of(findings: tuple[Finding, ...]) -> tuple[Fault, ...]:
    """Return findings as a form shows them: a field's id is its name."""
    return tuple(Fault(pointer=one.pointer.removeprefix("/"), code=one.rule, zh=one.zh, en=one.en) for one in findings)


def country_name(code: str) -> str:
    """Return what a country is called in the reader's language."""
    zh, en = country_names(code)
    return zh if languages.chosen() == "zh" else en


def _back(visit: Visit, path: str) -> ResponseReturnValue:
    return redirect(f"/portal/{visit.uscc}/outlets{path}", code=303)
