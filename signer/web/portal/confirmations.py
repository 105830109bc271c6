"""The manufacturer's issued confirmations: found, looked at, and ended, with what that means shown first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode

from flask import redirect, request

from signer.domain.parties import Role
from signer.domain.verdict import Code
from signer.errors import Conflict, InvalidInput, NotFound, NotPermitted, TooLarge, TooManyRequests
from signer.register.endings import REASONS
from signer.services.confirming import parse
from signer.services.official import Place, digest_of
from signer.verification import wording
from signer.verification.wording import beijing
from signer.web import languages
from signer.web.portal import audit_view, downloads, factor
from signer.web.portal.doors import MAKERS, files, form
from signer.web.problems import Fault

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

    from signer.register.second_words import Wish
    from signer.services.confirming import Confirming, Whole
    from signer.web.portal.doors import Room, Visit
    from signer.web.portal.rooms import Building

WORKERS: Final = frozenset({Role.PREPARER, Role.APPROVER})
APPROVERS: Final = frozenset({Role.APPROVER})
PREPARERS: Final = frozenset({Role.PREPARER})
_MOST_SEARCH = 60
_TONES = {"issued": "yes", "suspended": "open", "pending": "open", "superseded": "none"}
_MOST_VINS = 200
_EVENTS: Final = frozenset(
    f"{subject}.{event}"
    for subject, events in {
        "confirmation": ("issued", "withdrawn", "superseded", "suspended", "resumed", "abandoned"),
        "withdraw": ("asked", "done", "dropped"),
        "retract": ("asked", "done", "dropped"),
        "copy": ("offered", "filed", "retracted"),
        "share": ("made", "revoked"),
        "status": ("made", "revoked"),
    }.items()
    for event in events
)
"""The events of the audit that have words; others are shown by name."""
_CHOOSE = Fault(
    pointer="vins",
    code="vins",
    zh="请至少选择一辆仍有效的车辆。",
    en="Choose at least one vehicle that is in force.",
)
_REASON = Fault(pointer="reason", code="reason", zh="请选择原因。", en="Choose a reason.")
_CONFLICT = Fault(
    pointer="",
    code="conflict",
    zh="状态已有变化，本次操作未执行。请核对下方的最新状态。",
    en="This changed meanwhile, and nothing was done. Look at how it stands now.",
)
_SAME = Fault(
    pointer="",
    code="same",
    zh="此操作由您提出，须由另一位批准人确认。",
    en="You asked for this, so another approver has to confirm it.",
)
_FILE = Fault(
    pointer="file",
    code="file",
    zh="请选择一份 PDF、OFD、PNG 或 JPEG 文件，不超过 20 MB，且不是本系统签章的文件或打印版。",
    en="Choose a PDF, OFD, PNG or JPEG of at most 20 MB, that is neither our sealed file nor the bare print form.",
)
_THERE = Fault(
    pointer="file",
    code="conflict",
    zh="这份文件已经提交过，一份文件只能归入一份确认书。如需另行提交，请选择其他文件。",
    en="This very file was handed in already; a file counts under one confirmation only. Choose another one.",
)


def room(building: Building) -> Room:
    """Return the room."""
    door, desk = building.doors.room("confirmations"), _Desk(building)
    here = "/portal/<uscc>/confirmations"
    door.get(here, MAKERS)(desk.listed)
    door.get(f"{here}/<number>", MAKERS)(desk.one)
    door.get(f"{here}/<number>/files/<kind>", MAKERS)(desk.file)
    door.post(f"{here}/<number>/choose", WORKERS)(desk.choose)
    door.get(f"{here}/<number>/withdraw", WORKERS)(desk.consequences)
    door.post(f"{here}/<number>/withdraw", WORKERS)(desk.withdraw)
    door.get(f"{here}/<number>/second/<ref>", MAKERS)(desk.second)
    door.post(f"{here}/<number>/second/<ref>", APPROVERS)(desk.agree)
    door.post(f"{here}/<number>/second/<ref>/drop", WORKERS)(desk.drop)
    door.get(f"{here}/<number>/suspend", WORKERS)(desk.before_suspending)
    door.post(f"{here}/<number>/suspend", WORKERS)(desk.suspend)
    door.post(f"{here}/<number>/lift", APPROVERS)(desk.lift)
    door.post(f"{here}/<number>/supersede", PREPARERS)(desk.supersede)
    door.post(f"{here}/<number>/copies", WORKERS)(desk.offer)
    door.get(f"{here}/<number>/copies/<digest>", MAKERS)(desk.copy)
    door.post(f"{here}/<number>/copies/<digest>/compare", APPROVERS)(desk.compare)
    door.post(f"{here}/<number>/copies/<digest>/retract", WORKERS)(desk.retract)
    return door


class _Desk:
    """The room's views."""

    def __init__(self, building: Building) -> None:
        self._building = building
        self._frame = building.frame
        self._services = building.services
        self._confirming: Confirming = building.services.confirming

    def listed(self, visit: Visit) -> ResponseReturnValue:
        """Show the confirmations, the newest first, or those that a search finds."""
        typed, after = request.args.get("q", "")[:_MOST_SEARCH], request.args.get("after", "")[:_MOST_SEARCH]
        rows, has_more = self._confirming.listed(visit.uscc, typed=typed, after=after)
        return self._frame.draw(
            "portal/confirmations.html",
            visit,
            rows=rows,
            has_more=has_more,
            search=typed,
            is_first=not after,
            tones=_TONES,
            beijing=beijing,
        )

    def one(self, visit: Visit, number: str) -> ResponseReturnValue:
        """Show everything known of one confirmation."""
        return self._draw(visit, number)

    def _draw(self, visit: Visit, number: str, *, faults: tuple[Fault, ...] = ()) -> str:
        whole = self._confirming.whole(visit.uscc, number)
        return self._frame.draw(
            "portal/confirmation.html",
            visit,
            faults=faults,
            **self._shared(visit, whole),
            history=[(entry, audit_view.told(entry, self._frame.t, names=whole.names)) for entry in whole.history],
            known_events=_EVENTS,
        )

    def _shared(self, visit: Visit, whole: Whole) -> dict[str, object]:
        record = whole.record
        vehicles = {str(each.vin): each for each in record.whole.terms.vehicles}
        return {
            "whole": whole,
            "record": record,
            "terms": record.whole.terms,
            "lines": [(line, vehicles[line.vin]) for line in record.lines],
            "tones": _TONES,
            "beijing": beijing,
            "may_work": visit.has(*WORKERS),
            "may_approve": visit.has(*APPROVERS),
            "may_prepare": visit.has(*PREPARERS),
            "person": visit.person,
        }

    def file(self, visit: Visit, number: str, kind: str) -> ResponseReturnValue:
        """Hand out the sealed PDF, its archive copy, or the print form; the audit is told who took it."""
        if kind == "print":
            pdf = self._services.copying.print_form(parse(number), manufacturer=visit.uscc)
        elif kind in ("sealed", "archive"):
            pdf = self._confirming.file(visit.uscc, number, kind)
        else:
            raise NotFound("no such file")
        self._confirming.note_taken(visit.uscc, number, kind, by=visit.person)
        suffix = "" if kind == "sealed" else f"-{kind}"
        return downloads.attachment(pdf, f"{parse(number)}{suffix}.pdf", "application/pdf")

    def choose(self, visit: Visit, number: str) -> ResponseReturnValue:
        """Lead on from the lines that were ticked to what their withdrawal means."""
        self._confirming.whole(visit.uscc, number)
        query = urlencode([("vin", vin[:17]) for vin in form().getlist("vin")[:_MOST_VINS]])
        return redirect(f"/portal/{visit.uscc}/confirmations/{parse(number)}/withdraw?{query}", code=303)

    def consequences(self, visit: Visit, number: str) -> ResponseReturnValue:
        """Show what a withdrawal of the chosen lines does; or, with none chosen, let choose."""
        return self._consequences(visit, number, tuple(request.args.getlist("vin")[:_MOST_VINS]))

    def _consequences(
        self, visit: Visit, number: str, vins: tuple[str, ...], *, faults: tuple[Fault, ...] = (), reason: str = ""
    ) -> ResponseReturnValue:
        whole, effect = self._confirming.whole(visit.uscc, number), None
        is_asked = request.method == "POST" or "vin" in request.args
        try:
            effect = self._confirming.effect(visit.uscc, number, vins) if vins else None
        except InvalidInput:
            faults = (_CHOOSE,)
        if is_asked and effect is None:
            faults = (_CHOOSE,)
        body = self._frame.draw(
            "portal/withdraw.html",
            visit,
            faults=faults,
            **self._shared(visit, whole),
            effect=effect,
            chosen=frozenset(vins),
            reasons=REASONS,
            reason=reason,
            banner=wording.banner(Code.WITHDRAWN, languages.chosen()),
        )
        return (body, 422) if faults else body

    def withdraw(self, visit: Visit, number: str) -> ResponseReturnValue:
        """Ask for the withdrawal whose consequences were shown; a second person has to confirm it."""
        vins, reason = tuple(form().getlist("vin")[:_MOST_VINS]), form().get("reason", "")[:24]
        if reason not in REASONS:
            return self._consequences(visit, number, vins, faults=(_REASON,))
        try:
            wish = self._confirming.ask_withdrawal(visit.uscc, number, vins=vins, reason=reason, by=visit.person)
        except InvalidInput:
            return self._consequences(visit, number, vins, reason=reason)
        except Conflict:
            return self._draw(visit, number, faults=(_CONFLICT,)), 409
        return _to(visit, f"{number}/second/{wish.ref}", done="confirmations.asked")

    def second(self, visit: Visit, number: str, ref: str) -> ResponseReturnValue:
        """Show what one person asked for, to the second one who has to confirm it."""
        return self._second(visit, number, ref)

    def _second(self, visit: Visit, number: str, ref: str, *, faults: tuple[Fault, ...] = ()) -> str:
        wish = self._wish(visit, number, ref)
        whole = self._confirming.whole(visit.uscc, number)
        touched = frozenset(wish.vins)
        return self._frame.draw(
            "portal/second_word.html",
            visit,
            faults=faults,
            **self._shared(visit, whole),
            wish=wish,
            asked_by=whole.names.get(wish.asked_by, wish.asked_by),
            touched=touched,
            left=[line for line in whole.in_force if line.vin not in touched],
            banner=wording.banner(Code.WITHDRAWN, languages.chosen()),
            ways=self._services.accounts.ways(visit.person),
            about=_about(wish),
        )

    def _wish(self, visit: Visit, number: str, ref: str) -> Wish:
        wish = self._confirming.wish(visit.uscc, ref)
        if wish.number != parse(number):
            raise NotFound("nothing of this was asked for this number")
        return wish

    def agree(self, visit: Visit, number: str, ref: str) -> ResponseReturnValue:
        """Do what was asked, on the second person's word and factor."""
        wish = self._wish(visit, number, ref)
        if wish.outcome is not None:
            return self._second(visit, number, ref, faults=(_CONFLICT,)), 409
        if wish.asked_by == visit.person:
            return self._second(visit, number, ref, faults=(_SAME,)), 403
        try:
            shown = factor.proof_of(form())
            kind = self._services.accounts.confirm(visit.principal, shown, about=_about(wish))
        except (NotPermitted, TooManyRequests) as error:
            return self._second(visit, number, ref, faults=(factor.fault_of(error),)), 422
        try:
            self._confirming.agree(visit.uscc, ref, by=visit.person, factor=kind)
        except Conflict:
            return self._second(visit, number, ref, faults=(_CONFLICT,)), 409
        return _to(visit, number, done=f"confirmations.{wish.kind}")

    def drop(self, visit: Visit, number: str, ref: str) -> ResponseReturnValue:
        """Let nothing come of what was asked."""
        self._wish(visit, number, ref)
        try:
            self._confirming.drop(visit.uscc, ref, by=visit.person)
        except Conflict:
            return self._second(visit, number, ref, faults=(_CONFLICT,)), 409
        return _to(visit, number, done="confirmations.dropped")

    def before_suspending(self, visit: Visit, number: str) -> ResponseReturnValue:
        """Show what a suspension does."""
        whole = self._confirming.whole(visit.uscc, number)
        return self._frame.draw("portal/suspend.html", visit, faults=(), **self._shared(visit, whole))

    def suspend(self, visit: Visit, number: str) -> ResponseReturnValue:
        """Hold a confirmation at once, alone for 72 hours; a second person makes it last."""
        try:
            until = self._services.ending.suspend(parse(number), manufacturer=visit.uscc, by=visit.person)
        except Conflict:
            return self._draw(visit, number, faults=(_CONFLICT,)), 409
        return _to(visit, number, done="confirmations.suspended" if until else "confirmations.held")

    def lift(self, visit: Visit, number: str) -> ResponseReturnValue:
        """End a suspension."""
        try:
            self._services.ending.lift(parse(number), manufacturer=visit.uscc, by=visit.person)
        except Conflict:
            return self._draw(visit, number, faults=(_CONFLICT,)), 409
        return _to(visit, number, done="confirmations.lifted")

    def supersede(self, visit: Visit, number: str) -> ResponseReturnValue:
        """Begin a draft that takes over the chosen lines."""
        vins = frozenset(form().getlist("vin")[:_MOST_VINS])
        held = {str(line.vin) for line in self._confirming.whole(visit.uscc, number).in_force}
        if not vins & held:
            return self._draw(visit, number, faults=(_CHOOSE,)), 422
        ref = self._services.drafting.succeed(visit.uscc, parse(number), by=visit.person, among=vins)
        return redirect(f"/portal/{visit.uscc}/drafts/{ref}?done=drafts.begun", code=303)

    def offer(self, visit: Visit, number: str) -> ResponseReturnValue:
        """Take in a file that the manufacturer sealed in its own system."""
        self._confirming.whole(visit.uscc, number)
        try:
            found = files("file")
            if not found:
                return self._draw(visit, number, faults=(_FILE,)), 422
            self._services.copying.offer(_place(visit, number), found[0].data)
        except (InvalidInput, TooLarge):
            return self._draw(visit, number, faults=(_FILE,)), 422
        except Conflict:
            return self._draw(visit, number, faults=(_THERE,)), 409
        return _to(visit, number, done="confirmations.offered")

    def copy(self, visit: Visit, number: str, digest: str) -> ResponseReturnValue:
        """Hand out an official copy, to be compared."""
        found, of = _digest(digest), parse(number)
        data = self._services.copying.fetch(of, found, manufacturer=visit.uscc)
        kind = next(
            each.kind for each in self._confirming.whole(visit.uscc, number).copies if each.file_digest == found
        )
        self._confirming.note_taken(visit.uscc, number, "official", by=visit.person)
        return downloads.attachment(data, f"{of}-official.{kind}", "application/octet-stream")

    def compare(self, visit: Visit, number: str, digest: str) -> ResponseReturnValue:
        """File a copy on the word of a second person who compared it."""
        found = _digest(digest)
        self._services.copying.fetch(parse(number), found, manufacturer=visit.uscc)
        if form().get("compared") != "yes":
            return self._draw(visit, number, faults=(_uncompared(found),)), 422
        try:
            self._services.copying.compare(_place(visit, number), found)
        except NotPermitted:
            return self._draw(visit, number, faults=(_SAME,)), 403
        except Conflict:
            return self._draw(visit, number, faults=(_CONFLICT,)), 409
        return _to(visit, number, done="confirmations.filed")

    def retract(self, visit: Visit, number: str, digest: str) -> ResponseReturnValue:
        """Ask that a copy counts no longer; a second person has to confirm it."""
        wish = self._confirming.ask_retraction(visit.uscc, number, digest=_digest(digest), by=visit.person)
        return _to(visit, f"{number}/second/{wish.ref}", done="confirmations.asked")


def _uncompared(digest: bytes) -> Fault:
    return Fault(
        pointer=f"compared-{digest.hex()[:16]}",
        code="compared",
        zh="请先逐页核对，并勾选确认。",
        en="Compare every page first, and say so.",
    )


def _about(wish: Wish) -> str:
    return f"{wish.kind} {wish.number} {wish.ref}"


def _place(visit: Visit, number: str) -> Place:
    return Place(number=parse(number), manufacturer=visit.uscc, by=visit.person)


def _digest(typed: str) -> bytes:
    try:
        return digest_of(typed)
    except InvalidInput as error:
        raise NotFound("no such copy") from error


def _to(visit: Visit, path: str, *, done: str) -> ResponseReturnValue:
    return redirect(f"/portal/{visit.uscc}/confirmations/{path}?done={done}", code=303)
