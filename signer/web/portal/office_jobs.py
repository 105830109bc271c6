"""The jobs: what waits, what failed and why; an operator has one tried again, or drops it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from flask import redirect

from signer.errors import Conflict
from signer.verification.wording import beijing
from signer.web.portal.account import number_of
from signer.web.portal.frame import HOUSE, OFFICE
from signer.web.portal.office_makers import OPERATORS
from signer.web.problems import Fault

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

    from signer.web.portal.doors import Room, Visit
    from signer.web.portal.rooms import Building

JOBS: Final = f"{OFFICE}/jobs"
TONES: Final = {"waiting": "none", "running": "open", "done": "yes", "failed": "no"}
_CHANGED = Fault(
    pointer="",
    code="conflict",
    zh="该任务的状态已有变化，本次操作未执行。",
    en="This job stands otherwise by now, and nothing was done.",
)


def room(building: Building) -> Room:
    """Return the room."""
    door, frame, working = building.doors.room("office_jobs"), building.frame, building.services.working

    def draw(visit: Visit, *faults: Fault) -> str:
        found = working.all()
        return frame.draw(
            "portal/office_jobs.html",
            visit,
            faults=faults,
            failed=[job for job in found if job.state == "failed"],
            single=[job for job in found if not job.is_periodic and job.state != "failed"],
            periodic=[job for job in found if job.is_periodic],
            may_act=visit.has(*OPERATORS),
            tones=TONES,
            beijing=beijing,
        )

    @door.get(JOBS, HOUSE)
    def jobs(visit: Visit) -> ResponseReturnValue:
        """Show every job."""
        return draw(visit)

    @door.post(f"{JOBS}/<job>/retry", OPERATORS)
    def retry(visit: Visit, job: str) -> ResponseReturnValue:
        """Have a job tried again, now."""
        try:
            working.retry(number_of(job), actor=visit.person)
        except Conflict:
            return draw(visit, _CHANGED), 409
        return redirect(f"{JOBS}?done=job.retried", code=303)

    @door.post(f"{JOBS}/<job>/drop", OPERATORS)
    def drop(visit: Visit, job: str) -> ResponseReturnValue:
        """Drop a job that was given up."""
        try:
            working.drop(number_of(job), actor=visit.person)
        except Conflict:
            return draw(visit, _CHANGED), 409
        return redirect(f"{JOBS}?done=job.dropped", code=303)

    return door
