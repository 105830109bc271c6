"""A new name of the company: proposed by an administrator, confirmed by an approver, with what it means shown first."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Final

from flask import redirect

from signer.domain.parties import Role
from signer.errors import Conflict, InvalidInput, NotPermitted, TooLarge, TooManyRequests
from signer.services.facts import Handed
from signer.services.renaming import Typed
from signer.verification.wording import beijing
from signer.web.portal import factor
from signer.web.portal.doors import MAKERS, files, form
from signer.web.problems import Fault

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

    from signer.services.renaming import Shown
    from signer.web.portal.doors import Room, Visit
    from signer.web.portal.rooms import Building

PROPOSERS: Final = frozenset({Role.ADMIN})
APPROVERS: Final = frozenset({Role.APPROVER})
DROPPERS: Final = PROPOSERS | APPROVERS
_FIELDS = tuple(field.name for field in fields(Typed))
_MOST_TYPED = 2000
_PLACES: Final = {
    "name": "legal_name",
    "/legal_name": "legal_name",
    "/legal_name_en": "legal_name_en",
    "until": "from_on",
    "/announcement/entry": "announcement",
    "/entry": "announcement",
    "/evidence": "evidence",
}
"""Fields as the services name them, and the page's own where that is another."""
_WRONG: Final = {
    "legal_name": (
        "请填写新的企业全称，不含特殊字符，且与现用名称不同",
        "give the new legal name, without special characters and other than the present one",
    ),
    "legal_name_en": ("英文名称过长或含有不能使用的字符", "too long, or a character that cannot be used"),
    "from_on": (
        "日期应为 2026-11-30 这样的格式，不晚于今天，且晚于上一次更名",
        "a date like 2026-11-30, not after today and after the last change of name",
    ),
    "announcement": (
        "请填写更名后的公告批次和序号，120 字以内",
        "give the announcement's entry with the new name, at most 120 characters",
    ),
    "reason": ("请用 3 至 400 字说明更名的原因", "say why in 3 to 400 characters"),
    "evidence": ("请选择或上传证明更名的文件", "choose or hand in the file that proves the change"),
    "file": ("只接受 10 MB 以内的 PDF、PNG、JPEG 文件", "a PDF, PNG or JPEG of at most 10 MB"),
}
_FULL = Fault(pointer="file", code="conflict", zh="证明文件已满 200 份", en="there are 200 files of evidence already")
_WAITS = Fault(
    pointer="",
    code="waits",
    zh="已有一项更名等待确认，须先确认或撤回，才能提出新的更名。",
    en="Another new name waits: it has to be confirmed or dropped before the next one is proposed.",
)
_DECIDED = Fault(
    pointer="",
    code="decided",
    zh="此项更名已有处理结果，或企业名称已变动，本次操作未执行。",
    en="This was decided meanwhile, or the company is called otherwise by now. Nothing was done.",
)
_SAME = Fault(
    pointer="",
    code="same",
    zh="此项更名由您提出，须由另一位批准人确认。",
    en="You proposed this name, so another approver has to confirm it.",
)


def room(building: Building) -> Room:
    """Return the room."""
    door, desk = building.doors.room("renaming"), _Desk(building)
    here = "/portal/<uscc>/facts/renaming"
    door.get(here, PROPOSERS)(desk.blank)
    door.post(here, PROPOSERS)(desk.propose)
    door.get(f"{here}/<ref>", MAKERS)(desk.one)
    door.post(f"{here}/<ref>", APPROVERS)(desk.confirm)
    door.post(f"{here}/<ref>/drop", DROPPERS)(desk.drop)
    return door


class _Desk:
    """The room's views."""

    def __init__(self, building: Building) -> None:
        self._frame = building.frame
        self._facts = building.services.facts
        self._renamings = building.services.renamings
        self._accounts = building.services.accounts

    def blank(self, visit: Visit) -> ResponseReturnValue:
        """Show the form; or what waits already."""
        if (waiting := self._renamings.waiting(visit.uscc)) is not None:
            return _to(visit, waiting.ref)
        return self._form(visit, {})

    def _form(self, visit: Visit, typed: dict[str, str], *faults: Fault) -> str:
        record, evidence = self._facts.of(visit.uscc)
        values = {"record": record, "evidence": evidence, "typed": typed, "beijing": beijing}
        return self._frame.draw("portal/renaming_form.html", visit, faults=faults, **values)

    def propose(self, visit: Visit) -> ResponseReturnValue:
        """Take a proposal in, with the file that proves it; whatever is wrong, what was typed stays."""
        typed = {name: form().get(name, "")[:_MOST_TYPED] for name in _FIELDS}
        fault = self._hand_in(visit, typed)
        if fault is not None:
            return self._form(visit, typed, fault), 422
        try:
            made = self._renamings.propose(visit.uscc, Typed(**typed), by=visit.person)
        except InvalidInput as error:
            return self._form(visit, typed, _fault(error.field)), 422
        except Conflict:
            return self._form(visit, typed, _WAITS), 409
        return _to(visit, made.ref, done="renaming.asked")

    def _hand_in(self, visit: Visit, typed: dict[str, str]) -> Fault | None:
        """Keep the file that came with the form, if one did, and let the proposal name it; return what is wrong."""
        found = [each for each in files("file") if each.data or each.name]
        if not found:
            return None
        title = self._frame.t("renaming.evidence-title")
        handed = Handed(subject="name", title=title, file_name=found[0].name, data=found[0].data)
        try:
            typed["evidence"] = self._facts.hand_in(visit.uscc, handed, by=visit.person).ref
        except (InvalidInput, TooLarge):
            return _fault("file")
        except Conflict:
            return _FULL
        return None

    def one(self, visit: Visit, ref: str) -> ResponseReturnValue:
        """Show a proposal and what it would do."""
        return self._draw(visit, self._renamings.find(visit.uscc, ref))

    def _draw(self, visit: Visit, shown: Shown, *faults: Fault) -> str:
        return self._frame.draw(
            "portal/renaming.html",
            visit,
            faults=faults,
            shown=shown,
            beijing=beijing,
            is_own=shown.proposal.asked_by == visit.person,
            may_confirm=visit.has(*APPROVERS),
            may_drop=visit.has(*DROPPERS),
            ways=self._accounts.ways(visit.person),
            about=_about(ref=shown.proposal.ref),
        )

    def confirm(self, visit: Visit, ref: str) -> ResponseReturnValue:
        """Enter the new name on an approver's word and second factor."""
        shown = self._renamings.find(visit.uscc, ref)
        if shown.proposal.outcome is not None:
            return self._draw(visit, shown, _DECIDED), 409
        if shown.proposal.asked_by == visit.person:
            return self._draw(visit, shown, _SAME), 403
        try:
            kind = self._accounts.confirm(visit.principal, factor.proof_of(form()), about=_about(ref=ref))
        except (NotPermitted, TooManyRequests) as error:
            return self._draw(visit, shown, factor.fault_of(error)), 422
        try:
            self._renamings.confirm(visit.uscc, ref, by=visit.person, factor=kind)
        except (Conflict, InvalidInput):
            return self._draw(visit, self._renamings.find(visit.uscc, ref), _DECIDED), 409
        return _to(visit, ref, done="renaming.done")

    def drop(self, visit: Visit, ref: str) -> ResponseReturnValue:
        """Let nothing come of a proposal."""
        try:
            self._renamings.drop(visit.uscc, ref, by=visit.person)
        except Conflict:
            return self._draw(visit, self._renamings.find(visit.uscc, ref), _DECIDED), 409
        return _to(visit, ref, done="renaming.dropped")


def _about(*, ref: str) -> str:
    return f"rename {ref}"


def _fault(field: str) -> Fault:
    place = _PLACES.get(field, field)
    place = place if place in _WRONG else "legal_name"
    zh, en = _WRONG[place]
    return Fault(pointer=place, code="invalid-input", zh=zh, en=en)


def _to(visit: Visit, ref: str, *, done: str = "") -> ResponseReturnValue:
    query = f"?done={done}" if done else ""
    return redirect(f"/portal/{visit.uscc}/facts/renaming/{ref}{query}", code=303)
