"""An exporter's first page and its people: who is in, and who waits for a colleague's word."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from flask import Response, redirect, request

from signer.domain.parties import Role, normalise_uscc
from signer.errors import Conflict, NotPermitted
from signer.services.facts import KINDS
from signer.verification.wording import beijing
from signer.web.portal.doors import EXPORTERS, cursor, form
from signer.web.portal.frame import OFFICE
from signer.web.portal.signing_in import answered
from signer.web.problems import Fault

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

    from signer.web.portal.doors import Room, Visit
    from signer.web.portal.rooms import Building

OPERATORS: Final = frozenset({Role.OPERATOR})
_HERE: Final = f"{OFFICE}/exporters"
_WALL = "sandbox; default-src 'none'"
_ENDINGS = dict(KINDS.values())
_OWN = Fault(
    pointer="",
    code="not-permitted",
    zh="不能对本人作出决定。",
    en="Nobody decides on oneself.",
)
_DECIDED = Fault(
    pointer="",
    code="conflict",
    zh="已有其他人作出决定，本次操作未执行。",
    en="Somebody decided this meanwhile. Nothing was done.",
)


def room(building: Building) -> Room:
    """Return the room."""
    door, exporters = building.doors.room("exporters"), building.services.exporters

    def draw(visit: Visit, fault: Fault | None = None) -> ResponseReturnValue:
        faults = () if fault is None else (fault,)
        told = {"people": exporters.people(visit.exporter), "me": visit.person, "beijing": beijing}
        return answered(building.frame.draw("portal/exporter_people.html", visit, faults=faults, **told), fault)

    _add_operators(door, building)

    @door.get("/exporter/<exporter>", EXPORTERS)
    def first(visit: Visit) -> ResponseReturnValue:
        """Lead to the requests."""
        return redirect(f"/exporter/{visit.exporter}/requests", code=303)

    @door.get("/exporter/<exporter>/people", EXPORTERS)
    def people(visit: Visit) -> ResponseReturnValue:
        """Show who acts for the exporter, and who asks to."""
        return draw(visit)

    @door.post("/exporter/<exporter>/people/<ref>", EXPORTERS)
    def decide(visit: Visit, ref: str) -> ResponseReturnValue:
        """Let somebody in, refuse, or put somebody out."""
        grant = form().get("do") == "let-in"
        try:
            exporters.decide(ref, exporter=visit.exporter, grant=grant, by=visit.person)
        except NotPermitted:
            return draw(visit, _OWN)
        except Conflict:
            return draw(visit, _DECIDED)
        done = "exporter.let-in" if grant else "exporter.put-out"
        return redirect(f"/exporter/{visit.exporter}/people?done={done}", code=303)

    return door


def _add_operators(door: Room, building: Building) -> None:
    """Add what operators do: the word that no colleague can give, and putting out whoever came in wrongly."""
    exporters = building.services.exporters

    def draw(visit: Visit, fault: Fault | None = None) -> ResponseReturnValue:
        uscc = normalise_uscc(request.values.get("uscc", "")[:60])
        after = cursor("after")
        found, has_more = (exporters.people(uscc), False) if uscc else exporters.waiting(after=after)
        faults = () if fault is None else (fault,)
        told = {"people": found, "uscc": uscc, "after": after, "has_more": has_more, "beijing": beijing}
        return answered(building.frame.draw("portal/exporter_waiting.html", visit, faults=faults, **told), fault)

    @door.get(_HERE, OPERATORS)
    def waiting(visit: Visit) -> ResponseReturnValue:
        """Show everybody who waits, or one company's people."""
        return draw(visit)

    @door.get(f"{_HERE}/<ref>/licence", OPERATORS)
    def licence(visit: Visit, ref: str) -> ResponseReturnValue:
        """Hand a licence out, never to be shown or run by the browser under our name."""
        del visit
        found, data = exporters.licence(ref)
        response = Response(data, content_type=found.media_type)
        name = f"licence-{found.ref}.{_ENDINGS[found.media_type]}"
        response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
        response.headers["Content-Security-Policy"] = _WALL
        return response

    @door.post(f"{_HERE}/<ref>", OPERATORS)
    def operate(visit: Visit, ref: str) -> ResponseReturnValue:
        """Let somebody in, refuse, or put somebody out."""
        grant = form().get("do") == "let-in"
        try:
            exporters.decide(ref, exporter=None, grant=grant, by=visit.person)
        except (NotPermitted, Conflict):
            return draw(visit, _DECIDED)
        return redirect(f"{_HERE}?done=exporter.{'let-in' if grant else 'put-out'}", code=303)
