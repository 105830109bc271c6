"""A manufacturer's inbox: requests by their last useful day, exporters to accept, answers, and drafts to be made."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from flask import Response, redirect, request

from signer.domain import requesting
from signer.domain.values import beijing_day, parse_day
from signer.errors import Conflict, InvalidInput
from signer.services.facts import KINDS
from signer.services.request_changing import in_turn
from signer.services.request_inbox import ANSWERERS, PREPARERS
from signer.verification.wording import beijing
from signer.web.portal.account import number_of
from signer.web.portal.doors import MAKERS, form
from signer.web.portal.request_words import WRONG
from signer.web.portal.requesting import AFTER, TONES, country_of
from signer.web.portal.signing_in import answered
from signer.web.problems import Fault

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

    from signer.services.request_inbox import Shown
    from signer.web.portal.doors import Room, Visit
    from signer.web.portal.rooms import Building

SOON: Final = 7
_WALL = "sandbox; default-src 'none'"
_ENDINGS = dict(KINDS.values())
_MOVED: Final = Fault(
    pointer="",
    code="conflict",
    zh="状态已变化，本次操作未执行。",
    en="This has moved on meanwhile. Nothing was done.",
)


def room(building: Building) -> Room:
    """Return the room."""
    door, desk = building.doors.room("request_inbox"), _Desk(building)
    here = "/portal/<uscc>/requests"
    door.get(here, MAKERS)(desk.inbox)
    door.post(f"{here}/answers", ANSWERERS)(desk.keep)
    door.post(f"{here}/answers/<answer>/drop", ANSWERERS)(desk.drop)
    door.get(f"{here}/exporters/<company>", MAKERS)(desk.applicant)
    door.get(f"{here}/exporters/<company>/licence", MAKERS)(desk.licence)
    door.post(f"{here}/exporters/<company>", ANSWERERS)(desk.decide)
    door.get(f"{here}/<ref>", MAKERS)(desk.one)
    for name, action in (("say", desk.say), ("promise", desk.promise), ("refuse", desk.refuse)):
        door.post(f"{here}/<ref>/{name}", ANSWERERS)(action)
    door.post(f"{here}/<ref>/draft", PREPARERS)(desk.draft)
    return door


class _Desk:
    """The room's views."""

    def __init__(self, building: Building) -> None:
        self._frame = building.frame
        self._inbox = building.services.request_inbox
        self._clock = building.clock

    def inbox(self, visit: Visit) -> ResponseReturnValue:
        """Show what waits, the most urgent first, and exporters to accept."""
        return self._drawn(visit)

    def _drawn(self, visit: Visit, fault: Fault | None = None, typed: dict[str, str] | None = None) -> Response:
        inbox, today = self._inbox.inbox(visit.uscc), beijing_day(self._clock())
        page = self._frame.draw(
            "portal/request_inbox.html",
            visit,
            faults=() if fault is None else (fault,),
            inbox=inbox,
            waiting=[(one, (one.needed_by - today).days) for one in inbox.waiting],
            soon=SOON,
            tones=TONES,
            after_tones=AFTER,
            country=country_of,
            beijing=beijing,
            may_answer=visit.has(*ANSWERERS),
            templates=self._inbox.templates(visit.uscc),
            typed=typed or {},
        )
        return answered(page, fault)

    def keep(self, visit: Visit) -> ResponseReturnValue:
        """Keep a usual answer."""
        typed = {name: form().get(name, "")[:4000] for name in ("title", "answer")}
        try:
            self._inbox.keep_template(visit.uscc, typed["title"], typed["answer"], by=visit.person)
        except InvalidInput as error:
            return self._drawn(visit, _fault(error), typed)
        except Conflict:
            return self._drawn(visit, _MOVED, typed)
        return redirect(f"/portal/{visit.uscc}/requests?done=requests.kept", code=303)

    def drop(self, visit: Visit, answer: str) -> ResponseReturnValue:
        """Remove a usual answer."""
        self._inbox.drop_template(visit.uscc, number_of(answer), by=visit.person)
        return redirect(f"/portal/{visit.uscc}/requests?done=requests.kept", code=303)

    def applicant(self, visit: Visit, company: str) -> ResponseReturnValue:
        """Show an exporter that asked to be accepted."""
        return self._applicant(visit, company)

    def _applicant(self, visit: Visit, company: str, fault: Fault | None = None, reason: str = "") -> Response:
        found = self._inbox.applicant(visit.uscc, company)
        told = {"found": found, "reason": reason, "beijing": beijing, "may_answer": visit.has(*ANSWERERS)}
        faults = () if fault is None else (fault,)
        return answered(self._frame.draw("portal/request_exporter.html", visit, faults=faults, **told), fault)

    def licence(self, visit: Visit, company: str) -> ResponseReturnValue:
        """Hand the licence out, never to be shown or run by the browser under our name."""
        found, data = self._inbox.licence(visit.uscc, company)
        response = Response(data, content_type=found.media_type)
        name = f"licence-{found.ref}.{_ENDINGS[found.media_type]}"
        response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
        response.headers["Content-Security-Policy"] = _WALL
        return response

    def decide(self, visit: Visit, company: str) -> ResponseReturnValue:
        """Accept an exporter, or refuse it with a reason."""
        reason, accepts = form().get("reason", "")[:2000], form().get("do") == "accept"
        try:
            if accepts:
                self._inbox.accept(visit.uscc, company, by=visit.person)
            else:
                self._inbox.refuse_exporter(visit.uscc, company, reason, by=visit.person)
        except InvalidInput as error:
            return self._applicant(visit, company, _fault(error), reason)
        except Conflict:
            return self._applicant(visit, company, _MOVED)
        done = "requests.accepted" if accepts else "requests.turned-away"
        return redirect(f"/portal/{visit.uscc}/requests/exporters/{company}?done={done}", code=303)

    def one(self, visit: Visit, ref: str) -> ResponseReturnValue:
        """Show one request."""
        return self._one(visit, self._inbox.find(visit.uscc, ref))

    def _one(
        self, visit: Visit, shown: Shown, fault: Fault | None = None, typed: dict[str, str] | None = None
    ) -> Response:
        found = shown.request
        today = beijing_day(self._clock())
        body, on = found.draft, parse_day(found.draft.application_planned_on or today.isoformat())
        wanted = request.args.get("answer", "")[:9]
        usual = next((one.text for one in shown.templates if str(one.id) == wanted), "")
        page = self._frame.draw(
            "portal/request.html",
            visit,
            faults=() if fault is None else (fault,),
            shown=shown,
            found=found,
            body=body,
            rows=[(vehicle, requesting.need(vehicle, on=on)) for vehicle in body.vehicles],
            days=(found.needed_by - today).days,
            soon=SOON,
            tones=TONES,
            after_tones=AFTER,
            country=country_of,
            beijing=beijing,
            may_answer=visit.has(*ANSWERERS),
            may_draft=visit.has(*PREPARERS),
            refusals=requesting.REFUSALS,
            typed={"text": usual} | (typed or {}),
            side="maker",
            other=shown.applicant.sign_up.legal_name,
            talk=in_turn(found, shown.said, shown.former),
        )
        return answered(page, fault)

    def say(self, visit: Visit, ref: str) -> ResponseReturnValue:
        """Ask or answer the exporter."""
        typed = {"text": form().get("text", "")[:4000]}
        try:
            self._inbox.say(visit.uscc, ref, typed["text"], by=visit.person)
        except (InvalidInput, Conflict) as error:
            return self._one(visit, self._inbox.find(visit.uscc, ref), _fault(error), typed)
        return _to(visit, ref, "requests.said")

    def promise(self, visit: Visit, ref: str) -> ResponseReturnValue:
        """Promise an answer by a day."""
        typed = {"promised_on": form().get("promised_on", "")[:40]}
        try:
            self._inbox.promise(visit.uscc, ref, typed["promised_on"], by=visit.person)
        except (InvalidInput, Conflict) as error:
            return self._one(visit, self._inbox.find(visit.uscc, ref), _fault(error), typed)
        return _to(visit, ref, "requests.promised")

    def refuse(self, visit: Visit, ref: str) -> ResponseReturnValue:
        """Refuse a request."""
        typed = {name: form().get(name, "")[:2000] for name in ("refusal", "reason")}
        try:
            self._inbox.refuse(visit.uscc, ref, typed["refusal"], typed["reason"], by=visit.person, version=_version())
        except (InvalidInput, Conflict) as error:
            return self._one(visit, self._inbox.find(visit.uscc, ref), _fault(error), typed)
        return _to(visit, ref, "requests.refused")

    def draft(self, visit: Visit, ref: str) -> ResponseReturnValue:
        """Make a draft of a request, and lead to it."""
        try:
            made = self._inbox.draft(visit.uscc, ref, by=visit.person, version=_version())
        except Conflict:
            return self._one(visit, self._inbox.find(visit.uscc, ref), _MOVED)
        return redirect(f"/portal/{visit.uscc}/drafts/{made}", code=303)


def _fault(error: InvalidInput | Conflict) -> Fault:
    if not isinstance(error, InvalidInput):
        return _MOVED
    zh, en = WRONG[error.reason]
    return Fault(pointer=error.field, code=error.reason, zh=zh, en=en)


def _version() -> int | None:
    """Return which version of the request was read on the page whose form was sent."""
    typed = form().get("version", "")
    return number_of(typed) if typed else None


def _to(visit: Visit, ref: str, done: str) -> ResponseReturnValue:
    return redirect(f"/portal/{visit.uscc}/requests/{ref}?done={done}", code=303)
