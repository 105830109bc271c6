"""Manufacturers, as operators let them in by two, hold them, and auditors see them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, get_args

from flask import redirect

from signer.domain.parties import ManufacturerRole, Role
from signer.errors import Conflict, InvalidInput, NotPermitted, TooManyRequests
from signer.services.onboarding import Typed
from signer.verification.wording import beijing
from signer.web.portal import factor
from signer.web.portal.doors import form
from signer.web.portal.frame import HOUSE, OFFICE
from signer.web.problems import Fault

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

    from signer.register.parties import Tenant
    from signer.services.onboarding import Shown
    from signer.web.portal.doors import Room, Visit
    from signer.web.portal.rooms import Building

OPERATORS: Final = frozenset({Role.OPERATOR})
MAKERS: Final = f"{OFFICE}/makers"
ROLES: Final = get_args(ManufacturerRole)
_FIELDS = tuple(Typed.__dataclass_fields__)
_MOST_TYPED = 2000
_WRONG: Final = {
    "legal_name": ("请填写企业全称，不含特殊字符", "give the legal name, without special characters"),
    "legal_name_en": ("英文名称过长或含有不能使用的字符", "too long, or a character that cannot be used"),
    "uscc": ("统一社会信用代码有误：18 位，末位为校验位", "not a USCC: it has 18 characters, the last one is a check"),
    "role": ("请选择企业类型", "choose what kind of company it is"),
    "announcement": ("请填写公告批次和序号", "give the batch and the number of the announcement"),
    "checked_on": ("日期应为 2026-11-30 这样的格式，且不晚于今天", "a date like 2026-11-30, not after today"),
    "address": ("请填写地址，不含特殊字符", "give an address without special characters"),
    "contact": ("请填写联系方式，不含特殊字符", "give a contact without special characters"),
    "wmis": ("每个 WMI 为 3 位字母或数字，不含 I、O、Q", "a WMI has 3 letters or digits, without I, O and Q"),
    "admin_name": ("请填写姓名（至多 80 个字符）", "give a name of at most 80 characters"),
    "admin_login": ("请填写有效的电子邮箱", "give a valid e-mail address"),
    "reason": ("请写明理由（3 至 400 个字符）", "give a reason, 3 to 400 characters"),
}
_THERE = Fault(
    pointer="uscc",
    code="conflict",
    zh="该统一社会信用代码的企业已在登记簿中，或已有人提出",
    en="a manufacturer of this USCC is in the register, or was proposed, already",
)
_DECIDED = Fault(
    pointer="",
    code="conflict",
    zh="状态已有变化，本次操作未执行。请核对下方的最新状态。",
    en="This changed meanwhile, and nothing was done. Look at how it stands now.",
)
_SAME = Fault(
    pointer="",
    code="same",
    zh="此操作由您提出，须由另一位运营人员确认。",
    en="You asked for this, so another operator has to confirm it.",
)


def room(building: Building) -> Room:
    """Return the room."""
    door, desk = building.doors.room("office_makers"), _Desk(building)
    door.get(MAKERS, HOUSE)(desk.listed)
    door.get(f"{MAKERS}/new", OPERATORS)(desk.blank)
    door.post(f"{MAKERS}/new", OPERATORS)(desk.propose)
    door.get(f"{MAKERS}/proposed/<ref>", HOUSE)(desk.proposed)
    door.post(f"{MAKERS}/proposed/<ref>", OPERATORS)(desk.confirm)
    door.post(f"{MAKERS}/proposed/<ref>/drop", OPERATORS)(desk.drop)
    door.get(f"{MAKERS}/of/<code>", HOUSE)(desk.one)
    door.post(f"{MAKERS}/of/<code>/suspend", OPERATORS)(desk.suspend)
    door.post(f"{MAKERS}/of/<code>/resume", OPERATORS)(desk.resume)
    return door


class _Desk:
    """The room's views."""

    def __init__(self, building: Building) -> None:
        self._frame = building.frame
        self._accounts = building.services.accounts
        self._people = building.services.people
        self._onboarding = building.services.onboarding

    def listed(self, visit: Visit) -> ResponseReturnValue:
        """Show what waits and who is there."""
        waiting, tenants = self._onboarding.makers()
        return self._frame.draw(
            "portal/office_makers.html",
            visit,
            waiting=waiting,
            tenants=tenants,
            names=self._people.names({one.asked_by for one in waiting}),
            may_propose=visit.has(*OPERATORS),
            beijing=beijing,
        )

    def blank(self, visit: Visit) -> ResponseReturnValue:
        """Show the form of a proposal."""
        return self._form(visit, {"role": ROLES[0]})

    def _form(self, visit: Visit, typed: dict[str, str], *faults: Fault) -> str:
        return self._frame.draw("portal/office_maker_form.html", visit, faults=faults, typed=typed, roles=ROLES)

    def propose(self, visit: Visit) -> ResponseReturnValue:
        """Take a proposal in; whatever is wrong, what was typed stays."""
        typed = {name: form().get(name, "")[:_MOST_TYPED] for name in _FIELDS}
        try:
            made = self._onboarding.propose(Typed(**typed), by=visit.person)
        except InvalidInput as error:
            return self._form(visit, typed, _fault(error.field)), 422
        except Conflict:
            return self._form(visit, typed, _THERE), 409
        return redirect(f"{MAKERS}/proposed/{made.ref}?done=maker.proposed", code=303)

    def proposed(self, visit: Visit, ref: str) -> ResponseReturnValue:
        """Show a proposal."""
        return self._proposed(visit, self._onboarding.find(ref))

    def _proposed(self, visit: Visit, shown: Shown, *faults: Fault) -> str:
        return self._frame.draw(
            "portal/office_maker_proposed.html",
            visit,
            faults=faults,
            shown=shown,
            is_own=shown.proposal.asked_by == visit.person,
            may_decide=visit.has(*OPERATORS),
            ways=self._accounts.ways(visit.person),
            about=f"onboard {shown.proposal.ref}",
            beijing=beijing,
        )

    def confirm(self, visit: Visit, ref: str) -> ResponseReturnValue:
        """Let a manufacturer in, on a second operator's word and second factor."""
        shown = self._onboarding.find(ref)
        if shown.proposal.outcome is not None:
            return self._proposed(visit, shown, _DECIDED), 409
        if shown.proposal.asked_by == visit.person:
            return self._proposed(visit, shown, _SAME), 422
        try:
            kind = self._accounts.confirm(visit.principal, factor.proof_of(form()), about=f"onboard {ref}")
        except (NotPermitted, TooManyRequests) as error:
            return self._proposed(visit, shown, factor.fault_of(error)), 422
        try:
            self._onboarding.confirm(ref, by=visit.person, factor=kind)
        except Conflict:
            return self._proposed(visit, self._onboarding.find(ref), _DECIDED), 409
        return redirect(f"{MAKERS}/of/{shown.proposal.record.uscc}?done=maker.onboarded", code=303)

    def drop(self, visit: Visit, ref: str) -> ResponseReturnValue:
        """Let nothing come of a proposal."""
        try:
            self._onboarding.drop(ref, by=visit.person)
        except Conflict:
            return self._proposed(visit, self._onboarding.find(ref), _DECIDED), 409
        return redirect(f"{MAKERS}/proposed/{ref}?done=maker.dropped", code=303)

    def one(self, visit: Visit, code: str) -> ResponseReturnValue:
        """Show a manufacturer, and what suspending it does."""
        return self._one(visit, self._onboarding.maker(code))

    def _one(self, visit: Visit, tenant: Tenant, *faults: Fault, reason: str = "") -> str:
        held = tenant.suspension
        return self._frame.draw(
            "portal/office_maker.html",
            visit,
            faults=faults,
            tenant=tenant,
            record=tenant.manufacturer,
            held=held,
            held_by=self._people.names({held.by}).get(held.by, held.by) if held else "",
            is_own=held is not None and held.by == visit.person,
            may_hold=visit.has(*OPERATORS),
            reason=reason,
            ways=self._accounts.ways(visit.person),
            about=f"resume {tenant.manufacturer.uscc}",
            beijing=beijing,
        )

    def suspend(self, visit: Visit, code: str) -> ResponseReturnValue:
        """Suspend a manufacturer, with a reason."""
        tenant, reason = self._onboarding.maker(code), form().get("reason", "")[:_MOST_TYPED]
        try:
            self._onboarding.suspend(tenant.manufacturer.uscc, reason=reason, by=visit.person)
        except InvalidInput as error:
            return self._one(visit, tenant, _fault(error.field), reason=reason), 422
        except Conflict:
            return self._one(visit, self._onboarding.maker(code), _DECIDED), 409
        return _to(tenant, "maker.suspended")

    def resume(self, visit: Visit, code: str) -> ResponseReturnValue:
        """Let a manufacturer go on, on another operator's word and second factor."""
        tenant = self._onboarding.maker(code)
        if tenant.suspension is None:
            return self._one(visit, tenant, _DECIDED), 409
        if tenant.suspension.by == visit.person:
            return self._one(visit, tenant, _SAME), 422
        about = f"resume {tenant.manufacturer.uscc}"
        try:
            kind = self._accounts.confirm(visit.principal, factor.proof_of(form()), about=about)
        except (NotPermitted, TooManyRequests) as error:
            return self._one(visit, tenant, factor.fault_of(error)), 422
        try:
            self._onboarding.resume(tenant.manufacturer.uscc, by=visit.person, factor=kind)
        except Conflict:
            return self._one(visit, self._onboarding.maker(code), _DECIDED), 409
        return _to(tenant, "maker.resumed")


def _to(tenant: Tenant, done: str) -> ResponseReturnValue:
    return redirect(f"{MAKERS}/of/{tenant.manufacturer.uscc}?done={done}", code=303)


def _fault(field: str) -> Fault:
    place = field if field in _WRONG else "legal_name"
    zh, en = _WRONG[place]
    return Fault(pointer=place, code="invalid-input", zh=zh, en=en)
