"""What a manufacturer says it built: how many vehicles are on the list, one by its VIN, and off with what is wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import redirect, request

from signer.domain.parties import Role
from signer.domain.vehicle import normalise_vin
from signer.register.production import PAGE
from signer.web.portal.doors import MAKERS, form, page_number

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

    from signer.web.portal.doors import Room, Visit
    from signer.web.portal.rooms import Building

LISTERS = frozenset({Role.PREPARER, Role.ADMIN})
_MOST_VIN = 40


def room(building: Building) -> Room:
    """Return the room."""
    production, listing = building.doors.room("production"), building.services.listing

    @production.get("/portal/<uscc>/production", MAKERS)
    def listed(visit: Visit) -> ResponseReturnValue:
        """Show one page of the list, or the vehicles that a part of a VIN finds."""
        search = normalise_vin(request.args.get("q", "")[:_MOST_VIN])
        number = page_number()
        count, built = listing.page(visit.uscc, search=search, number=number)
        return building.frame.draw(
            "portal/production.html",
            visit,
            count=count,
            built=built[:PAGE],
            has_more=len(built) > PAGE,
            search=search,
            number=number,
            may_list=visit.has(*LISTERS),
        )

    @production.post("/portal/<uscc>/production/remove", LISTERS)
    def remove(visit: Visit) -> ResponseReturnValue:
        """Take the chosen vehicles off the list."""
        vins = [normalise_vin(vin[:_MOST_VIN]) for vin in form().getlist("vin")[: PAGE * 2]]
        listing.remove(visit.uscc, vins, by=visit.person)
        return redirect(f"/portal/{visit.uscc}/production?done=production.removed", code=303)

    return production
