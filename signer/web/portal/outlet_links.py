"""An outlet's own page, without an account: what is listed of it, and two answers. Looking changes nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import redirect

from signer.errors import RuleViolation
from signer.web.portal.doors import form
from signer.web.portal.outlets import country_name, faults_of

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

    from signer.web.portal.doors import Room, Visit
    from signer.web.portal.rooms import Building
    from signer.web.problems import Fault


def room(building: Building) -> Room:
    """Return the room."""
    links, frame, services = building.doors.room("outlet_links"), building.frame, building.services

    def draw(token: str, *, said: str = "", remark: str = "", faults: tuple[Fault, ...] = ()) -> str:
        listed = services.outlet_links.listed(token)
        told = {"listed": listed, "said": said, "remark": remark, "name": country_name}
        return frame.draw("portal/outlet_link.html", None, faults=faults, **told)

    @links.open_get("/outlet-link/<token>")
    def show(visit: Visit | None, token: str) -> ResponseReturnValue:
        """Show what is listed: a preview of the link, or a scanner of mail, changes nothing by it."""
        del visit
        return draw(token)

    @links.open_post("/outlet-link/<token>")
    def answer(visit: Visit | None, token: str) -> ResponseReturnValue:
        """Keep what the outlet says."""
        del visit
        remark = form().get("remark", "")[:2000]
        if form().get("do") == "right":
            services.outlet_links.confirm(token)
            return redirect(f"/outlet-link/{token}/thanks", code=303)
        try:
            services.outlet_links.object_to(token, remark)
        except RuleViolation as error:
            return draw(token, remark=remark, faults=faults_of(error.violations)), 422
        return redirect(f"/outlet-link/{token}/thanks", code=303)

    @links.open_get("/outlet-link/<token>/thanks")
    def thanks(visit: Visit | None, token: str) -> ResponseReturnValue:
        """Say that the answer was kept."""
        del visit
        return draw(token, said="kept")

    return links
