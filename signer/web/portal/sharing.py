"""What a manufacturer sees of the share links to its confirmations, and its own way to the evidence bundle."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import redirect

from signer.services.confirming import parse
from signer.verification.wording import beijing
from signer.web.portal import downloads
from signer.web.portal.confirmations import WORKERS
from signer.web.portal.doors import MAKERS

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

    from signer.web.portal.doors import Room, Visit
    from signer.web.portal.rooms import Building


def room(building: Building) -> Room:
    """Return the room."""
    sharing, services = building.doors.room("sharing"), building.services
    here = "/portal/<uscc>/confirmations/<number>"

    @sharing.get(f"{here}/evidence", MAKERS)
    def evidence(visit: Visit, number: str) -> ResponseReturnValue:
        """Hand out the evidence bundle; the audit is told who took it."""
        parsed = parse(number)
        data = services.evidence.bundle(parsed, manufacturer=visit.uscc)
        services.confirming.note_taken(visit.uscc, number, "evidence", by=visit.person)
        return downloads.attachment(data, f"{parsed}-evidence.zip", downloads.ZIP)

    @sharing.get(f"{here}/links", MAKERS)
    def links(visit: Visit, number: str) -> ResponseReturnValue:
        """Show the links to a confirmation: how often each was used, never for whom it was made."""
        parsed, at = parse(number), building.clock()
        shares = services.sharing.of_maker(visit.uscc, parsed)
        statuses = services.status_links.of_maker(visit.uscc, parsed)
        return building.frame.draw(
            "portal/share_links.html",
            visit,
            number=parsed,
            shares=[(share, share.is_open(at)) for share in shares],
            statuses=statuses,
            may_work=visit.has(*WORKERS),
            beijing=beijing,
        )

    @sharing.post(f"{here}/links/<ref>/revoke", WORKERS)
    def revoke(visit: Visit, number: str, ref: str) -> ResponseReturnValue:
        """Let a link open nothing any more."""
        parsed = parse(number)
        services.sharing.revoke_by_maker(visit.uscc, parsed, ref, by=visit.person)
        return redirect(f"/portal/{visit.uscc}/confirmations/{parsed}/links?done=sharing.revoked", code=303)

    @sharing.post(f"{here}/status/<status>/revoke", WORKERS)
    def untell(visit: Visit, number: str, status: str) -> ResponseReturnValue:
        """Let a status link tell nothing any more."""
        parsed = parse(number)
        services.status_links.revoke_by_maker(visit.uscc, parsed, status, by=visit.person)
        return redirect(f"/portal/{visit.uscc}/confirmations/{parsed}/links?done=sharing.revoked", code=303)

    return sharing
