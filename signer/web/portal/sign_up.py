"""Exporters sign up by themselves: a form, then a link by mail, which only the password chosen before opens."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from flask import redirect

from signer.errors import Conflict, InvalidInput, NotPermitted, TooLarge, TooManyRequests
from signer.services.exporters import Typed
from signer.services.facts import Handed
from signer.web import languages
from signer.web.portal import doors, factor
from signer.web.portal.account import weak
from signer.web.portal.invitations import HAS_ACCOUNT
from signer.web.portal.people import LOGIN, NAME
from signer.web.portal.signing_in import admitted, answered, origin
from signer.web.problems import Fault

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

    from signer.web.portal.doors import Room, Visit
    from signer.web.portal.rooms import Building

_FIELDS: Final = ("uscc", "legal_name", "name", "login")
_MOST_TYPED = 400
_USCC: Final = Fault(
    pointer="uscc",
    code="invalid-input",
    zh="请填写营业执照上的 18 位统一社会信用代码，并核对每一位。",
    en="Give the 18 characters of the USCC on the licence, and check each of them.",
)
_LEGAL_NAME: Final = Fault(
    pointer="legal_name",
    code="invalid-input",
    zh="请照营业执照填写企业全称（至多 120 字）。",
    en="Give the legal name as on the licence, at most 120 characters.",
)
_FILE: Final = Fault(
    pointer="file",
    code="invalid-input",
    zh="请上传营业执照：10 MB 以内的 PDF、PNG 或 JPEG 文件。",
    en="Hand in the licence: a PDF, PNG or JPEG of at most 10 MB.",
)
_ANOTHERS: Final = Fault(
    pointer="",
    code="not-permitted",
    zh="此链接发给另一位人员。请退出登录，然后以收到邮件的邮箱登录。",
    en="This link is for somebody else. Sign out, and sign in with the address that got the mail.",
)
_PASSWORD: Final = Fault(
    pointer="password",
    code="not-permitted",
    zh="密码与注册时设置的不一致。",
    en="That is not the password that was chosen when signing up.",
)
_ALREADY: Final = Fault(
    pointer="",
    code="conflict",
    zh="您已为该企业注册，无须再次注册。",
    en="You signed up for this company already.",
)


def room(building: Building) -> Room:
    """Return the room."""
    door, pages = building.doors.room("sign_up"), _Pages(building)
    door.open_get("/sign-up")(pages.form)
    door.open_post("/sign-up")(pages.sent)
    door.open_get("/sign-up/sent")(pages.told)
    door.open_get("/sign-up/<token>")(pages.shown)
    door.open_post("/sign-up/<token>")(pages.confirmed)
    return door


class _Pages:
    """The room's views."""

    def __init__(self, building: Building) -> None:
        self._building = building
        self._exporters = building.services.exporters

    def form(self, visit: Visit | None) -> ResponseReturnValue:
        """Show the form."""
        return self._form(visit, {})

    def _form(
        self, visit: Visit | None, typed: dict[str, str], fault: Fault | None = None, retry_after_s: int = 0
    ) -> ResponseReturnValue:
        faults = () if fault is None else (fault,)
        page = self._building.frame.draw("portal/sign_up.html", visit, faults=faults, typed=typed)
        return answered(page, fault, retry_after_s)

    def sent(self, visit: Visit | None) -> ResponseReturnValue:
        """Take the form in; the answer is the same whoever is known already."""
        form = doors.form()
        typed = {name: form.get(name, "")[:_MOST_TYPED] for name in _FIELDS}
        found = doors.files("file")
        handed = Handed(
            subject="other",
            title="licence",
            file_name=found[0].name if found else "",
            data=found[0].data if found else b"",
        )
        asked = Typed(**typed, password=form.get("password", ""), language=languages.chosen())
        try:
            self._exporters.sign_up(asked, handed, network=origin(self._building).network)
        except InvalidInput as error:
            return self._form(visit, typed, _fault(error))
        except TooLarge:
            return self._form(visit, typed, _FILE)
        except TooManyRequests as error:
            return self._form(visit, typed, factor.too_many(error, pointer="uscc"), error.retry_after_s)
        return redirect(f"/sign-up/sent?lang={languages.chosen()}", code=303)

    def told(self, visit: Visit | None) -> ResponseReturnValue:
        """Say that a mail is on its way."""
        return self._building.frame.draw("portal/sign_up_sent.html", visit)

    def shown(self, visit: Visit | None, token: str) -> ResponseReturnValue:
        """Show what the link is about; looking changes nothing."""
        return self._shown(visit, token)

    def _shown(
        self, visit: Visit | None, token: str, fault: Fault | None = None, retry_after_s: int = 0
    ) -> ResponseReturnValue:
        page = self._building.frame.draw(
            "portal/sign_up_link.html",
            visit,
            faults=() if fault is None else (fault,),
            shown=self._exporters.shown(token[:64]),
            token=token[:64],
        )
        return answered(page, fault, retry_after_s)

    def confirmed(self, visit: Visit | None, token: str) -> ResponseReturnValue:
        """Go on: as who is signed in, or with a new account, which is led to its second factor at once."""
        try:
            if visit is not None:
                self._exporters.confirm(token, visit.principal)
                return redirect("/portal", code=303)
            network = origin(self._building).network
            person = self._exporters.confirm_new(token, doors.form().get("password", ""), network=network)
        except NotPermitted:
            return self._shown(visit, token, _PASSWORD if visit is None else _ANOTHERS)
        except Conflict:
            return self._shown(visit, token, HAS_ACCOUNT if visit is None else _ALREADY)
        except TooManyRequests as error:
            return self._shown(visit, token, factor.too_many(error, pointer="password"), error.retry_after_s)
        session = self._building.services.signing_in.begin(person, "password", origin(self._building))
        return admitted(self._building, session)


def _fault(error: InvalidInput) -> Fault:
    if error.field == "password":
        return weak(error)
    return {"uscc": _USCC, "legal_name": _LEGAL_NAME, "name": NAME, "login": LOGIN}.get(error.field, _FILE)
