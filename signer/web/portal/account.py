"""One's own account: by what one signs in, where one is signed in, in which language."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import make_response, redirect, request, session

from signer.domain.account import LONGEST
from signer.errors import Conflict, InvalidInput, NotFound, NotPermitted, TooManyRequests
from signer.identity.passwords import LEAST
from signer.paper import symbol
from signer.services.sessions import public_id
from signer.web import languages
from signer.web.portal import doors, factor
from signer.web.portal.doors import SIGNED_IN
from signer.web.portal.signing_in import answered, as_json
from signer.web.problems import Fault

if TYPE_CHECKING:
    from flask import Response
    from flask.typing import ResponseReturnValue

    from signer.web.portal.doors import Room, Visit
    from signer.web.portal.rooms import Building

_CONFIRM = "account"
WEAK = {
    "length": ("password", f"密码须为 {LEAST} 至 200 个字符。", f"A password has {LEAST} to 200 characters."),
    "simple": (
        "password",
        "此密码过于简单，或包含您的登录名。请换一个，例如由四个不相关的词组成。",
        "This password is too simple, or holds your login. Choose another one, of four unrelated words for instance.",
    ),
}
WRONG_OLD = Fault(pointer="old", code="not-permitted", zh="当前密码不正确。", en="The present password is not right.")
WRONG_CODE = Fault(
    pointer="code",
    code="not-permitted",
    zh="验证码不正确。请确认手机时间准确，然后输入新的验证码。",
    en="The code is not right. See that the phone's clock is right, and take a new one.",
)
WRONG_PASSKEY = Fault(
    pointer="", code="not-permitted", zh="未能添加通行密钥，请重试。", en="The passkey was not added. Try again."
)
LAST = Fault(
    pointer="",
    code="conflict",
    zh="至少须保留一种第二步验证方式。请先添加另一种。",
    en="One second factor has to stay. Add another one first.",
)
ONLY_LINK = Fault(
    pointer="",
    code="conflict",
    zh="这是您目前唯一的登录方式。请先设置密码或添加通行密钥，再取消关联。",
    en="You have no other way to sign in. Set a password or add a passkey first.",
)


def room(building: Building) -> Room:
    """Return the room."""
    door, pages = building.doors.room("account"), _Pages(building)
    for rule, page in (
        ("/account", pages.account),
        ("/account/confirm", pages.confirm),
        (doors.ENROL, pages.enrol),
        ("/account/app", pages.app),
        ("/account/password", pages.password),
    ):
        door.get(rule, SIGNED_IN)(page)
    for rule, action in (
        ("/account/challenge", pages.asked),
        ("/account/confirm", pages.confirmed),
        ("/account/language", pages.language),
        ("/account/password", pages.password_changed),
        ("/account/app", pages.app_begun),
        ("/account/app/confirm", pages.app_confirmed),
        ("/account/passkey/challenge", pages.passkey_asked),
        ("/account/passkey", pages.passkey_made),
        ("/account/factors/remove", pages.factor_removed),
        ("/account/unlink", pages.unlinked),
        ("/account/codes", pages.codes),
        ("/account/sessions/end", pages.session_ended),
        ("/account/sessions/end-others", pages.others_ended),
    ):
        door.post(rule, SIGNED_IN)(action)
    return door


class _Pages:
    """The room's views."""

    def __init__(self, building: Building) -> None:
        self._building = building
        self._frame = building.frame
        self._accounts = building.services.accounts
        self._own = building.services.own_account
        self._sessions = building.services.sessions

    def account(self, visit: Visit) -> ResponseReturnValue:
        """Show by what one signs in, and where one is signed in."""
        return self._account(visit)

    def _account(self, visit: Visit, fault: Fault | None = None) -> ResponseReturnValue:
        page = self._frame.draw(
            "portal/account.html",
            visit,
            faults=() if fault is None else (fault,),
            own=self._own.overview(visit.principal),
            language=visit.principal.language,
            sessions=[(public_id(one), one) for one in self._sessions.of(visit.person)],
            here=visit.principal.session,
            has_provider=self._building.services.elsewhere.has_provider,
        )
        return answered(page, fault)

    def asked(self, visit: Visit) -> ResponseReturnValue:
        """Tell a browser what to ask of one's passkey, for one purpose."""
        return as_json(self._accounts.ask(visit.principal, about=doors.form().get("about", "")))

    def confirm(self, visit: Visit) -> ResponseReturnValue:
        """Ask for a second factor before something is changed."""
        return self._confirm(visit)

    def _confirm(self, visit: Visit, error: NotPermitted | TooManyRequests | None = None) -> ResponseReturnValue:
        fault = None if error is None else factor.fault_of(error)
        page = self._frame.draw(
            "portal/account_confirm.html",
            visit,
            faults=() if fault is None else (fault,),
            ways=self._accounts.ways(visit.person),
            about=_CONFIRM,
            next=doors.safe_next(request.values.get("next", "/account")),
        )
        return answered(page, fault, error.retry_after_s if isinstance(error, TooManyRequests) else 0)

    def confirmed(self, visit: Visit) -> ResponseReturnValue:
        """Take the second factor, and go on under a new token."""
        try:
            self._accounts.confirm(visit.principal, factor.proof_of(doors.form()), about=_CONFIRM)
        except (NotPermitted, TooManyRequests) as error:
            return self._confirm(visit, error)
        return self._renewed(visit, doors.safe_next(doors.form().get("next", "/account")))

    def language(self, visit: Visit) -> ResponseReturnValue:
        """Choose the language of pages and mails."""
        for language in languages.LANGUAGES:
            if doors.form().get("language") == language:
                self._own.speak(visit.principal, language)
        return redirect("/account?done=account-saved", code=303)

    def password(self, visit: Visit) -> ResponseReturnValue:
        """Show the form for a new password."""
        return self._stale(visit, "/account/password") or self._password(visit)

    def _password(self, visit: Visit, fault: Fault | None = None, retry_after_s: int = 0) -> ResponseReturnValue:
        has_password = self._own.overview(visit.principal).has_password
        faults = () if fault is None else (fault,)
        page = self._frame.draw("portal/account_password.html", visit, faults=faults, has_password=has_password)
        return answered(page, fault, retry_after_s)

    def password_changed(self, visit: Visit) -> ResponseReturnValue:
        """Put a new password in place of the old one."""
        if stale := self._stale(visit, "/account/password"):
            return stale
        typed = doors.form()
        try:
            self._own.change_password(visit.principal, old=typed.get("old", ""), new=typed.get("password", ""))
        except NotPermitted:
            return self._password(visit, WRONG_OLD)
        except TooManyRequests as error:
            return self._password(visit, factor.too_many(error, pointer="old"), error.retry_after_s)
        except InvalidInput as error:
            return self._password(visit, weak(error))
        return self._renewed(visit, "/account?done=account-saved", has_factor=False)

    def enrol(self, visit: Visit) -> ResponseReturnValue:
        """Let choose a second factor: whoever has none gets no further."""
        if self._accounts.ways(visit.person).is_any:
            return redirect("/account", code=303)
        return self._frame.draw("portal/account_enrol.html", visit)

    def app_begun(self, visit: Visit) -> ResponseReturnValue:
        """Begin to set up an authenticator app."""
        if stale := self._stale(visit, "/account"):
            return stale
        self._own.begin_app(visit.principal)
        return redirect("/account/app", code=303)

    def app(self, visit: Visit) -> ResponseReturnValue:
        """Show what the authenticator app is to be told."""
        return self._stale(visit, "/account/app") or self._app(visit)

    def _app(self, visit: Visit, fault: Fault | None = None, retry_after_s: int = 0) -> ResponseReturnValue:
        try:
            told = self._own.app(visit.principal)
        except NotFound:
            return redirect("/account", code=303)
        modules = symbol.matrix(told.uri, level="M")
        page = self._frame.draw(
            "portal/account_app.html",
            visit,
            faults=() if fault is None else (fault,),
            secret=" ".join(told.secret[place : place + 4] for place in range(0, len(told.secret), 4)),
            uri=told.uri,
            side=len(modules),
            dark=drawn(modules),
        )
        return answered(page, fault, retry_after_s)

    def app_confirmed(self, visit: Visit) -> ResponseReturnValue:
        """Let the app count once it gave a right code."""
        if stale := self._stale(visit, "/account/app"):
            return stale
        try:
            codes = self._own.confirm_app(visit.principal, doors.form().get("code", ""), label="")
        except NotPermitted:
            return self._app(visit, WRONG_CODE)
        except TooManyRequests as error:
            return self._app(visit, factor.too_many(error, pointer="code"), error.retry_after_s)
        return self._added(visit, codes)

    def passkey_asked(self, visit: Visit) -> ResponseReturnValue:
        """Tell a browser what passkey to make."""
        return as_json(self._own.ask_passkey(visit.principal))

    def passkey_made(self, visit: Visit) -> ResponseReturnValue:
        """Add the passkey that a browser made."""
        if stale := self._stale(visit, "/account"):
            return stale
        typed = doors.form()
        try:
            codes = self._own.add_passkey(visit.principal, typed.get("passkey", ""), label=typed.get("label", ""))
        except (NotPermitted, Conflict):
            return self._account(visit, WRONG_PASSKEY)
        return self._added(visit, codes)

    def factor_removed(self, visit: Visit) -> ResponseReturnValue:
        """Take a factor away."""
        if stale := self._stale(visit, "/account"):
            return stale
        try:
            self._own.remove(visit.principal, number_of(doors.form().get("factor", "")))
        except Conflict:
            return self._account(visit, LAST)
        return self._renewed(visit, "/account?done=account-saved", has_factor=False)

    def unlinked(self, visit: Visit) -> ResponseReturnValue:
        """Let nobody sign in by the provider's name any more."""
        if stale := self._stale(visit, "/account"):
            return stale
        try:
            self._own.unlink(visit.principal)
        except Conflict:
            return self._account(visit, ONLY_LINK)
        return redirect("/account?done=account-saved", code=303)

    def codes(self, visit: Visit) -> ResponseReturnValue:
        """Make new recovery codes, and show them this once."""
        return self._stale(visit, "/account") or self._shown_once(visit, self._own.new_codes(visit.principal))

    def session_ended(self, visit: Visit) -> ResponseReturnValue:
        """End one session."""
        self._sessions.end_one(visit.principal, doors.form().get("session", "")[:16])
        return redirect("/account?done=account-session-ended", code=303)

    def others_ended(self, visit: Visit) -> ResponseReturnValue:
        """End every session but this one."""
        self._sessions.end_others(visit.principal)
        return redirect("/account?done=account-session-ended", code=303)

    def _stale(self, visit: Visit, back: str) -> Response | None:
        """Lead to where a second factor is shown, if one has to be; then back."""
        if not self._own.needs_proof(visit.principal):
            return None
        return make_response(redirect(f"/account/confirm?next={back}", code=303))

    def _added(self, visit: Visit, codes: tuple[str, ...]) -> ResponseReturnValue:
        token = self._sessions.renew(visit.principal, has_factor=True)
        if not codes:
            response = make_response(redirect("/account?done=account-saved", code=303))
        else:
            renewed = self._sessions.principal(token)
            session["csrf_token"] = renewed.csrf if renewed else ""  # the page's forms are the new session's
            response = make_response(self._shown_once(visit, codes))
        self._building.cookies.admit(response, token, seconds=int(LONGEST.total_seconds()))
        return response

    def _shown_once(self, visit: Visit, codes: tuple[str, ...]) -> str:
        return self._frame.draw("portal/account_codes.html", visit, codes=codes)

    def _renewed(self, visit: Visit, to: str, *, has_factor: bool = True) -> Response:
        response = make_response(redirect(to, code=303))
        token = self._sessions.renew(visit.principal, has_factor=has_factor)
        self._building.cookies.admit(response, token, seconds=int(LONGEST.total_seconds()))
        return response


def weak(error: InvalidInput) -> Fault:
    """Return what to say of a password that was refused."""
    pointer, zh, en = WEAK[error.reason]
    return Fault(pointer=pointer, code=error.code, zh=zh, en=en)


def number_of(typed: str) -> int:
    """Return a row's number from a form. NotFound for what is none."""
    if not typed.isascii() or not typed.isdecimal() or len(typed) > 9:
        raise NotFound("no such thing")
    return int(typed)


def drawn(modules: symbol.Modules) -> str:
    """Return the black modules of a symbol as an SVG path, a run of each row at a time."""
    runs = []
    for y, row in enumerate(modules):
        x = 0
        while x < len(row):
            length = next((n for n, black in enumerate(row[x:]) if not black), len(row) - x)
            if length:
                runs.append(f"M{x} {y}h{length}v1h-{length}z")
            x += length + 1
    return "".join(runs)
