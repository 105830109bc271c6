"""A manufacturer's people: who may do what, whom to invite, and what waits for another approver's word."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import redirect, request

from signer.domain.parties import Role
from signer.errors import Conflict, InvalidInput, NotPermitted, TooManyRequests
from signer.services import members
from signer.services.invitations import MAKERS_ROLES, Invited
from signer.web import languages
from signer.web.portal import doors, factor
from signer.web.portal.account import number_of
from signer.web.portal.doors import MAKERS
from signer.web.portal.signing_in import answered
from signer.web.problems import Fault

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

    from signer.domain.parties import Uscc
    from signer.web.portal.doors import Room, Visit
    from signer.web.portal.rooms import Building

_KEEPS = frozenset({Role.ADMIN, Role.OPERATOR})
_SEES = MAKERS | _KEEPS
_DECIDES = frozenset({Role.APPROVER, Role.OPERATOR})
ROLES = tuple(role for role in Role if role in MAKERS_ROLES)
NAME = Fault(
    pointer="name",
    code="invalid-input",
    zh="请填写姓名（至多 80 个字符）。",
    en="Give the name, up to 80 characters.",
)
LOGIN = Fault(
    pointer="login",
    code="invalid-input",
    zh="请填写有效的电子邮箱。",
    en="Give a valid e-mail address.",
)
ROLE = Fault(
    pointer="roles",
    code="invalid-input",
    zh="请至少选择一个角色。",
    en="Choose at least one role.",
)
INVITED = Fault(
    pointer="login", code="conflict", zh="该邮箱已被邀请，请等待对方接受，或先撤回原邀请。",
    en="This address is invited already: wait, or take the former invitation back.",
)  # fmt: skip
LAST = Fault(
    pointer="",
    code="conflict",
    zh="至少须有一位管理员。",
    en="The last administrator has to stay one.",
)
ASKED = Fault(
    pointer="",
    code="conflict",
    zh="相同的申请已在等待决定。",
    en="The same is asked already.",
)
ALONE = Fault(
    pointer="",
    code="not-permitted",
    zh="此操作须由另一位批准人同意；如该人员在其他企业也有角色，请联系系统运营方。",
    en="This needs another approver; for somebody with roles elsewhere, the operators.",
)


def room(building: Building) -> Room:
    """Return the room."""
    door, pages = building.doors.room("people"), _Pages(building)
    door.get("/portal/<uscc>/people", _SEES)(pages.people)
    door.get("/portal/<uscc>/people/requests", _DECIDES)(pages.requests)
    for rule, action in (
        ("/invite", pages.invited),
        ("/revoke", pages.revoked),
        ("/roles", pages.changed),
        ("/ask", pages.asked),
        ("/reset", pages.reset),
        ("/drop", pages.dropped),
    ):
        door.post(f"/portal/<uscc>/people{rule}", _KEEPS)(action)
    door.post("/portal/<uscc>/people/decide", _DECIDES)(pages.decided)
    return door


class _Pages:
    """The room's views."""

    def __init__(self, building: Building) -> None:
        self._building = building
        self._inviting = building.services.inviting
        self._members = building.services.members

    def people(self, visit: Visit) -> ResponseReturnValue:
        """Show members, invitations and requests."""
        return self._drawn(visit)

    def _drawn(
        self, visit: Visit, fault: Fault | None = None, *, typed: Invited | None = None, link: str = ""
    ) -> ResponseReturnValue:
        page = self._building.frame.draw(
            "portal/people.html",
            visit,
            faults=() if fault is None else (fault,),
            members=self._members.all(visit.uscc),
            invitations=self._inviting.pending(visit.uscc),
            asked=self._members.asked(visit.principal, visit.uscc),
            roles=ROLES,
            keeps=visit.has(*_KEEPS),
            me=visit.person,
            typed=typed,
            link=link,
        )
        return answered(page, fault)

    def invited(self, visit: Visit) -> ResponseReturnValue:
        """Invite somebody, and show the link this once."""
        form = doors.form()
        typed = Invited(
            login=form.get("login", "")[:200],
            name=form.get("name", "")[:200],
            roles=roles_of(form.getlist("roles")),
            language=languages.chosen(),
        )
        try:
            token = self._inviting.invite(visit.principal, visit.uscc, typed)
        except InvalidInput as error:
            return self._drawn(visit, {"login": LOGIN, "name": NAME}.get(error.field, ROLE), typed=typed)
        except Conflict:
            return self._drawn(visit, INVITED, typed=typed)
        base = self._building.services.settings.base_url.rstrip("/")
        return self._drawn(visit, link=f"{base}/invitations/{token}")

    def revoked(self, visit: Visit) -> ResponseReturnValue:
        """Take an invitation back."""
        self._inviting.revoke(visit.principal, visit.uscc, number_of(doors.form().get("invitation", "")))
        return done(visit.uscc, "people-revoked")

    def changed(self, visit: Visit) -> ResponseReturnValue:
        """Make a member's roles those that are ticked; ticking the approver's asks for it."""
        form, uscc = doors.form(), visit.uscc
        person, wanted = form.get("person", "")[:64], roles_of(form.getlist("roles"))
        held = next((one.roles for one in self._members.all(uscc) if one.person == person), frozenset())
        asks = Role.APPROVER in wanted - held
        try:
            self._members.change(visit.principal, uscc, person, (wanted - {Role.APPROVER} or held) if asks else wanted)
            if asks:
                self._members.ask(visit.principal, uscc, person, "grant-approver")
        except Conflict:
            return self._drawn(visit, ASKED if asks else LAST)
        return done(uscc, "people-asked" if asks else "people-saved")

    def asked(self, visit: Visit) -> ResponseReturnValue:
        """Ask that an approver's factors be reset."""
        try:
            self._members.ask(visit.principal, visit.uscc, doors.form().get("person", "")[:64], "reset-factor")
        except NotPermitted:
            return self._drawn(visit, ALONE)
        except Conflict:
            return self._drawn(visit, ASKED)
        return done(visit.uscc, "people-asked")

    def reset(self, visit: Visit) -> ResponseReturnValue:
        """Take all factors of a member who is no approver."""
        try:
            self._members.reset(visit.principal, visit.uscc, doors.form().get("person", "")[:64])
        except NotPermitted:
            return self._drawn(visit, ALONE)
        return done(visit.uscc, "people-reset")

    def dropped(self, visit: Visit) -> ResponseReturnValue:
        """Take back what one asked."""
        self._members.drop(visit.principal, visit.uscc, number_of(doors.form().get("request", "")))
        return done(visit.uscc, "people-saved")

    def requests(self, visit: Visit) -> ResponseReturnValue:
        """Show one request, to be decided with a second factor."""
        return self._request(visit, request.args.get("request", ""))

    def _request(
        self, visit: Visit, number: str, error: NotPermitted | TooManyRequests | None = None
    ) -> ResponseReturnValue:
        wanted = [one for one in self._members.asked(visit.principal, visit.uscc) if str(one.request.id) == number]
        if not wanted or not wanted[0].may_decide:
            return redirect(f"/portal/{visit.uscc}/people", code=303)
        fault = None if error is None else factor.fault_of(error)
        page = self._building.frame.draw(
            "portal/people_request.html",
            visit,
            faults=() if fault is None else (fault,),
            one=wanted[0],
            ways=self._building.services.accounts.ways(visit.person),
            about=members.about(wanted[0].request.id),
        )
        return answered(page, fault, error.retry_after_s if isinstance(error, TooManyRequests) else 0)

    def decided(self, visit: Visit) -> ResponseReturnValue:
        """Decide a request."""
        form = doors.form()
        number, proof = number_of(form.get("request", "")), factor.proof_of(form)
        grant = form.get("decision") == "grant"
        try:
            self._members.decide(visit.principal, visit.uscc, number, grant=grant, proof=proof)
        except (NotPermitted, TooManyRequests) as error:
            return self._request(visit, str(number), error)
        except Conflict:
            return self._drawn(visit, ALONE)
        return done(visit.uscc, "people-granted" if grant else "people-refused")


def roles_of(typed: list[str]) -> frozenset[Role]:
    """Return the roles that were ticked; what is none is left out."""
    return frozenset(role for role in ROLES if role.value in typed)


def done(uscc: Uscc, word: str) -> ResponseReturnValue:
    """Lead back to the list, which says what was done."""
    return redirect(f"/portal/{uscc}/people?done={word}", code=303)
