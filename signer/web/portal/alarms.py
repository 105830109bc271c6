"""The forgery alarm: what was shown where, what it may mean, and who said what it was."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import redirect

from signer.domain.verdict import Code
from signer.errors import Conflict, InvalidInput, NotFound
from signer.services.alarms import KEEPERS, SUSPICIOUS
from signer.verification.wording import beijing
from signer.web.portal.doors import MAKERS, form, page_number
from signer.web.problems import Fault

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

    from signer.web.portal.doors import Room, Visit
    from signer.web.portal.rooms import Building

PER_PAGE = 50
GRAVE = frozenset({Code.NOT_REGISTERED})
"""A listed seal on what was never issued: a key was used outside the service."""
CODES = (*sorted(SUSPICIOUS, key=lambda code: code.rank), Code.NOT_ON_RECORD, Code.INDETERMINATE)
_MOST_REASON, _MOST_ID = 200, 9


def room(building: Building) -> Room:
    """Return the room."""
    alarms, frame, alarming = building.doors.room("alarms"), building.frame, building.services.alarming

    def draw(visit: Visit, *, page: int = 1, typed: dict[str, str] | None = None, fault: Fault | None = None) -> str:
        found = alarming.page(visit.uscc, most=PER_PAGE + 1, skip=(page - 1) * PER_PAGE)
        return frame.draw(
            "portal/alarms.html",
            visit,
            faults=(fault,) if fault else (),
            alarms=found[:PER_PAGE],
            names=building.services.people.names({alarm.settled_by for alarm in found if alarm.settled_by}),
            has_more=len(found) > PER_PAGE,
            page=page,
            grave=GRAVE,
            codes={alarm.code for alarm in found},
            typed=typed or {},
            may_settle=visit.has(*KEEPERS),
            beijing=beijing,
        )

    @alarms.get("/portal/<uscc>/alarms", MAKERS)
    def all_alarms(visit: Visit) -> ResponseReturnValue:
        """Show the alarms, the latest first."""
        return draw(visit, page=page_number())

    @alarms.post("/portal/<uscc>/alarms/<alarm>/settle", KEEPERS)
    def settle(visit: Visit, alarm: str) -> ResponseReturnValue:
        """Say what one was."""
        if not (alarm.isascii() and alarm.isdigit() and len(alarm) <= _MOST_ID):
            raise NotFound("no such alarm")
        field, typed = f"reason-{alarm}", form().get("reason", "").replace("\x00", "")
        try:
            alarming.settle(int(alarm), manufacturer=visit.uscc, by=visit.person, reason=typed)
        except InvalidInput:
            fault = Fault(pointer=field, code="length", zh="请用 5 至 200 个字说明", en="say it in 5 to 200 characters")
            return draw(visit, typed={field: typed[:_MOST_REASON]}, fault=fault)
        except Conflict:
            return redirect(f"/portal/{visit.uscc}/alarms", code=303)
        return redirect(f"/portal/{visit.uscc}/alarms?done=alarm.settled", code=303)

    return alarms
