"""An officer's desk: the one form, as everybody has it, and the history of what one asked, with the receipts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from flask import Response, redirect

from signer.domain.parties import Role
from signer.errors import InvalidInput, NotFound
from signer.services.inspecting import MOST_REFERENCE, reference_of
from signer.verification.wording import beijing
from signer.web import answers, intake, proxies
from signer.web.asking import Form, understand
from signer.web.portal.doors import SIGNED_IN, cursor, files, form
from signer.web.portal.frame import OFFICE, OFFICES, rooms
from signer.web.problems import Fault, Refused
from signer.web.public import form_of
from signer.web.remembering import asked_of

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

    from signer.web.portal.doors import Room, Visit
    from signer.web.portal.rooms import Building

OFFICERS: Final = frozenset({Role.OFFICER})
CHECK: Final = f"{OFFICE}/check"
TONES: Final = {"pass": "yes", "review": "open", "fail": "no", "none": "none"}
_MOST_BODY = intake.MOST_TOTAL + intake.OVERHEAD


def room(building: Building) -> Room:
    """Return the room."""
    door, desk = building.doors.room("office"), _Desk(building)
    door.get(OFFICE, SIGNED_IN)(desk.lead)
    door.get(CHECK, OFFICERS)(desk.form)
    door.post(CHECK, OFFICERS, most_bytes=_MOST_BODY)(desk.check)
    door.get(f"{OFFICE}/history", OFFICERS)(desk.history)
    door.get(f"{OFFICE}/history/<ref>", OFFICERS)(desk.one)
    door.get(f"{OFFICE}/history/<ref>/receipt", OFFICERS)(desk.receipt)
    return door


class _Desk:
    """The room's views."""

    def __init__(self, building: Building) -> None:
        self._building = building
        self._services = building.services
        self._frame = building.frame
        self._pages = building.pages

    def lead(self, visit: Visit) -> ResponseReturnValue:
        """Lead to the first room that somebody sees; who has no office is led back."""
        seen = rooms(visit, OFFICE, OFFICES)
        return redirect(seen[0].href if seen else "/portal", code=303)

    def form(self, visit: Visit) -> ResponseReturnValue:
        """Show the empty form."""
        return self._pages.form(Form(), inside=self._frame.inside(visit, CHECK))

    def check(self, visit: Visit) -> ResponseReturnValue:
        """Answer a filled-in form as the public page does, and remember question and receipt."""
        filled, uploads = form_of(form()), files("files", most=intake.MOST_FILES)
        typed = form().get("reference", "")[: MOST_REFERENCE * 2]
        around = self._frame.inside(visit, CHECK, reference=typed)
        if form().get("step") == "edit":
            return self._pages.form(filled, inside=around)
        try:
            told = reference_of(typed)
            wanted = understand(filled, uploads, at=self._building.clock())
            network = proxies.network(self._services.settings)
            answered = answers.answer(self._services, wanted, network=network)
        except Refused as error:
            return self._pages.form(filled, error.faults, had_files=bool(uploads), inside=around), 422
        except InvalidInput as error:
            fault = Fault(pointer="box", code=error.code, zh=error.reason, en=error.reason)
            return self._pages.form(filled, (fault,), had_files=bool(uploads), inside=around), 422
        kept = self._services.inspecting.keep(asked_of(answered, told), by=visit.person)
        inside = self._frame.inside(visit, CHECK, reference=told, kept=kept)
        return answers.drawn(self._pages, answered, filled, inside=inside)

    def history(self, visit: Visit) -> ResponseReturnValue:
        """Show what one asked, the latest first."""
        before = cursor()
        found, has_more = self._services.inspecting.history(visit.person, before=before)
        return self._frame.draw(
            "portal/office_history.html",
            visit,
            checks=found,
            before=before,
            has_more=has_more,
            tones=TONES,
            beijing=beijing,
        )

    def one(self, visit: Visit, ref: str) -> ResponseReturnValue:
        """Show one check with its receipt."""
        found = self._services.inspecting.one(ref, person=visit.person)
        return self._frame.draw("portal/office_check.html", visit, check=found, tones=TONES, beijing=beijing)

    def receipt(self, visit: Visit, ref: str) -> ResponseReturnValue:
        """Hand out a receipt, as it was signed. NotFound if there is none."""
        found = self._services.inspecting.one(ref, person=visit.person)
        if found.receipt is None:
            raise NotFound("this check has no receipt")
        response = Response(found.receipt, content_type="application/jwt")
        response.headers["Content-Disposition"] = f'attachment; filename="receipt-{found.jti}.jwt"'
        return response
