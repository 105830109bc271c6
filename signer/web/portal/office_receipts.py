"""An officer's own receipts: found again by day, outcome and case, one or all that are chosen handed out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from flask import Response, request

from signer.domain.values import format_instant
from signer.register.checks import Sieve
from signer.services.inspecting import MOST_PACKED, MOST_REFERENCE
from signer.verification.wording import beijing
from signer.web.portal.doors import cursor
from signer.web.portal.frame import OFFICE
from signer.web.portal.ledger import Filter
from signer.web.portal.office import OFFICERS, TONES

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

    from signer.web.portal.doors import Room, Visit
    from signer.web.portal.rooms import Building

RECEIPTS: Final = f"{OFFICE}/receipts"
OUTCOMES: Final = ("pass", "review", "fail")
_MOST_TICKED = 100


def room(building: Building) -> Room:
    """Return the room."""
    door, frame, inspecting = building.doors.room("office_receipts"), building.frame, building.services.inspecting

    @door.get(RECEIPTS, OFFICERS)
    def receipts(visit: Visit) -> ResponseReturnValue:
        """Show a page of one's own receipts."""
        (wanted, sieve), before = _filter(), cursor()
        found, has_more = inspecting.history(visit.person, before=before, sieve=sieve)
        return frame.draw(
            "portal/office_receipts.html",
            visit,
            faults=wanted.faults,
            wanted=wanted,
            checks=found,
            before=before,
            has_more=has_more,
            outcomes=OUTCOMES,
            most=MOST_PACKED,
            tones=TONES,
            beijing=beijing,
        )

    @door.get(f"{RECEIPTS}/zip", OFFICERS)
    def packed(visit: Visit) -> ResponseReturnValue:
        """Hand out the receipts that are ticked; where none is, all that fit."""
        refs = tuple(request.args.getlist("ref")[:_MOST_TICKED])
        data = inspecting.packed(visit.person, refs=refs, sieve=_filter()[1])
        response = Response(data, content_type="application/zip")
        name = f"receipts-{format_instant(building.clock())[:10]}.zip"
        response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
        return response

    return door


def _filter() -> tuple[Filter, Sieve]:
    """Read what is wanted from this request's address; what is no outcome filters nothing."""
    plain = Filter.read(more=("outcome", "reference"))
    outcome = plain.typed["outcome"] if plain.typed["outcome"] in OUTCOMES else ""
    sieve = Sieve(
        since=plain.sieve.since,
        until=plain.sieve.until,
        outcome=outcome,
        reference=plain.typed["reference"][:MOST_REFERENCE],
        with_receipt=True,
    )
    return plain, sieve
