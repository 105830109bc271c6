"""People at the portal: a browser without a browser for each, signed in, whose forms are the pages' own."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any

import pyotp
from apps import create_app
from authenticator import Authenticator
from itsdangerous import URLSafeTimedSerializer

from signer.identity import passkeys
from signer.identity.passkeys import Site
from signer.identity.passwords import Passwords
from signer.register import accounts, factors
from signer.services.sessions import Begun

if TYPE_CHECKING:
    import world as worlds
    from flask import Flask
    from flask.testing import FlaskClient
    from werkzeug.test import TestResponse


PASSWORD = "four words of a test"


@cache
def hashed(password: str) -> str:
    """Hash a password once for all tests of a process: that is slow on purpose."""
    return Passwords().hash(password)


@dataclass
class Visitor:
    """One person's browser; None for a guest's."""

    client: FlaskClient
    person: str | None
    csrf: str
    tokens: dict[str, str] = field(default_factory=dict)

    def get(self, path: str, *, lang: str = "", **more: Any) -> TestResponse:
        headers = {"Accept-Language": lang} if lang else {}
        return self.client.get(path, headers=headers, **more)

    def post(self, path: str, data: dict[str, Any] | None = None, *, forged: bool = False, **more: Any) -> TestResponse:
        """Send a form with the session's own secret in it; `forged`: without."""
        told = dict(data or {})
        if not forged and "csrf_token" not in told:
            told["csrf_token"] = self.token()
        return self.client.post(path, data=told, **more)

    def token(self) -> str:
        """The form's secret, once a session from a page that has a form for everybody who is signed in."""
        session = self.client.get_cookie("signer")
        if session is None:
            return self._token()
        if session.value not in self.tokens:
            self.tokens[session.value] = self._token()
        return self.tokens[session.value]

    def _token(self) -> str:
        found = re.search(r'name="csrf_token" value="([^"]+)"', self.get("/portal?lang=en", follow_redirects=True).text)
        if found:
            return found[1]
        assert self.csrf, "no page with a form"
        secret = self.client.application.secret_key
        return URLSafeTimedSerializer(secret, salt="wtf-csrf-token").dumps(self.csrf)


@dataclass
class Portal:
    """The portal over a world's services."""

    world: worlds.World
    app: Flask

    @classmethod
    def of(cls, world: worlds.World) -> Portal:
        return cls(world, create_app(world.services, clock=lambda: world.at))

    def visitor(self, person: str | None = None, *, has_factor: bool = True, language: str = "en") -> Visitor:
        """A browser, signed in as a person of the world, who gets an account where there is none."""
        client = self.app.test_client()
        if person is None:
            return Visitor(client, None, "")
        self.give_account(person, language=language)
        if not has_factor:
            self.give_passkey(person)  # who has none at all is led to set one up, whatever is asked for
        token = self.world.services.sessions.begin(
            Begun(person=person, way="password", agent="test", network="127.0.0.0/24", has_factor=has_factor)
        )
        client.set_cookie("signer", token)
        principal = self.world.services.sessions.principal(token)
        assert principal is not None
        return Visitor(client, person, principal.csrf)

    def give_password(self, person: str, password: str = PASSWORD) -> str:
        """Let a person sign in by a password; return the login."""
        self.give_account(person)
        with self.world.services.database.write() as tx:
            accounts.set_password(tx, person, hashed(password), at=self.world.at)
            return accounts.of_person(tx, person).login

    def give_factor(self, person: str) -> pyotp.TOTP:
        """Let a person have an authenticator app; `factor.at(portal.world.at)` is the code of the moment."""
        self.give_account(person)
        secret = pyotp.random_base32()
        locked = self.world.services.vault().lock(secret.encode(), about=f"totp:{person}")
        self._add_factor(person, kind="totp", secret=locked, credential=None)
        return pyotp.TOTP(secret)

    def give_passkey(self, person: str) -> Authenticator:
        """Let a person have a passkey."""
        self.give_account(person)
        device = Authenticator()
        made = passkeys.registered(
            device.make({"challenge": "AAAA"}), site=Site(device.host, device.origin), challenge=bytes(3)
        )
        self._add_factor(person, kind="passkey", secret=made.key, credential=made.credential)
        return device

    def _add_factor(self, person: str, *, kind: factors.Kind, secret: bytes, credential: bytes | None) -> None:
        made = factors.Factor(
            id=0,
            person_id=person,
            kind=kind,
            label="test",
            secret=secret,
            credential=credential,
            counter=0,
            created_at=self.world.at,
            confirmed_at=self.world.at,
            used_at=None,
        )
        with self.world.services.database.write() as tx:
            factors.add(tx, made)

    def give_account(self, person: str, *, language: str = "en") -> None:
        """Let a person sign in, behind the services' back: without password or factor."""
        at = self.world.at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        self.world.change(
            "INSERT INTO accounts (person_id, login, language, state, created_at) "
            f"VALUES ('{person}', '{person}@example.com', '{language}', 'active', '{at}') ON CONFLICT DO NOTHING"
        )
