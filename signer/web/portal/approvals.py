"""What waits for approval: the inbox, one submission as it will be sealed, and the approver's word on it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from flask import current_app, redirect

from signer import resources
from signer.document import catalogue
from signer.domain.batch import BatchState
from signer.domain.parties import Role
from signer.errors import Conflict, NotPermitted, RuleViolation, TooManyRequests
from signer.register.batches import PAGE
from signer.services.approving import StaleTerms, Word
from signer.services.engines import TEMPLATE_VERSION
from signer.verification.wording import beijing
from signer.web import languages
from signer.web.portal import factor
from signer.web.portal.doors import MAKERS, form
from signer.web.portal.drafts import back
from signer.web.portal.terms_view import Words, changes, printed
from signer.web.problems import Fault

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

    from signer.register.submissions import Submission
    from signer.services.approving import Shown
    from signer.web.portal.doors import Room, Visit
    from signer.web.portal.rooms import Building

APPROVERS: Final = frozenset({Role.APPROVER})
PREPARERS: Final = frozenset({Role.PREPARER})
SOON_DAYS = 14
"""What is needed within so many days is marked."""
_LEAST_REASON, _MOST_REASON, _MOST_DIGEST = 3, 400, 64
MOST_TYPED: Final = 2 * _MOST_REASON
STALE = Fault(
    pointer="",
    code="stale",
    zh="内容在您查看后已有变动，尚未批准。请核对下方的最新内容。",
    en="This changed after you opened it, so nothing was approved. Look at what stands below now.",
)
DECIDED = Fault(
    pointer="", code="decided", zh="此件已有处理结果，见下方。", en="This was decided meanwhile: see below."
)
OWN = Fault(
    pointer="",
    code="own",
    zh="您编制或提交了此件，不能由您本人审批；须由另一位批准人办理。",
    en="You prepared or sent this, so another person has to decide on it.",
)
NO_REASON = Fault(
    pointer="reason",
    code="reason",
    zh="请用 3 至 400 字说明退回的原因。",
    en="Say why in 3 to 400 characters.",
)


def room(building: Building) -> Room:
    """Return the room."""
    door, desk = building.doors.room("approvals"), _Desk(building)
    door.get("/portal/<uscc>/approvals", MAKERS)(desk.inbox)
    door.get("/portal/<uscc>/approvals/<ref>", MAKERS)(desk.one)
    door.get("/portal/<uscc>/approvals/<ref>/preview.pdf", MAKERS)(desk.preview)
    door.post("/portal/<uscc>/approvals/<ref>/approve", APPROVERS)(desk.approve)
    door.post("/portal/<uscc>/approvals/<ref>/return", APPROVERS)(desk.send_back)
    door.post("/portal/<uscc>/approvals/<ref>/take-back", PREPARERS)(desk.take_back)
    door.post("/portal/<uscc>/drafts/<ref>/send", PREPARERS)(desk.send)
    return door


def about(found: Submission) -> str:
    """Return what a second factor is shown for: these terms of this submission, and nothing else."""
    return f"approve {found.ref} {found.terms_digest.hex()[:16]}"


class _Desk:
    """The room's views."""

    def __init__(self, building: Building) -> None:
        self._building = building
        self._frame = building.frame
        self._approving = building.services.approving
        self._accounts = building.services.accounts
        self._template = catalogue.load(resources.templates_dir(), TEMPLATE_VERSION)

    def inbox(self, visit: Visit) -> ResponseReturnValue:
        """Show what waits, the most urgent first, and what was decided last."""
        today = self._building.clock().date()
        waiting = self._approving.inbox(visit.uscc)
        return self._frame.draw(
            "portal/approvals.html",
            visit,
            waiting=[(one, (one.needed_by - today).days) for one in waiting],
            batches=self._building.services.batching.part(visit.uscc, (BatchState.WAITING,), before=0, limit=PAGE)[
                :PAGE
            ],
            decided=self._approving.decided(visit.uscc),
            wishes=self._building.services.confirming.wishes(visit.uscc),
            renaming=self._building.services.renamings.waiting(visit.uscc),
            soon=SOON_DAYS,
            beijing=beijing,
            may_approve=visit.has(*APPROVERS),
        )

    def one(self, visit: Visit, ref: str) -> ResponseReturnValue:
        """Show exactly what will be sealed, and what changed."""
        return self._draw(visit, self._approving.show(visit.uscc, ref))

    def _draw(self, visit: Visit, shown: Shown, *, faults: tuple[Fault, ...] = (), reason: str = "") -> str:
        found, words = shown.submission, self._words()
        is_own = visit.person in (found.sent_by, found.prepared_by)
        return self._frame.draw(
            "portal/approval.html",
            visit,
            faults=faults,
            found=found,
            names=shown.names,
            printed=printed(shown.terms, words),
            terms=shown.terms,
            words=words,
            findings=[one for one in shown.findings if one.rule != "people.approval-needed"],
            now=changes(shown.now, words),
            earlier=shown.earlier,
            since=changes(shown.since, words),
            digest=found.terms_digest.hex(),
            beijing=beijing,
            is_own=is_own,
            may_approve=visit.has(*APPROVERS) and not is_own,
            may_prepare=visit.has(*PREPARERS),
            ways=self._accounts.ways(visit.person),
            about=about(found),
            reason=reason,
        )

    def _words(self) -> Words:
        language = languages.chosen()
        return Words(self._template.strings[language], language, self._frame.t)

    def preview(self, visit: Visit, ref: str) -> ResponseReturnValue:
        """Show the page as it will be sealed, marked as a draft."""
        pdf = self._building.services.drafting.preview_terms(self._approving.terms(visit.uscc, ref))
        response = current_app.response_class(pdf, mimetype="application/pdf")
        response.headers["Content-Disposition"] = f'inline; filename="DRAFT-{ref}.pdf"'
        response.headers["Content-Security-Policy"] = "default-src 'none'; object-src 'self'; frame-ancestors 'none'"
        return response

    def approve(self, visit: Visit, ref: str) -> ResponseReturnValue:
        """Take the approver's word, with a second factor shown just now, on the digest that the page showed."""
        shown, seen = self._approving.show(visit.uscc, ref), form().get("digest", "")[:_MOST_DIGEST]
        found = shown.submission
        if found.state == "issued":
            return self._to(visit, ref)
        if visit.person in (found.sent_by, found.prepared_by):
            return self._draw(visit, shown, faults=(OWN,)), 403
        if seen != found.terms_digest.hex():
            return self._draw(visit, shown, faults=(STALE,)), 409
        if found.state != "waiting":
            return self._draw(visit, shown, faults=(DECIDED,)), 409
        try:
            kind = self._accounts.confirm(visit.principal, factor.proof_of(form()), about=about(found))
        except (NotPermitted, TooManyRequests) as error:
            return self._draw(visit, shown, faults=(factor.fault_of(error),)), 422
        word = Word(ref=ref, maker=visit.uscc, by=visit.person, terms_digest=seen, factor=kind)
        try:
            answer = self._approving.approve(word)
        except StaleTerms:
            return self._draw(visit, self._approving.show(visit.uscc, ref), faults=(STALE,)), 409
        except Conflict:
            return self._draw(visit, self._approving.show(visit.uscc, ref), faults=(DECIDED,)), 409
        return self._to(visit, ref, done="approvals.issued" if answer.outcome == "issued" else "")

    def send_back(self, visit: Visit, ref: str) -> ResponseReturnValue:
        """Return a submission to its preparer with a reason."""
        shown, reason = self._approving.show(visit.uscc, ref), form().get("reason", "").strip()
        if visit.person in (shown.submission.sent_by, shown.submission.prepared_by):
            return self._draw(visit, shown, faults=(OWN,)), 403
        if not is_reason(reason):
            return self._draw(visit, shown, faults=(NO_REASON,), reason=reason[:MOST_TYPED]), 422
        try:
            self._approving.send_back(ref, maker=visit.uscc, by=visit.person, reason=reason)
        except Conflict:
            return self._draw(visit, self._approving.show(visit.uscc, ref), faults=(DECIDED,)), 409
        return redirect(f"/portal/{visit.uscc}/approvals?done=approvals.returned", code=303)

    def take_back(self, visit: Visit, ref: str) -> ResponseReturnValue:
        """Let a preparer have the draft again."""
        found = self._approving.show(visit.uscc, ref).submission
        try:
            self._approving.take_back(ref, maker=visit.uscc, by=visit.person)
        except Conflict:
            return self._draw(visit, self._approving.show(visit.uscc, ref), faults=(DECIDED,)), 409
        return redirect(f"/portal/{visit.uscc}/drafts/{found.draft_ref}", code=303)

    def send(self, visit: Visit, ref: str) -> ResponseReturnValue:
        """Send a draft for approval, in the version that was seen; or lead back to it, where stands why not."""
        try:
            sent = self._approving.send(ref, maker=visit.uscc, by=visit.person, version=form().get("version", type=int))
        except RuleViolation:
            return back(visit, ref, "rules")
        except Conflict:
            state = self._building.services.drafting.find(visit.uscc, ref).head.state
            return back(visit, ref, "changed" if state == "open" else state)
        return self._to(visit, sent.ref, done="approvals.sent")

    def _to(self, visit: Visit, ref: str, *, done: str = "") -> ResponseReturnValue:
        query = f"?done={done}" if done else ""
        return redirect(f"/portal/{visit.uscc}/approvals/{ref}{query}", code=303)


def is_reason(text: str) -> bool:
    """Tell whether a text says why: of some length, and without characters that could hide what it says."""
    is_plain = all(char.isprintable() or char in "\r\n" for char in text)
    return _LEAST_REASON <= len(text) <= _MOST_REASON and is_plain
