"""Signing in and out: nothing of what a browser carried before goes on afterwards."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlencode

from flask import current_app, make_response, redirect, request, session

from signer.domain.account import LONGEST
from signer.errors import NotAuthenticated, NotPermitted, TooManyRequests
from signer.services.sign_in import Origin
from signer.web import languages, proxies
from signer.web.portal import doors, factor
from signer.web.problems import Fault

if TYPE_CHECKING:
    from flask import Response
    from flask.typing import ResponseReturnValue

    from signer.web.portal.doors import Room, Visit
    from signer.web.portal.rooms import Building

_WAITING = "waiting"
_CSRF = "csrf_token"
WRONG = Fault(
    pointer="login",
    code="not-permitted",
    zh="邮箱或密码不正确，或该账户不能登录。",
    en="The e-mail address or the password is not right, or this account may not sign in.",
)
WRONG_PASSKEY = Fault(
    pointer="",
    code="not-permitted",
    zh="该通行密钥未被接受。请重试，或使用密码登录。",
    en="The passkey was not accepted. Try again, or sign in with your password.",
)
_TOLD = frozenset({"out", "over"})


def room(building: Building) -> Room:
    """Return the room."""
    door, pages = building.doors.room("sign_in"), _Pages(building)
    door.open_get("/sign-in")(pages.form)
    door.open_post("/sign-in")(pages.password)
    door.open_get("/sign-in/second")(pages.second)
    door.open_post("/sign-in/second")(pages.second_shown)
    door.open_post("/sign-in/second/challenge")(pages.second_asked)
    door.open_post("/sign-in/challenge")(pages.asked)
    door.open_post("/sign-in/passkey")(pages.passkey)
    door.open_post("/sign-out")(pages.out)
    return door


class _Pages:
    """The room's views."""

    def __init__(self, building: Building) -> None:
        self._building = building
        self._ways_in = building.services.signing_in

    def _drawn(self, *, login: str = "", fault: Fault | None = None, retry_after_s: int = 0) -> ResponseReturnValue:
        told = request.args.get("told", "")
        wanted = request.values.get("next", "")
        page = self._building.frame.draw(
            "portal/sign_in.html",
            None,
            faults=() if fault is None else (fault,),
            login=login[:120],
            next=doors.safe_next(wanted),
            told=told if told in _TOLD else "",
            proxied=proxies.named(self._building.services.settings),
            has_provider=self._building.services.elsewhere.has_provider,
        )
        return answered(page, fault, retry_after_s)

    def form(self, visit: Visit | None) -> ResponseReturnValue:
        """Show the ways in; who is in already goes on."""
        if visit is not None:
            return redirect(doors.safe_next(request.args.get("next", "")), code=303)
        return self._drawn()

    def password(self, _visit: Visit | None) -> ResponseReturnValue:
        """Check a password."""
        typed = doors.form()
        login = typed.get("login", "")
        try:
            opened = self._ways_in.password(login, typed.get("password", ""), origin(self._building))
        except NotPermitted:
            return self._drawn(login=login, fault=WRONG)
        except TooManyRequests as error:
            fault = factor.too_many(error, pointer="login")
            return self._drawn(login=login, fault=fault, retry_after_s=error.retry_after_s)
        if not opened.waits:
            return admitted(self._building, opened.token)
        session[_WAITING] = opened.token
        return led("/sign-in/second", next=doors.safe_next(typed.get("next", "")))

    def second(self, _visit: Visit | None) -> ResponseReturnValue:
        """Ask for the second factor."""
        return second_drawn(self._building)

    def second_shown(self, _visit: Visit | None) -> ResponseReturnValue:
        """Check the second factor."""
        try:
            token = self._ways_in.second(
                session.get(_WAITING, ""), factor.proof_of(doors.form()), origin(self._building)
            )
        except NotAuthenticated:
            return led("/sign-in", told="over")
        except (NotPermitted, TooManyRequests) as error:
            return second_drawn(self._building, error)
        return admitted(self._building, token)

    def second_asked(self, _visit: Visit | None) -> ResponseReturnValue:
        """Tell a browser what to ask of a passkey of the person who waits."""
        return as_json(self._ways_in.ask_second(session.get(_WAITING, "")))

    def asked(self, _visit: Visit | None) -> ResponseReturnValue:
        """Tell a browser what to ask of a passkey, whosever it is."""
        return as_json(self._ways_in.ask_anybody(session.get(_CSRF, "")))

    def passkey(self, _visit: Visit | None) -> ResponseReturnValue:
        """Sign in by a passkey alone."""
        proof = factor.proof_of(doors.form())
        try:
            token = self._ways_in.passkey(proof.assertion, origin(self._building), guest=session.get(_CSRF, ""))
        except NotPermitted:
            return self._drawn(fault=WRONG_PASSKEY)
        return admitted(self._building, token)

    def out(self, visit: Visit | None) -> ResponseReturnValue:
        """End this session."""
        if visit is not None:
            self._building.services.sessions.end(request.cookies.get(self._building.cookies.member, ""))
        response = led("/sign-in", told="out")
        self._building.cookies.dismiss(response)
        return response


def second_drawn(building: Building, error: NotPermitted | TooManyRequests | None = None) -> ResponseReturnValue:
    """Draw the second step for whoever showed a password just now."""
    try:
        ways = building.services.signing_in.ways(session.get(_WAITING, ""))
    except NotAuthenticated:
        return led("/sign-in", told="over")
    fault = None if error is None else factor.fault_of(error)
    page = building.frame.draw(
        "portal/second.html",
        None,
        faults=() if fault is None else (fault,),
        ways=ways,
        next=doors.safe_next(request.values.get("next", "")),
    )
    return answered(page, fault, error.retry_after_s if isinstance(error, TooManyRequests) else 0)


def led(path: str, **said: str) -> Response:
    """Lead a guest to another step of signing in, in the same language: no account keeps it yet."""
    return make_response(redirect(f"{path}?{urlencode({**said, 'lang': languages.chosen()})}", code=303))


def answered(page: str, fault: Fault | None, retry_after_s: int = 0) -> Response:
    """Return a page with the status that its fault has."""
    response = make_response(page)
    if fault is not None:
        response.status_code = 429 if retry_after_s else 422
    if retry_after_s:
        response.headers["Retry-After"] = str(retry_after_s)
    return response


def admitted(building: Building, token: str) -> Response:
    """Give the browser its session and lead on; the one that it had, if any, is over."""
    if former := request.cookies.get(building.cookies.member, ""):
        building.services.sessions.end(former)
    response = make_response(redirect(doors.safe_next(request.values.get("next", "")), code=303))
    building.cookies.admit(response, token, seconds=int(LONGEST.total_seconds()))
    return response


def origin(building: Building) -> Origin:
    """Return where a request comes from."""
    return Origin(network=proxies.network(building.services.settings), agent=request.user_agent.string[:200])


def as_json(text: str) -> Response:
    """Return JSON that a library wrote."""
    return current_app.response_class(text, mimetype="application/json")
