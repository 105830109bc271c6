"""The manufacturer's facts: what stands on every confirmation, what may be changed here, and the evidence for it."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Final

from flask import Response, redirect

from signer.domain.parties import Role
from signer.errors import Conflict, InvalidInput, TooLarge
from signer.services.facts import KINDS, SUBJECTS, Changes, Handed
from signer.verification.wording import beijing
from signer.web import intake
from signer.web.portal.doors import MAKERS, files, form
from signer.web.problems import Fault

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

    from signer.web.portal.doors import Room, Visit
    from signer.web.portal.rooms import Building

EDITORS: Final = frozenset({Role.ADMIN})
_WALL = "sandbox; default-src 'none'"
_ENDINGS = dict(KINDS.values())
_FIELDS = tuple(field.name for field in fields(Changes))
_WRONG: Final = {
    "legal_name_en": ("英文名称过长或含有不能使用的字符", "too long, or a character that cannot be used"),
    "address": ("请填写地址，不含特殊字符", "give an address without special characters"),
    "contact": ("请填写联系方式，不含特殊字符", "give a contact without special characters"),
    "verification_domain": ("过长或含有不能使用的字符", "too long, or a character that cannot be used"),
    "wmis": ("每个 WMI 为 3 位字母或数字，不含 I、O、Q", "a WMI has 3 letters or digits, without I, O and Q"),
    "checked_on": ("日期应为 2026-11-30 这样的格式，且不晚于今天", "a date like 2026-11-30, not after today"),
    "file": ("只接受 10 MB 以内的 PDF、PNG、JPEG 文件", "a PDF, PNG or JPEG of at most 10 MB"),
    "title": ("请写明这是什么文件", "say what it is"),
    "subject": ("请选择证明的内容", "choose what it is evidence for"),
}
_FULL = Fault(pointer="file", code="conflict", zh="文件已满 200 份", en="there are 200 files already")


def room(building: Building) -> Room:
    """Return the room."""
    facts, services = building.doors.room("facts"), building.services

    @facts.get("/portal/<uscc>/facts", MAKERS)
    def show(visit: Visit) -> ResponseReturnValue:
        """Show the facts and the evidence."""
        return _draw(building, visit)

    @facts.post("/portal/<uscc>/facts", EDITORS)
    def change(visit: Visit) -> ResponseReturnValue:
        """Change what may be changed."""
        typed = {name: form().get(name, "")[:2000] for name in _FIELDS}
        try:
            services.facts.change(visit.uscc, Changes(**typed), by=visit.person)
        except InvalidInput as error:
            return _draw(building, visit, _fault(error.field), typed=typed)
        return redirect(f"/portal/{visit.uscc}/facts?done=facts.changed", code=303)

    @facts.post("/portal/<uscc>/facts/buyers", EDITORS)
    def answer_buyers(visit: Visit) -> ResponseReturnValue:
        """Let buyers ask about the manufacturer's cars, or no longer."""
        is_wanted = form().get("buyers") == "yes"
        services.facts.answer_buyers(visit.uscc, by=visit.person, is_wanted=is_wanted)
        return redirect(f"/portal/{visit.uscc}/facts?done=facts.buyers-{'yes' if is_wanted else 'no'}", code=303)

    @facts.post("/portal/<uscc>/facts/evidence", EDITORS)
    def hand_in(visit: Visit) -> ResponseReturnValue:
        """Keep a file as evidence."""
        return _hand_in(building, visit)

    @facts.get("/portal/<uscc>/facts/evidence/<ref>", MAKERS)
    def download(visit: Visit, ref: str) -> ResponseReturnValue:
        """Hand a file out, never to be shown or run by the browser under our name."""
        evidence, data = services.facts.file(visit.uscc, ref)
        response = Response(data, content_type=evidence.media_type)
        name = f"evidence-{evidence.ref}.{_ENDINGS[evidence.media_type]}"
        response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
        response.headers["Content-Security-Policy"] = _WALL
        return response

    return facts


def _hand_in(building: Building, visit: Visit) -> ResponseReturnValue:
    typed = {name: form().get(name, "")[:2000] for name in ("title", "subject")}
    found = files("file")
    upload = found[0] if found else intake.Upload(name="", data=b"")
    try:
        handed = Handed(file_name=upload.name, data=upload.data, **typed)
        building.services.facts.hand_in(visit.uscc, handed, by=visit.person)
    except InvalidInput as error:
        return _draw(building, visit, _fault(error.field), handed=typed)
    except TooLarge:
        return _draw(building, visit, _fault("file"), handed=typed)
    except Conflict:
        return _draw(building, visit, _FULL, handed=typed)
    return redirect(f"/portal/{visit.uscc}/facts?done=facts.handed-in", code=303)


def _draw(
    building: Building,
    visit: Visit,
    *faults: Fault,
    typed: dict[str, str] | None = None,
    handed: dict[str, str] | None = None,
) -> str:
    maker, evidence = building.services.facts.of(visit.uscc)
    known = {
        "legal_name_en": maker.legal_name_en or "",
        "address": maker.address,
        "contact": maker.contact,
        "verification_domain": maker.verification_domain or "",
        "wmis": " ".join(maker.wmis),
        "checked_on": maker.announcement.checked_on.isoformat(),
    }
    return building.frame.draw(
        "portal/facts.html",
        visit,
        faults=faults,
        record=maker,
        evidence=evidence,
        renaming=building.services.renamings.waiting(visit.uscc),
        names=building.services.people.names({one.added_by for one in evidence}),
        buyers_since=building.services.facts.answers_buyers_since(visit.uscc),
        typed=typed or known,
        handed=handed or {},
        subjects=SUBJECTS,
        may_edit=visit.has(*EDITORS),
        beijing=beijing,
    )


def _fault(field: str) -> Fault:
    place = field if field in _WRONG else "address"
    zh, en = _WRONG[place]
    return Fault(pointer=place, code="invalid-input", zh=zh, en=en)
