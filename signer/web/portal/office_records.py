"""Where a vehicle is named, over all manufacturers, and the full record behind each answer; for officers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from flask import Response

from signer.errors import InvalidInput
from signer.services.inspecting import MOST_FOUND, MOST_REFERENCE
from signer.verification.wording import beijing
from signer.web import view
from signer.web.portal.doors import form
from signer.web.portal.frame import OFFICE
from signer.web.portal.office import OFFICERS
from signer.web.problems import Fault

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

    from signer.services.inspecting import Found
    from signer.web.portal.doors import Room, Visit
    from signer.web.portal.rooms import Building

TONES: Final = {"issued": "yes", "suspended": "open", "superseded": "open", "withdrawn": "no"}
_MOST_TYPED = 60
_FAULTS: Final = {
    "vin": Fault(
        pointer="vin",
        code="vin.length",
        zh="请输入完整的车辆识别代号（17 位），或其后 8 位",
        en="Give the whole VIN (17 characters), or its last 8",
    ),
    "reference": Fault(
        pointer="reference",
        code="reference",
        zh=f"案卷号至多 {MOST_REFERENCE} 个字符，不含特殊字符",
        en=f"A reference has at most {MOST_REFERENCE} plain characters",
    ),
}


def room(building: Building) -> Room:
    """Return the room."""
    door, frame, inspecting = building.doors.room("office_records"), building.frame, building.services.inspecting

    def draw(visit: Visit, *faults: Fault, typed: dict[str, str] | None = None, found: Found | None = None) -> str:
        return frame.draw(
            "portal/office_vehicles.html",
            visit,
            faults=faults,
            typed=typed or {},
            found=found,
            most=MOST_FOUND,
            tones=TONES,
            beijing=beijing,
        )

    @door.get(f"{OFFICE}/vehicles", OFFICERS)
    def ask(visit: Visit) -> ResponseReturnValue:
        """Show the form."""
        return draw(visit)

    @door.post(f"{OFFICE}/vehicles", OFFICERS)
    def search(visit: Visit) -> ResponseReturnValue:
        """Show where a vehicle is named; a form that is sent, so that no VIN stands in an address."""
        typed = {"vin": form().get("vin", "")[:_MOST_TYPED], "reference": form().get("reference", "")[:400]}
        try:
            found = inspecting.search(typed["vin"], reference=typed["reference"], by=visit.person)
        except InvalidInput as error:
            return draw(visit, _FAULTS[error.field], typed=typed), 422
        return draw(visit, typed=typed, found=found)

    @door.get(f"{OFFICE}/records/<number>", OFFICERS)
    def record(visit: Visit, number: str) -> ResponseReturnValue:
        """Show a full record."""
        seen = inspecting.record(number, by=visit.person)
        return frame.draw(
            "portal/office_record.html",
            visit,
            seen=seen,
            record=seen.record,
            view=view.of_record(seen.record, frame.t),
            ended=[line for line in seen.record.lines if line.standing.value not in ("issued", "suspended")],
            tones=TONES,
            beijing=beijing,
        )

    @door.get(f"{OFFICE}/records/<number>/file", OFFICERS)
    def file(visit: Visit, number: str) -> ResponseReturnValue:
        """Hand out the sealed file."""
        found, data = inspecting.file(number, by=visit.person)
        response = Response(data, content_type="application/pdf")
        response.headers["Content-Disposition"] = f'attachment; filename="{found}.pdf"'
        return response

    return door
