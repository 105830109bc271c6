"""
The browser's side of a session: one cookie with a token for who is signed in, one signed cookie for a guest's form.

Only the pages behind a sign-in see cookies at all: the public pages and the API neither read nor set any.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import g, session
from flask.sessions import SessionInterface, SessionMixin
from itsdangerous import BadSignature, URLSafeTimedSerializer

if TYPE_CHECKING:
    from flask import Flask, Request, Response

    from signer.domain.account import Principal
    from signer.services.sessions import Sessions

PLACES = (
    "/portal",
    "/sign-in",
    "/sign-out",
    "/account",
    "/invitations",
    "/outlet-link",
    "/exporter",
    "/sign-up",
    "/share",
)
"""Where cookies are read: these addresses, and those below them."""
_UNDER_PLACES = tuple(f"{place}/" for place in PLACES)
UNTOLD = ("/share",)
"""Those whose own address is told to nobody, not even to ourselves: from there browsers send forms without origin."""
GUIDE = "/docs"
"""What explains the API to developers."""
_GUEST_S = 3600
_CSRF = "csrf_token"


class Kept(dict[str, str], SessionMixin):
    """What Flask calls the session: the form's secret, and for a guest what a sign-in waits for."""


class Cookies(SessionInterface):
    """Reads and writes both cookies. `secure`: the deployment is reached by https only."""

    def __init__(self, sessions: Sessions, *, secure: bool, key: bytes) -> None:
        self._sessions = sessions
        self._secure = secure
        self._signer = URLSafeTimedSerializer(key, salt="guest")
        prefix = "__Host-" if secure else ""
        self.member, self.guest = f"{prefix}signer", f"{prefix}signer-guest"

    def open_session(self, app: Flask, request: Request) -> Kept:
        """Find out who asks, and what the form's secret is."""
        del app
        g.principal = None
        if not is_place(request.path):
            return Kept()
        token = request.cookies.get(self.member, "")
        principal = self._sessions.principal(token) if token else None
        if principal is not None:
            g.principal = principal
            return Kept({_CSRF: principal.csrf})
        try:
            plain = self._signer.loads(request.cookies.get(self.guest, ""), max_age=_GUEST_S)
        except BadSignature:
            return Kept()
        return Kept({str(name): str(value) for name, value in plain.items()} if isinstance(plain, dict) else {})

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:
        """Keep a guest's form; a member's token is set by `admit` alone."""
        del app
        if principal() is None and isinstance(session, Kept) and session:
            self._set(response, self.guest, self._signer.dumps(dict(session)), seconds=_GUEST_S)

    def admit(self, response: Response, token: str, *, seconds: int) -> None:
        """Give the browser a new session's token, and take the guest's cookie: nothing from before goes on."""
        session.clear()
        self._set(response, self.member, token, seconds=seconds)
        response.delete_cookie(self.guest, secure=self._secure, httponly=True, samesite="Lax")

    def dismiss(self, response: Response) -> None:
        """Take both cookies."""
        session.clear()
        for name in (self.member, self.guest):
            response.delete_cookie(name, secure=self._secure, httponly=True, samesite="Lax")

    def _set(self, response: Response, name: str, value: str, *, seconds: int) -> None:
        response.set_cookie(name, value, max_age=seconds, secure=self._secure, httponly=True, samesite="Lax")


def is_place(path: str) -> bool:
    """Tell whether an address is behind a sign-in."""
    return path in PLACES or path.startswith(_UNDER_PLACES)


def speaks_two(path: str) -> bool:
    """Tell whether a page is in two languages: behind a sign-in, where no link is handed over, or for developers."""
    return (is_place(path) and path not in UNTOLD) or path == GUIDE or path.startswith(f"{GUIDE}/")


def is_untold(path: str) -> bool:
    """Tell whether nobody is to learn, by a referrer, that somebody was at this address."""
    return path in UNTOLD


def principal() -> Principal | None:
    """Return who asks, None for a guest and wherever nobody needs to be known."""
    found: Principal | None = g.get("principal")
    return found
