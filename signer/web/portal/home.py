"""The first page after signing in: the manufacturers one works for, and each one's desk."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import redirect

from signer.domain.parties import Country, Role
from signer.domain.values import beijing_day
from signer.web import languages
from signer.web.portal import charts
from signer.web.portal.doors import MAKERS, SIGNED_IN
from signer.web.portal.frame import OFFICE

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

    from signer.web.portal.doors import Room, Visit
    from signer.web.portal.rooms import Building


def room(building: Building) -> Room:
    """Return the room."""
    home, frame = building.doors.room("home"), building.frame

    @home.get("/portal", SIGNED_IN)
    def choose(visit: Visit) -> ResponseReturnValue:
        """Lead to the one manufacturer or exporter, or to the offices, or let choose among several."""
        known = visit.principal
        places = [f"/portal/{maker}" for maker, held in known.roles.items() if held & MAKERS]
        places += [f"/exporter/{company}" for company in sorted(known.exporters)]
        places += [OFFICE] if known.appointments else []
        if len(places) == 1:
            return redirect(places[0], code=303)
        waiting = [one for one in building.services.exporters.of_person(visit.person) if one.state == "waiting"]
        return frame.draw("portal/choose.html", visit, waiting=waiting)

    @home.get("/portal/<uscc>", MAKERS)
    def desk(visit: Visit) -> ResponseReturnValue:
        """Show what is to be done for one manufacturer."""
        glance = building.services.glancing.glance(visit.uscc)
        months = charts.by_month(glance.issued, today=beijing_day(building.clock()))
        return frame.draw(
            "portal/desk.html",
            visit,
            glance=glance,
            asking=building.services.request_inbox.waiting_count(visit.uscc),
            batches=building.services.batch_looking.glance(visit.uscc),
            months=months,
            countries=charts.by_country(glance.issued),
            rest=charts.REST,
            named=_country,
            may_draft=visit.has(Role.PREPARER),
        )

    return home


def _country(alpha2: str) -> str:
    """Return a destination's name in the page's language."""
    country = Country.of(alpha2)
    return country.name_zh if languages.chosen() == "zh" else country.name_en
