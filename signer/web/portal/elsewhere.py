"""Signing in by a provider, or by a trusted proxy's header."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import redirect, request, session
from flask_wtf.csrf import generate_csrf

from signer.errors import Conflict, NotPermitted
from signer.web import proxies
from signer.web.portal.doors import SIGNED_IN
from signer.web.portal.signing_in import admitted, answered, origin
from signer.web.problems import Fault

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

    from signer.web.portal.doors import Room, Visit
    from signer.web.portal.rooms import Building

UNKNOWN = Fault(
    pointer="",
    code="not-permitted",
    zh="该身份未关联可登录的账户。请先用其他方式登录，在“我的账户”中关联；或请管理员邀请您。",
    en="No account is linked to this name. Sign in another way and link it under My account, or ask to be invited.",
)
TAKEN = Fault(pointer="", code="conflict", zh="该身份已关联其他账户。", en="This name is linked to another account.")


def room(building: Building) -> Room:
    """Return the room."""
    door, pages = building.doors.room("elsewhere"), _Pages(building)
    door.open_post("/sign-in/proxy")(pages.by_proxy)
    door.open_get("/sign-in/oidc")(pages.begun)
    door.open_get("/sign-in/oidc/callback")(pages.returned)
    door.post("/account/link", SIGNED_IN)(pages.linking)
    return door


class _Pages:
    """The room's views."""

    def __init__(self, building: Building) -> None:
        self._building = building
        self._elsewhere = building.services.elsewhere

    def by_proxy(self, _visit: Visit | None) -> ResponseReturnValue:
        """Sign in whom the proxy names, if the request comes from a trusted one."""
        named = proxies.named(self._building.services.settings)
        try:
            return admitted(self._building, self._elsewhere.by_proxy(named, origin(self._building)))
        except NotPermitted:
            return self._refused(None, UNKNOWN)

    def begun(self, _visit: Visit | None) -> ResponseReturnValue:
        """Send a guest to the provider."""
        generate_csrf()
        return redirect(self._elsewhere.begin(bound=session["csrf_token"]), code=303)

    def linking(self, visit: Visit) -> ResponseReturnValue:
        """Show the way to the provider, to link its name to one's account."""
        if self._building.services.own_account.needs_proof(visit.principal):
            return redirect("/account/confirm?next=/account", code=303)
        address = self._elsewhere.begin(bound=visit.principal.csrf, person=visit.person)
        return self._building.frame.draw("portal/link.html", visit, address=address)

    def returned(self, visit: Visit | None) -> ResponseReturnValue:
        """Take whoever comes back from the provider."""
        state, code = request.args.get("state", "")[:64], request.args.get("code", "")
        bound = session.get("csrf_token", "")
        try:
            subject, person = self._elsewhere.finish(state, code, bound=bound)
            if visit is not None and person == visit.person:
                self._elsewhere.link(subject, visit.principal)
                return redirect("/account?done=account-saved", code=303)
            if person is not None:
                return self._refused(visit, UNKNOWN)
            return admitted(self._building, self._elsewhere.enter(subject, origin(self._building)))
        except NotPermitted:
            return self._refused(visit, UNKNOWN)
        except Conflict:
            return self._refused(visit, TAKEN)

    def _refused(self, visit: Visit | None, fault: Fault) -> ResponseReturnValue:
        page = self._building.frame.draw("portal/refused.html", visit, faults=(fault,))
        return answered(page, fault)
