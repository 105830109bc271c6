"""An exporter's requests: a new one, the list, one with its questions and answers, and another destination for cars."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from flask import current_app, redirect, request

from signer.domain import requesting
from signer.domain.parties import country_code
from signer.domain.values import beijing_day, parse_day
from signer.errors import Conflict, InvalidInput, ManufacturerSuspended, NotPermitted, TooManyRequests
from signer.services import import_files
from signer.services.request_changing import in_turn
from signer.services.requesting import MOST_WORDS_A_DAY, Asker
from signer.verification.wording import beijing
from signer.web import languages
from signer.web.pages import countries
from signer.web.portal import request_form
from signer.web.portal.doors import EXPORTERS, files, form
from signer.web.portal.outlets import country_name
from signer.web.portal.request_words import fault_at
from signer.web.portal.signing_in import answered
from signer.web.problems import Fault

if TYPE_CHECKING:
    from datetime import date

    from flask.typing import ResponseReturnValue

    from signer.domain.requesting import Wish
    from signer.web.portal.doors import Room, Visit
    from signer.web.portal.rooms import Building

TONES: Final = {
    "asked": "open",
    "drafted": "open",
    "approving": "open",
    "issued": "yes",
    "refused": "no",
    "withdrawn": "none",
}
AFTER: Final = {
    "issued": "yes",
    "suspended": "open",
    "partly-withdrawn": "open",
    "partly-superseded": "open",
    "withdrawn": "no",
    "superseded": "none",
    "ended": "none",
    "unclear": "open",
}
"""The tone of an issued request by how its confirmation stands by now."""
_TURNED_AWAY: Final = (
    "{maker}未接受贵企业，本次申请未发送。请与其联系，或将其车辆移出本次申请。",
    "{maker} does not deal with your company, and nothing was sent. Ask it why, or leave its vehicles out.",
)
_MANY: Final = Fault(
    pointer="",
    code="too-many-requests",
    zh="24 小时内的申请过多，请稍后再试。",
    en="Too many requests within 24 hours. Try again later.",
)
_WORDY: Final = Fault(
    pointer="text",
    code="too-many-requests",
    zh=f"对同一申请，24 小时内至多留言 {MOST_WORDS_A_DAY} 次，请稍后再试。",
    en=f"At most {MOST_WORDS_A_DAY} messages to one request within 24 hours. Try again later.",
)
_MOVED: Final = Fault(
    pointer="",
    code="conflict",
    zh="申请的状态已变化，本次操作未执行。",
    en="This request has moved on meanwhile. Nothing was done.",
)
_ASKED: Final = Fault(
    pointer="",
    code="conflict",
    zh="所选车辆已有同样的申请，尚待答复。",
    en="The same is asked for some of these cars already, and not answered yet.",
)


def room(building: Building) -> Room:
    """Return the room."""
    door, desk = building.doors.room("requesting"), _Desk(building)
    here = "/exporter/<exporter>/requests"
    door.get(here, EXPORTERS)(desk.listed)
    door.get(f"{here}/new", EXPORTERS)(desk.blank)
    door.post(f"{here}/new", EXPORTERS)(desk.typed)
    door.get(f"{here}/template", EXPORTERS)(desk.template)
    door.get(f"{here}/<ref>", EXPORTERS)(desk.one)
    door.post(f"{here}/<ref>/say", EXPORTERS)(desk.say)
    door.post(f"{here}/<ref>/withdraw", EXPORTERS)(desk.withdraw)
    door.get("/exporter/<exporter>/redirect/<number>", EXPORTERS)(desk.elsewhere)
    door.post("/exporter/<exporter>/redirect/<number>", EXPORTERS)(desk.redirect)
    return door


class _Desk:
    """The room's views."""

    def __init__(self, building: Building) -> None:
        self._frame = building.frame
        self._requesting = building.services.requesting
        self._clock = building.clock

    def _today(self) -> date:
        return beijing_day(self._clock())

    def listed(self, visit: Visit) -> ResponseReturnValue:
        """Show every request, the newest first."""
        rows = self._requesting.listed(visit.exporter)
        return self._frame.draw(
            "portal/own_requests.html", visit, rows=rows, tones=TONES, after_tones=AFTER, country=country_of
        )

    def blank(self, visit: Visit) -> ResponseReturnValue:
        """Show an empty form."""
        return self._form(visit, request_form.Read(wish=requesting.Wish(country="")))

    def _form(self, visit: Visit, found: request_form.Read, *faults: Fault) -> ResponseReturnValue:
        wish, makers = found.wish, self._requesting.makers()
        parted, _ = requesting.part(wish.vehicles, makers)
        names = {maker.uscc: maker.legal_name for maker in makers}
        page = self._frame.draw(
            "portal/request_new.html",
            visit,
            faults=faults,
            groups=[(names[uscc], len(vehicles)) for uscc, vehicles in parted.items()],
            makers=sorted(names.values()),
            **request_form.shown(found, today=self._today()),
        )
        return answered(page, faults[0] if faults else None)

    def _planned(self, wish: Wish) -> date:
        """Return the day on which windows are counted: that of the licence application, else today."""
        return request_form.planned(wish, today=self._today())

    def typed(self, visit: Visit) -> ResponseReturnValue:
        """Show what was typed, pasted or handed in with its windows; or send it."""
        found = request_form.judged(request_form.read(form(), files("sheet")), self._requesting.faults)
        if found.faults:
            return self._form(visit, found, *found.faults)
        faults = tuple(fault_at(place, code) for place, code in self._requesting.faults(found.wish))
        if form().get("do") != "send" or found.has_more:
            known = {f"vin-{number}" for number in range(1, len(found.wish.vehicles) + 1)}
            return self._form(visit, found, *(one for one in faults if not found.has_more or one.pointer in known))
        if faults:
            return self._form(visit, found, *faults)
        try:
            refs = self._requesting.send(found.wish, asker_of(visit))
        except NotPermitted as error:
            zh, en = (words.format(maker=error) for words in _TURNED_AWAY)
            return self._form(visit, found, Fault(pointer="", code=error.code, zh=zh, en=en))
        except TooManyRequests:
            return self._form(visit, found, _MANY)
        here = f"/exporter/{visit.exporter}/requests"
        return redirect(f"{here}/{refs[0]}?done=requests.sent" if len(refs) == 1 else f"{here}?done=requests.sent", 303)

    def template(self, visit: Visit) -> ResponseReturnValue:
        """Give an empty sheet to fill in."""
        del visit
        made: import_files.Form = "csv" if request.args.get("form") == "csv" else "xlsx"
        words = languages.chosen()
        response = current_app.response_class(
            import_files.template("vehicles", made, words), content_type=import_files.MEDIA_TYPES[made]
        )
        response.headers["Content-Disposition"] = f'attachment; filename="vehicles-{words}.{made}"'
        response.headers["Cache-Control"] = "no-store"
        return response

    def one(self, visit: Visit, ref: str) -> ResponseReturnValue:
        """Show one request."""
        return self._one(visit, ref)

    def _one(self, visit: Visit, ref: str, fault: Fault | None = None, text: str = "") -> ResponseReturnValue:
        shown = self._requesting.find(visit.exporter, ref)
        found = shown.request
        body, on = found.draft, parse_day(found.draft.application_planned_on or self._today().isoformat())
        page = self._frame.draw(
            "portal/own_request.html",
            visit,
            faults=() if fault is None else (fault,),
            shown=shown,
            found=found,
            body=body,
            rows=[(vehicle, requesting.need(vehicle, on=on)) for vehicle in body.vehicles],
            tones=TONES,
            after_tones=AFTER,
            country=country_of,
            beijing=beijing,
            text=text,
            side="exporter",
            other=shown.maker,
            talk=in_turn(found, shown.said, shown.former),
        )
        return answered(page, fault)

    def say(self, visit: Visit, ref: str) -> ResponseReturnValue:
        """Ask or answer the manufacturer."""
        typed = form().get("text", "")[:4000]
        try:
            self._requesting.say(ref, typed, asker_of(visit))
        except InvalidInput as error:
            return self._one(visit, ref, fault_at("text", error.reason), typed)
        except Conflict:
            return self._one(visit, ref, _MOVED, typed)
        except TooManyRequests:
            return self._one(visit, ref, _WORDY, typed)
        return redirect(f"/exporter/{visit.exporter}/requests/{ref}?done=requests.said", code=303)

    def withdraw(self, visit: Visit, ref: str) -> ResponseReturnValue:
        """Take a request back."""
        try:
            self._requesting.withdraw(ref, asker_of(visit))
        except Conflict:
            return self._one(visit, ref, _MOVED)
        return redirect(f"/exporter/{visit.exporter}/requests/{ref}?done=requests.withdrawn", code=303)

    def elsewhere(self, visit: Visit, number: str) -> ResponseReturnValue:
        """Show the cars of a confirmation, to choose those that go elsewhere."""
        return self._elsewhere(visit, number, requesting.Wish(country=""), frozenset())

    def _elsewhere(
        self, visit: Visit, number: str, wish: Wish, chosen: frozenset[str], fault: Fault | None = None
    ) -> ResponseReturnValue:
        going = self._requesting.going(visit.exporter, number)
        told = None if going.is_suspended else fault  # then the page itself says why nothing can be asked
        page = self._frame.draw(
            "portal/request_redirect.html",
            visit,
            faults=() if told is None else (told,),
            going=going,
            lines=[
                (vehicle, requesting.need_in(vehicle.window, on=self._planned(wish)))
                for vehicle in going.terms.vehicles
                if vehicle.vin in going.live
            ],
            wish=wish,
            chosen=chosen,
            country=country_of,
            countries=countries(languages.chosen()),
        )
        return answered(page, fault)

    def redirect(self, visit: Visit, number: str) -> ResponseReturnValue:
        """Ask that chosen cars go elsewhere."""
        wish = request_form.texts(form())
        chosen = frozenset(form().getlist("vin")[: requesting.MOST_ROWS])
        try:
            ref = self._requesting.redirect(number, chosen, wish, asker_of(visit))
        except InvalidInput as error:
            return self._elsewhere(visit, number, wish, chosen, fault_at(error.field, error.reason))
        except (Conflict, ManufacturerSuspended):
            return self._elsewhere(visit, number, wish, chosen, _ASKED)
        except TooManyRequests:
            return self._elsewhere(visit, number, wish, chosen, _MANY)
        except NotPermitted as error:
            zh, en = (words.format(maker=error) for words in _TURNED_AWAY)
            return self._elsewhere(visit, number, wish, chosen, Fault(pointer="", code=error.code, zh=zh, en=en))
        return redirect(f"/exporter/{visit.exporter}/requests/{ref}?done=requests.sent", code=303)


def country_of(code: str) -> str:
    """Return a destination's name in the page's language, or what was typed."""
    known = country_code(code)
    return country_name(known) if known and known != "CN" else code


def asker_of(visit: Visit) -> Asker:
    """Return who asks, for which exporter."""
    return Asker(exporter=visit.exporter, person=visit.person)
