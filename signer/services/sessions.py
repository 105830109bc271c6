"""Begin, find and end sessions: a random token for the browser, its SHA-256 for the register."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from signer.domain.account import IDLE, LONGEST, Principal
from signer.errors import NotFound
from signer.register import parties, sessions

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from signer.register.database import Database
    from signer.register.sessions import Session

_TOKEN_BITS, _CSRF_BITS = 256, 256
_TOUCH = timedelta(minutes=1)
"""How stale `seen_at` may be: not every request writes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Begun:
    """Whose session begins, by which way (`password`, `passkey`, `oidc`, `proxy`), from where; its browser's name."""

    person: str
    way: str
    agent: str
    network: str
    has_factor: bool


class Sessions:
    """The sessions of a deployment."""

    def __init__(self, *, database: Database, clock: Callable[[], datetime], bits: Callable[[int], int]) -> None:
        self._database = database
        self._clock = clock
        self._bits = bits

    def begin(self, begun: Begun) -> str:
        """Begin a session and return its token (64 hexadecimal digits): for the cookie alone, kept nowhere."""
        at = self._clock()
        token = f"{self._bits(_TOKEN_BITS):064x}"
        session = sessions.Session(
            token_digest=digest(token),
            person_id=begun.person,
            csrf=f"{self._bits(_CSRF_BITS):064x}",
            way=begun.way,
            agent=begun.agent[:200],
            network=begun.network[:64],
            created_at=at,
            seen_at=at,
            factor_at=at if begun.has_factor else None,
            ends_at=at + LONGEST,
        )
        with self._database.write() as tx:
            parties.person_of(tx, begun.person)
            sessions.begin(tx, session)
        return token

    def principal(self, token: str) -> Principal | None:
        """Return who has this token's session, roles as they are now; None if it is over or never was."""
        at, key = self._clock(), digest(token)
        with self._database.read() as tx:
            session = sessions.find(tx, key, at=at, seen_since=at - IDLE)
            if session is None:
                return None
            found = Principal(
                person=parties.person_of(tx, session.person_id),
                language=sessions.language_of(tx, session.person_id),
                session=key.hex()[:16],
                csrf=session.csrf,
                factor_at=session.factor_at,
                roles=sessions.roles_of(tx, session.person_id),
                appointments=sessions.appointments_of(tx, session.person_id),
            )
        if at - session.seen_at > _TOUCH:
            with self._database.write() as tx:
                sessions.touch(tx, key, at=at)
        return found

    def of(self, person: str) -> tuple[Session, ...]:
        """Return a person's sessions, the last used first."""
        at = self._clock()
        with self._database.read() as tx:
            return sessions.of_person(tx, person, at=at, seen_since=at - IDLE)

    def end(self, token: str) -> None:
        """End the session of a token."""
        with self._database.write() as tx:
            sessions.end(tx, digest(token))

    def end_one(self, principal: Principal, session: str) -> None:
        """End one of a person's own sessions, by its public id. NotFound."""
        with self._database.write() as tx:
            at = self._clock()
            for one in sessions.of_person(tx, principal.person.id, at=at, seen_since=at - IDLE):
                if one.token_digest.hex()[:16] == session:
                    sessions.end(tx, one.token_digest)
                    return
        raise NotFound("no such session")


def digest(token: str) -> bytes:
    """Return the SHA-256 of a token, by which the register knows it."""
    return hashlib.sha256(token.encode()).digest()
