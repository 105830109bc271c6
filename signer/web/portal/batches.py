"""Batches: many vehicles handed in at once, approved by one word of another person, and sealed one after the other."""

from __future__ import annotations

from pathlib import PurePath
from typing import TYPE_CHECKING

from flask import redirect

from signer.domain.batch import APPROVED, MOST_GROUPED, BatchState
from signer.domain.parties import Role
from signer.errors import Conflict, NotPermitted, TooManyRequests
from signer.register.batches import PAGE
from signer.services import batch_remarks
from signer.services.approving import StaleTerms
from signer.services.batching import MOST_BYTES, Word
from signer.services.importing import Asked
from signer.verification.wording import beijing
from signer.web import pouring
from signer.web.portal import downloads, factor, sheet_files
from signer.web.portal.approvals import APPROVERS, DECIDED, MOST_TYPED, NO_REASON, OWN, PREPARERS, STALE, is_reason
from signer.web.portal.batch_pages import STEERERS, BatchPages, about, is_own_of
from signer.web.portal.doors import MAKERS, files, form, page_number
from signer.web.problems import Fault

if TYPE_CHECKING:
    from collections.abc import Callable

    from flask.typing import ResponseReturnValue

    from signer.web.portal.doors import Room, Visit
    from signer.web.portal.rooms import Building

_MOST_ROOT = 64
_NO_FILE = Fault(pointer="sheet", code="sheet.missing", zh="请选择一个文件。", en="Choose a file.")
_SIZE = Fault(
    pointer="size",
    code="batch.size",
    zh=f"每份确认书的车辆数应为 1 至 {MOST_GROUPED}。",
    en=f"The number of vehicles in one confirmation is from 1 to {MOST_GROUPED}.",
)


def room(building: Building) -> Room:
    """Return the room."""
    batches, desk = building.doors.room("batches"), _Desk(building)
    at = "/portal/<uscc>/batches"
    batches.get(at, MAKERS)(desk.listed)
    batches.post(at, PREPARERS)(desk.hand_in)
    batches.get(f"{at}/<ref>", MAKERS)(desk.show)
    batches.get(f"{at}/<ref>/reasons", MAKERS)(desk.reasons)
    batches.get(f"{at}/<ref>/items", MAKERS)(desk.items)
    batches.get(f"{at}/<ref>/items/<int:place>", MAKERS)(desk.item)
    batches.get(f"{at}/<ref>/archive.zip", MAKERS)(desk.archive)
    batches.post(f"{at}/<ref>/send", PREPARERS)(desk.send)
    batches.post(f"{at}/<ref>/pause", STEERERS)(desk.pause)
    batches.post(f"{at}/<ref>/go-on", STEERERS)(desk.go_on)
    batches.get(f"{at}/<ref>/cancel", STEERERS)(desk.ask_to_cancel)
    batches.post(f"{at}/<ref>/cancel", STEERERS)(desk.cancel)
    word = _Word(building, desk.pages)
    batches.post(f"{at}/<ref>/approve", APPROVERS)(word.approve)
    batches.post(f"{at}/<ref>/return", APPROVERS)(word.send_back)
    batches.post(f"{at}/<ref>/take-back", PREPARERS)(word.take_back)
    return batches


class _Desk:
    """The room's views."""

    def __init__(self, building: Building) -> None:
        self._building = building
        self._frame = building.frame
        self._batching = building.services.batching
        self.pages = BatchPages(building)

    def listed(self, visit: Visit) -> ResponseReturnValue:
        """Show the form for a file, and the batches that were handed in."""
        return self._listed(visit)

    def _listed(self, visit: Visit, *, faults: tuple[Fault, ...] = (), size: str = "1") -> str:
        number = page_number()
        heads = self._batching.listed(visit.uscc, number=number)
        return self._frame.draw(
            "portal/batches.html",
            visit,
            faults=faults,
            heads=heads[:PAGE],
            number=number,
            has_more=len(heads) > PAGE,
            may_edit=visit.has(Role.PREPARER),
            size=size,
            most_mb=MOST_BYTES // 1_000_000,
            most_grouped=MOST_GROUPED,
            beijing=beijing,
        )

    def hand_in(self, visit: Visit) -> ResponseReturnValue:
        """Take a file in; it is read by a job, and its page tells what is in it."""
        uploads, typed = files("sheet"), form().get("size", "").strip()[:9]
        is_size = typed.isascii() and typed.isdecimal() and 1 <= int(typed) <= MOST_GROUPED
        has_file = bool(uploads and uploads[0].data)
        faults = (() if has_file else (_NO_FILE,)) + (() if is_size else (_SIZE,))
        if faults:
            return self._listed(visit, faults=faults, size=typed), 422
        asked = Asked(person=visit.person, maker=visit.uscc)
        ref, is_new = self._batching.hand_in(asked, file_name=uploads[0].name, data=uploads[0].data, size=int(typed))
        return to(visit, ref, "" if is_new else "batches.known")

    def show(self, visit: Visit, ref: str) -> ResponseReturnValue:
        """Show a batch: what is in it, how far it is, what came of it."""
        return self.pages.one(visit, ref)

    def reasons(self, visit: Visit, ref: str) -> ResponseReturnValue:
        """Give every remark on the file, as a sheet."""
        shown, made = self._batching.find(visit.uscc, ref), sheet_files.form_asked()
        data = batch_remarks.sheet(shown.report, form=made, language=sheet_files.words_asked())
        stem = PurePath(shown.head.file_name).stem[:60] or "batch"
        return sheet_files.sheet(data, f"{stem}-{ref[:4]}.{made}", made)

    def items(self, visit: Visit, ref: str) -> ResponseReturnValue:
        """Show a page of the items, all or those that stand so."""
        return self.pages.items(visit, ref)

    def item(self, visit: Visit, ref: str, place: int) -> ResponseReturnValue:
        """Show one item in full."""
        return self.pages.item(visit, ref, place)

    def archive(self, visit: Visit, ref: str) -> ResponseReturnValue:
        """Give every sealed file as one ZIP, which is written while it is read."""
        parts = self._building.services.batch_looking.archive(visit.uscc, ref, by=visit.person)
        return pouring.poured(parts, f"batch-{ref}.zip", downloads.ZIP)

    def send(self, visit: Visit, ref: str) -> ResponseReturnValue:
        """Send a batch for approval, in the version that was seen."""
        version = form().get("version", type=int)
        return self._moved(
            visit, ref, lambda: self._batching.send(ref, maker=visit.uscc, by=visit.person, version=version), "sent"
        )

    def pause(self, visit: Visit, ref: str) -> ResponseReturnValue:
        """Let it stand still."""
        return self._moved(visit, ref, lambda: self._batching.pause(ref, maker=visit.uscc, by=visit.person), "paused")

    def go_on(self, visit: Visit, ref: str) -> ResponseReturnValue:
        """Let it go on."""
        return self._moved(visit, ref, lambda: self._batching.go_on(ref, maker=visit.uscc, by=visit.person), "resumed")

    def ask_to_cancel(self, visit: Visit, ref: str) -> ResponseReturnValue:
        """Ask whether it is to be cancelled, and say what that means."""
        shown = self._batching.find(visit.uscc, ref)
        if not shown.may_cancel:
            return to(visit, ref)
        is_begun = shown.head.state in APPROVED
        left = shown.progress.left
        return self._frame.draw("portal/batch_cancel.html", visit, head=shown.head, left=left, is_begun=is_begun)

    def cancel(self, visit: Visit, ref: str) -> ResponseReturnValue:
        """End it: what is sealed stays sealed."""
        return self._moved(
            visit, ref, lambda: self._batching.cancel(ref, maker=visit.uscc, by=visit.person), "cancelled"
        )

    def _moved(self, visit: Visit, ref: str, act: Callable[[], object], done: str) -> ResponseReturnValue:
        """Do something that changes how a batch stands; where it stands otherwise by now, show that."""
        try:
            act()
        except Conflict:
            return self.pages.one(visit, ref, faults=(DECIDED,)), 409
        return to(visit, ref, f"batches.{done}")


class _Word:
    """The approver's word on a batch, and what comes instead of it."""

    def __init__(self, building: Building, pages: BatchPages) -> None:
        self._batching = building.services.batching
        self._accounts = building.services.accounts
        self._pages = pages

    def approve(self, visit: Visit, ref: str) -> ResponseReturnValue:
        """Take the approver's word, with a second factor shown just now, on the root that the page showed."""
        head, seen = self._batching.find(visit.uscc, ref).head, form().get("root", "")[:_MOST_ROOT]
        if is_own_of(visit, head):
            return self._pages.one(visit, ref, faults=(OWN,)), 403
        if head.root is None or seen != head.root.hex():
            return self._pages.one(visit, ref, faults=(STALE,)), 409
        if head.state is not BatchState.WAITING:
            return self._pages.one(visit, ref, faults=(DECIDED,)), 409
        try:
            kind = self._accounts.confirm(visit.principal, factor.proof_of(form()), about=about(head))
        except (NotPermitted, TooManyRequests) as error:
            return self._pages.one(visit, ref, faults=(factor.fault_of(error),)), 422
        try:
            self._batching.approve(Word(ref=ref, maker=visit.uscc, by=visit.person, root=seen, factor=kind))
        except StaleTerms:
            return self._pages.one(visit, ref, faults=(STALE,)), 409
        except Conflict:
            return self._pages.one(visit, ref, faults=(DECIDED,)), 409
        return to(visit, ref, "batches.approved")

    def send_back(self, visit: Visit, ref: str) -> ResponseReturnValue:
        """Return a batch to its preparer with a reason."""
        head, reason = self._batching.find(visit.uscc, ref).head, form().get("reason", "").strip()
        if is_own_of(visit, head):
            return self._pages.one(visit, ref, faults=(OWN,)), 403
        if not is_reason(reason):
            return self._pages.one(visit, ref, faults=(NO_REASON,), reason=reason[:MOST_TYPED]), 422
        try:
            self._batching.send_back(ref, maker=visit.uscc, by=visit.person, reason=reason)
        except Conflict:
            return self._pages.one(visit, ref, faults=(DECIDED,)), 409
        return redirect(f"/portal/{visit.uscc}/approvals?done=batches.returned", code=303)

    def take_back(self, visit: Visit, ref: str) -> ResponseReturnValue:
        """Let the preparer have it again."""
        try:
            self._batching.take_back(ref, maker=visit.uscc, by=visit.person)
        except Conflict:
            return self._pages.one(visit, ref, faults=(DECIDED,)), 409
        return to(visit, ref, "batches.back")


def to(visit: Visit, ref: str, done: str = "") -> ResponseReturnValue:
    """Lead to the page of a batch, with a word of what was just done."""
    return redirect(f"/portal/{visit.uscc}/batches/{ref}" + (f"?done={done}" if done else ""), code=303)
