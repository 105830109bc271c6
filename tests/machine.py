"""A machine at the API: one token, and questions with it."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from apps import create_app

from signer.domain.machines import Right, rights_of
from signer.domain.parties import Role, Uscc
from signer.register import parties
from signer.services.tokens import Wish

if TYPE_CHECKING:
    import world as worlds
    from flask import Flask
    from werkzeug.test import TestResponse

    from signer.domain.machines import Kind


@dataclass
class Machine:
    """One token's questions."""

    app: Flask
    secret: str
    ref: str

    def ask(self, method: str, path: str, **more: Any) -> TestResponse:
        headers = {"Authorization": f"Bearer {self.secret}", **more.pop("headers", {})}
        if method == "POST" and "Idempotency-Key" not in headers:
            headers["Idempotency-Key"] = secrets.token_hex(8)
        told = {name: value for name, value in headers.items() if value}
        return self.app.test_client().open(f"/api/v1{path}", method=method, headers=told, **more)

    def get(self, path: str, **more: Any) -> TestResponse:
        return self.ask("GET", path, **more)

    def post(self, path: str, json: Any = None, *, key: str = "", **more: Any) -> TestResponse:
        headers = more.pop("headers", {}) | ({"Idempotency-Key": key} if key else {})
        more |= {} if json is None else {"json": json}
        return self.ask("POST", path, headers=headers, **more)


@dataclass
class Machines:
    """Makes machines over one world."""

    world: worlds.World
    app: Flask

    @classmethod
    def of(cls, world: worlds.World) -> Machines:
        return cls(world, create_app(world.services, clock=lambda: world.at))

    def maker(self, name: str) -> Uscc:
        """A manufacturer's USCC."""
        with self.world.services.database.read() as tx:
            return parties.tenant(tx, name).manufacturer.uscc

    def of_maker(self, person: str, maker: str, *rights: Right, days: int = 90) -> Machine:
        """A token of somebody at a manufacturer (by its name), with these rights; with all that it can have."""
        return self._made(person, "maker", self.maker(maker), rights, days)

    def of_exporter(self, person: str, exporter: str, *rights: Right) -> Machine:
        return self._made(person, "exporter", Uscc(exporter), rights, 90)

    def of_house(self, person: str, role: Role, *rights: Right) -> Machine:
        """A token of somebody with a role for the whole deployment."""
        self.world.appoint(role, person)
        return self._made(person, "house", None, rights, 90)

    def _made(self, person: str, kind: Kind, of: Uscc | None, rights: tuple[Right, ...], days: int) -> Machine:
        tokens = self.world.services.tokens
        at = self.world.at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        self.world.change(
            "INSERT INTO accounts (person_id, login, language, state, created_at) "
            f"VALUES ('{person}', '{person}@example.com', 'en', 'active', '{at}') ON CONFLICT DO NOTHING"
        )
        may = frozenset(rights) or tokens.may(person, kind, of)
        assert may, rights_of(kind, frozenset(Role))
        made = tokens.make(Wish(kind=kind, of=of, label="test", rights=may, lasts=timedelta(days=days)), by=person)
        return Machine(self.app, made.secret, made.token.ref)
