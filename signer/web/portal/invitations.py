"""Who was invited comes in: with a name and a password, or with the account that there is already."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import redirect

from signer.errors import Conflict, InvalidInput, NotPermitted
from signer.web import languages
from signer.web.portal import doors
from signer.web.portal.account import weak
from signer.web.portal.people import NAME
from signer.web.portal.signing_in import admitted, answered, origin
from signer.web.problems import Fault

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

    from signer.web.portal.doors import Room, Visit
    from signer.web.portal.rooms import Building

ANOTHERS = Fault(
    pointer="",
    code="not-permitted",
    zh="此邀请发给另一位人员。请退出登录，然后以受邀的邮箱登录。",
    en="This invitation is for somebody else. Sign out, and sign in with the address that is invited.",
)
HAS_ACCOUNT = Fault(
    pointer="",
    code="conflict",
    zh="该邮箱已有账户，请登录后接受邀请。",
    en="There is an account already: sign in to accept.",
)


def room(building: Building) -> Room:
    """Return the room."""
    door, pages = building.doors.room("invitations"), _Pages(building)
    door.open_get("/invitations/<token>")(pages.shown)
    door.open_post("/invitations/<token>")(pages.accepted)
    return door


class _Pages:
    """The room's views."""

    def __init__(self, building: Building) -> None:
        self._building = building
        self._inviting = building.services.inviting

    def shown(self, visit: Visit | None, token: str) -> ResponseReturnValue:
        """Show who invites to what."""
        return self._shown(visit, token)

    def _shown(
        self, visit: Visit | None, token: str, fault: Fault | None = None, name: str | None = None
    ) -> ResponseReturnValue:
        invitation = self._inviting.shown(token[:64])
        page = self._building.frame.draw(
            "portal/invitation.html",
            visit,
            faults=() if fault is None else (fault,),
            invitation=invitation,
            roles=sorted(invitation.roles),
            token=token[:64],
            name=(invitation.name if name is None else name)[:80],
        )
        return answered(page, fault)

    def accepted(self, visit: Visit | None, token: str) -> ResponseReturnValue:
        """Accept: as who is signed in, or with a new account, which is led to its second factor at once."""
        if visit is not None:
            try:
                self._inviting.accept(token, visit.principal)
            except NotPermitted:
                return self._shown(visit, token, ANOTHERS)
            return redirect("/portal", code=303)
        typed = doors.form()
        try:
            person = self._inviting.accept_new(
                token,
                name=typed.get("name", ""),
                password=typed.get("password", ""),
                language=languages.chosen(),
            )
        except InvalidInput as error:
            fault = NAME if error.field == "name" else weak(error)
            return self._shown(None, token, fault, typed.get("name", ""))
        except Conflict:
            return self._shown(None, token, HAS_ACCOUNT)
        session = self._building.services.signing_in.begin(person, "password", origin(self._building))
        return admitted(self._building, session)
