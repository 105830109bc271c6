"""The preparer's drafts: list, editor, what is still to be done before approval, and a preview."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from flask import current_app, redirect, request

from signer.domain.parties import Role
from signer.errors import Conflict, NotFound
from signer.register.drafts import PAGE, STATES
from signer.services.drafting import Typed
from signer.verification.wording import beijing
from signer.web import languages
from signer.web.pages import countries
from signer.web.portal import draft_form, draft_view
from signer.web.portal.doors import MAKERS, form, page_number
from signer.web.problems import Fault

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

    from signer.domain.confirmation import Draft
    from signer.register.drafts import State
    from signer.services.drafting import Drafting, Saved
    from signer.web.portal.doors import Room, Visit
    from signer.web.portal.draft_form import Form
    from signer.web.portal.rooms import Building

PREPARERS: Final = frozenset({Role.PREPARER})
_MOST_SEARCH = 60
_UNKNOWN = Fault(
    pointer="number",
    code="supersedes.unknown",
    zh="没有此编号的确认书。请核对编号。",
    en="There is no confirmation of this number. Check it.",
)
_ENDED = Fault(
    pointer="number",
    code="supersedes.not-live",
    zh="此确认书已无有效车辆，无须替代。",
    en="Nothing of this confirmation is in force: there is nothing to take over.",
)
_TOLD: Final = {
    "rules": (
        "未送审：草稿仍有须改正之处，见下方。",
        "This was not sent: the rules find something to mend, see below.",
    ),
    "changed": (
        "未送审：他人刚刚改动了此草稿。请核对下方的最新内容，再送审。",
        "This was not sent: somebody changed it just before. Look at what stands below now, and send that.",
    ),
    "open": (
        "本次操作未执行：他人刚刚恢复或改动了此草稿。",
        "Nothing was done: somebody took this draft up again, or changed it, just before.",
    ),
    "waiting": (
        "此草稿已由他人送审，正在等待审批，无须再次送审。",
        "This draft waits for approval already: somebody sent it just before.",
    ),
    "sealing": (
        "此草稿已获批准，正在签发，不能再改动。",
        "This draft is approved and being sealed: it can be changed no more.",
    ),
    "issued": (
        "此草稿已签发为确认书，不能再改动。",
        "This draft was issued as a confirmation: it can be changed no more.",
    ),
    "discarded": (
        "此草稿已由他人作废，须先恢复才能改动。",
        "Somebody discarded this draft: take it up again to change it.",
    ),
    "apart": (
        "原草稿在您填写时已送审签发或作废，不能再改动。您填写的内容已另存为这份新草稿。",
        "The draft that you typed into can be changed no more. What you typed is kept as this new draft.",
    ),
    "taken-back": (
        "已保存。此草稿在您填写时已由他人送审，您的改动撤回了送审；改好后请再次送审。",
        "Saved. Somebody had sent this draft meanwhile; your change took it back: send it again when it is ready.",
    ),
}
"""What somebody else did meanwhile, by the word that stands in the address (`?told=`)."""
_REF = re.compile(r"[0-9a-f]{16}")


def room(building: Building) -> Room:
    """Return the room."""
    drafts, drafting = building.doors.room("drafts"), building.services.drafting
    desk = _Desk(building)
    _add_pages(drafts, desk, drafting)
    _add_saving(drafts, desk, drafting)
    _add_moving(drafts, drafting)
    return drafts


def _add_pages(drafts: Room, desk: _Desk, drafting: Drafting) -> None:
    @drafts.get("/portal/<uscc>/drafts", MAKERS)
    def listed(visit: Visit) -> ResponseReturnValue:
        """Show the drafts of one state, or those that a search finds."""
        return desk.listed(visit)

    @drafts.get("/portal/<uscc>/drafts/<ref>", MAKERS)
    def edit(visit: Visit, ref: str) -> ResponseReturnValue:
        """Show a draft, to be changed by who prepares."""
        return desk.editor(visit, ref)

    @drafts.get("/portal/<uscc>/drafts/<ref>/review", MAKERS)
    def review(visit: Visit, ref: str) -> ResponseReturnValue:
        """Show what is left to mend, or the button that sends a draft for approval."""
        return desk.editor(visit, ref, template="portal/draft_review.html")

    @drafts.get("/portal/<uscc>/drafts/<ref>/preview.pdf", MAKERS)
    def preview(visit: Visit, ref: str) -> ResponseReturnValue:
        """Show a draft as a page that passes for nothing else; or what it still lacks."""
        pdf = drafting.preview(visit.uscc, ref)
        if pdf is None:
            return desk.editor(visit, ref, template="portal/draft_review.html", is_preview=True)
        response = current_app.response_class(pdf, mimetype="application/pdf")
        response.headers["Content-Disposition"] = f'inline; filename="DRAFT-{ref}.pdf"'
        response.headers["Content-Security-Policy"] = "default-src 'none'; object-src 'self'; frame-ancestors 'none'"
        return response


def _add_saving(drafts: Room, desk: _Desk, drafting: Drafting) -> None:
    @drafts.post("/portal/<uscc>/drafts", PREPARERS)
    def begin(visit: Visit) -> ResponseReturnValue:
        """Begin an empty draft."""
        return _to(visit, drafting.begin(visit.uscc, by=visit.person))

    @drafts.post("/portal/<uscc>/drafts/successor", PREPARERS)
    def succeed(visit: Visit) -> ResponseReturnValue:
        """Begin a draft that takes over what is in force of a confirmation."""
        try:
            ref = drafting.succeed(visit.uscc, form().get("number", "")[:_MOST_SEARCH], by=visit.person)
        except NotFound:
            return desk.listed(visit, faults=(_UNKNOWN,)), 422
        except Conflict:
            return desk.listed(visit, faults=(_ENDED,)), 422
        return _to(visit, ref, done="drafts.begun")

    @drafts.post("/portal/<uscc>/drafts/<ref>", PREPARERS)
    def save(visit: Visit, ref: str) -> ResponseReturnValue:
        """Save what was typed: for a person's button, or for the script that saves by itself."""
        if form().get("automatic"):
            return desk.autosave(visit, ref)
        return desk.save(visit, ref)


def _add_moving(drafts: Room, drafting: Drafting) -> None:
    @drafts.post("/portal/<uscc>/drafts/<ref>/copy", PREPARERS)
    def copy(visit: Visit, ref: str) -> ResponseReturnValue:
        """Begin a draft like this one."""
        return _to(visit, drafting.copy(visit.uscc, ref, by=visit.person), done="drafts.copied")

    @drafts.post("/portal/<uscc>/drafts/<ref>/discard", PREPARERS)
    def discard(visit: Visit, ref: str) -> ResponseReturnValue:
        """Put a draft away; it can be taken up again."""
        return move(visit, ref, "discarded", "open")

    @drafts.post("/portal/<uscc>/drafts/<ref>/restore", PREPARERS)
    def restore(visit: Visit, ref: str) -> ResponseReturnValue:
        """Take up a draft again that was put away."""
        return move(visit, ref, "open", "discarded")

    def move(visit: Visit, ref: str, state: State, before: State) -> ResponseReturnValue:
        try:
            drafting.move(visit.uscc, ref, state, by=visit.person, among=frozenset({before}))
        except Conflict:
            return back(visit, ref, drafting.find(visit.uscc, ref).head.state)
        return _to(visit, ref, done="drafts.discarded" if state == "discarded" else "drafts.restored")


class _Desk:
    """Draws the pages of drafts, and answers saves."""

    def __init__(self, building: Building) -> None:
        self._frame = building.frame
        self._drafting = building.services.drafting
        self._inbox = building.services.request_inbox

    def listed(self, visit: Visit, *, faults: tuple[Fault, ...] = ()) -> str:
        """Draw the list."""
        search = request.args.get("q", "")[:_MOST_SEARCH]
        state = next((each for each in STATES if each == request.args.get("state")), None)
        states: tuple[State, ...] = (state,) if state else STATES if search else ("open", "waiting", "sealing")
        number = page_number()
        found, counts = self._drafting.listed(visit.uscc, states=states, search=search, number=number)
        return self._frame.draw(
            "portal/drafts.html",
            visit,
            faults=faults,
            drafts=found[:PAGE],
            heading=draft_view.heading,
            named=lambda typed: draft_view.called(typed, languages.chosen()),
            beijing=beijing,
            counts=counts,
            state=state or "",
            search=search,
            number=number,
            has_more=len(found) > PAGE,
            may_edit=visit.has(*PREPARERS),
            typed_number=form().get("number", "")[:_MOST_SEARCH] if faults else "",
        )

    def editor(
        self,
        visit: Visit,
        ref: str,
        *,
        template: str = "portal/draft.html",
        is_preview: bool = False,
        faults: tuple[Fault, ...] = (),
        typed: dict[str, str] | None = None,
        sides: dict[str, tuple[str, str]] | None = None,
        saved: Saved | None = None,
    ) -> str:
        """Draw a draft: the editor, or the page before approval."""
        kept = self._drafting.find(visit.uscc, ref)
        judged = self._drafting.judge(visit.uscc, kept)
        language = languages.chosen()
        blank = request.args.get("blank", 1, type=int)
        may_edit = visit.has(*PREPARERS)
        view = draft_view.of(kept, judged, language, may_edit=may_edit, typed=typed, sides=sides, blank=blank)
        return self._frame.draw(
            template,
            visit,
            faults=(*_told(request.args.get("told", "")), *faults),
            apart_from=_ref((typed or request.args).get("of", "")),
            view=view,
            asked=self._inbox.of_draft(visit.uscc, ref),
            beijing=beijing,
            countries=countries(language),
            other=saved.before.head if saved and saved.before else None,
            paste=(typed or {}).get("paste", ""),
            is_preview=is_preview,
            may_edit=may_edit,
        )

    def save(self, visit: Visit, ref: str) -> ResponseReturnValue:
        """Save for a person's button, and go where the button leads."""
        kept = self._drafting.find(visit.uscc, ref)
        typed, action = draft_form.read(form(), kept), form().get("do", "save")
        body, faults = self._acted(typed, action, maker=self._frame.name_of(visit.uscc))
        try:
            saved = self._drafting.save(visit.uscc, ref, _typed(typed, body), by=visit.person)
        except Conflict:
            return self._apart(visit, ref, typed, body)
        faults = (*typed.faults, *faults)
        if faults or saved.clashes:
            sides = draft_form.sides(saved.clashes) | _still_open(typed, kept_values(saved))
            held = {**typed.kept, **{place: mine for place, (mine, _) in sides.items()}}
            faults += tuple(_clash(draft_form.field_id(clash.pointer)) for clash in saved.clashes)
            page = self.editor(visit, ref, faults=faults, typed=held, sides=sides, saved=saved)
            return page, 409 if saved.clashes else 422
        if kept.head.state == "waiting" and typed.version != saved.kept.head.version and not form().get("was_waiting"):
            return back(visit, ref, "taken-back")
        return _after(visit, ref, action, saved)

    def _apart(self, visit: Visit, ref: str, typed: Form, body: Draft) -> ResponseReturnValue:
        """Keep what was typed as a draft of its own, where the draft itself can be changed no more."""
        kept = self._drafting.find(visit.uscc, ref)
        if not typed.faults and (body, typed.title) == (kept.body, kept.head.title):
            return back(visit, ref, kept.head.state)
        made = self._drafting.begin(visit.uscc, by=visit.person, body=body, title=typed.title)
        if not typed.faults:
            return back(visit, made, "apart", of=ref)
        faults = (*_told("apart"), *typed.faults)
        return self.editor(visit, made, faults=faults, typed={**typed.kept, "of": ref}), 409

    def _acted(self, typed: Form, action: str, *, maker: str) -> tuple[Draft, tuple[Fault, ...]]:
        """Do what the button says to the rows."""
        body = typed.body
        if action == "paste":
            return draft_form.pasted(body, form().get("paste", "")[:200_000], maker=maker), ()
        place = action.removeprefix("remove-")
        if place != action and place.isdecimal():
            return draft_form.without_row(body, int(place[:4])), ()
        return body, ()

    def autosave(self, visit: Visit, ref: str) -> ResponseReturnValue:
        """Save for the script; it is told what became of it, and shows it."""
        kept = self._drafting.find(visit.uscc, ref)
        typed = draft_form.read(form(), kept)
        saved = self._drafting.save(visit.uscc, ref, _typed(typed, typed.body), by=visit.person, is_automatic=True)
        language = languages.chosen()
        who = saved.before.head.by_name if saved.before else ""
        if not saved.is_saved:
            return current_app.json.response({"held": self._frame.t("drafts.held", who=who or saved.kept.head.by_name)})
        judged = self._drafting.judge(visit.uscc, saved.kept)
        view = draft_view.of(saved.kept, judged, language, may_edit=True, blank=0)
        mine, now = draft_form.values_of(typed.body), draft_form.values_of(saved.kept.body)
        changed = {place: text for place, text in now.items() if mine.get(place) != text}
        faults = [{"place": fault.pointer, "kind": "violation", "text": fault.text(language)} for fault in typed.faults]
        answer = {
            "version": saved.kept.head.version,
            "title": saved.kept.head.title,
            "saved": self._frame.t("drafts.saved-at", at=beijing(saved.kept.head.at)),
            "together": self._frame.t("drafts.together", who=who) if changed and who else "",
            "changed": {place: text for place, text in changed.items() if place not in typed.kept},
            "told": [{"place": each.place, "kind": each.kind, "text": each.text} for each in view.told] + faults,
            "counts": self._frame.t("drafts.counts", **view.counts),
            "exporter": view.exporter.legal_name if view.exporter else "",
            "windows": {
                f"{row.place}": self._frame.t("drafts.window", through=row.through, free=row.free_from)
                for row in view.rows
                if row.through
            },
            "vins": {f"{row.place}": row.vin for row in view.rows},
        }
        return current_app.json.response(answer)


def kept_values(saved: Saved) -> dict[str, str]:
    """Return what the fields of the draft hold as it is kept now."""
    return {**draft_form.values_of(saved.kept.body), "title": saved.kept.head.title}


def _still_open(typed: Form, now: dict[str, str]) -> dict[str, tuple[str, str]]:
    return {
        fault.pointer: (typed.kept[fault.pointer], now.get(fault.pointer, ""))
        for fault in typed.faults
        if fault.code == "clash"
    }


def _typed(typed: Form, body: Draft) -> Typed:
    return Typed(body=body, title=typed.title, title_shown=typed.title_shown, version=typed.version)


def _clash(place: str) -> Fault:
    if draft_form.is_row(place):
        return Fault(
            pointer=f"{place}-vin",
            code="clash.row",
            zh="一人删除了此行，另一人同时改了它。此行已保留；不需要时请再删除。",
            en="One removed this row while another changed it. It is kept: remove it again if it is not needed.",
        )
    return Fault(
        pointer=place,
        code="clash",
        zh="另一人同时改了此项，请选择保留哪一个。",
        en="Somebody else changed this at the same time. Choose which of the two is kept.",
    )


def back(visit: Visit, ref: str, told: str, *, of: str = "") -> ResponseReturnValue:
    """Lead back to a draft, whose page says what somebody else did meanwhile; `of`: the draft that was typed into."""
    query = f"told={told}&of={of}" if of else f"told={told}"
    return redirect(f"/portal/{visit.uscc}/drafts/{ref}?{query}", code=303)


def _told(word: str) -> tuple[Fault, ...]:
    if word not in _TOLD:
        return ()
    zh, en = _TOLD[word]
    return (Fault(pointer="", code=word, zh=zh, en=en),)


def _ref(typed: str) -> str:
    return typed if _REF.fullmatch(typed) else ""


def _to(visit: Visit, ref: str, *, done: str = "") -> ResponseReturnValue:
    query = f"?done={done}" if done else ""
    return redirect(f"/portal/{visit.uscc}/drafts/{ref}{query}", code=303)


def _after(visit: Visit, ref: str, action: str, saved: Saved) -> ResponseReturnValue:
    """Lead on after a save: to the page before approval, or back to where the typist was."""
    here = f"/portal/{visit.uscc}/drafts/{ref}"
    if action == "review":
        return redirect(f"{here}/review", code=303)
    done = "drafts.joined" if saved.before else "drafts.saved"
    rows = len(saved.kept.body.vehicles)
    if action == "add":
        return redirect(f"{here}?done={done}&blank=5#vehicles-{rows}-vin", code=303)
    if action == "paste" or action.startswith("remove-"):
        return redirect(f"{here}?done={done}#vehicles", code=303)
    return redirect(f"{here}?done={done}", code=303)
