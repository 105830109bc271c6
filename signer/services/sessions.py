"""Begin, find and end sessions: a random token for the browser, its SHA-256 for the register."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from signer.domain.account import IDLE, LONGEST, Principal
from signer.errors import NotFound
from signer.register import exporters, parties, sessions

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from signer.register.database import Database, Transaction
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
            agent="".join(char for char in begun.agent if char.isprintable())[:200],
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
                must_enrol=_must_enrol(tx, session),
                suspended=parties.suspended(tx),
                exporters=exporters.member_of(tx, session.person_id),
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

    def renew(self, principal: Principal, *, has_factor: bool) -> str:
        """
        Let a person's session go on under a new token, and return it; `has_factor`: a factor was shown just now.

        Whoever had copied the former token has nothing. NotFound if the session is over.
        """
        at, token = self._clock(), f"{self._bits(_TOKEN_BITS):064x}"
        with self._database.write() as tx:
            one = self._own(tx, principal.person.id, principal.session, at)
            sessions.renew(
                tx,
                one.token_digest,
                token_digest=digest(token),
                csrf=f"{self._bits(_CSRF_BITS):064x}",
                factor_at=at if has_factor else one.factor_at,
            )
        return token

    def note_factor(self, principal: Principal) -> None:
        """Note that a second factor was shown just now. NotFound if the session is over."""
        at = self._clock()
        with self._database.write() as tx:
            one = self._own(tx, principal.person.id, principal.session, at)
            sessions.note_factor(tx, one.token_digest, at=at)

    def end(self, token: str) -> None:
        """End the session of a token."""
        with self._database.write() as tx:
            sessions.end(tx, digest(token))

    def end_one(self, principal: Principal, session: str) -> None:
        """End one of a person's own sessions, by its public id. NotFound."""
        with self._database.write() as tx:
            sessions.end(tx, self._own(tx, principal.person.id, session, self._clock()).token_digest)

    def end_others(self, principal: Principal) -> int:
        """End all of a person's sessions but this one; return how many."""
        with self._database.write() as tx:
            one = self._own(tx, principal.person.id, principal.session, self._clock())
            return sessions.end_all(tx, principal.person.id, but=one.token_digest)

    def _own(self, tx: Transaction, person: str, session: str, at: datetime) -> Session:
        for one in sessions.of_person(tx, person, at=at, seen_since=at - IDLE):
            if public_id(one) == session:
                return one
        raise NotFound("no such session")


def public_id(session: Session) -> str:
    """Return by what name a session may be shown: the first 16 hex digits of its token's SHA-256."""
    return session.token_digest.hex()[:16]


def _must_enrol(tx: Transaction, session: Session) -> bool:
    """Tell whether nothing but a password was ever shown: a second factor comes first."""
    return session.way == "password" and session.factor_at is None and not sessions.has_factor(tx, session.person_id)


def digest(token: str) -> bytes:
    """Return the SHA-256 of a token, by which the register knows it."""
    return hashlib.sha256(token.encode()).digest()
