"""Who is signed in, and what that person may do where."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from signer.domain.parties import Person, Role, Uscc

IDLE, LONGEST = timedelta(hours=2), timedelta(hours=12)
"""A session ends so long after it was last used, and so long after it began."""
FRESH = timedelta(minutes=5)
"""How long a second factor counts as just shown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """
    What somebody shows just now besides a password: a code as typed, or a passkey's answer as the browser gave it.

    `code` is six digits of an authenticator app, or a recovery code; `assertion` is JSON.
    """

    code: str = ""
    assertion: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ways:
    """What a person could show: whether an authenticator app, how many passkeys, how many recovery codes are left."""

    totp: bool
    passkeys: int
    recovery: int

    @property
    def is_any(self) -> bool:
        """Tell whether there is a second factor at all; recovery codes alone are none."""
        return self.totp or self.passkeys > 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Principal:
    """
    A person with a session. `roles` are those for each manufacturer (by USCC), `appointments` those for all of them.

    `session` is the session's public id (the first 16 hex digits of its token's SHA-256), `csrf` its forms' secret;
    `factor_at` is when a second factor was last shown in it; `must_enrol`: nothing is open before there is one.
    `suspended` are the manufacturers that the operators hold: their own people are not let in.
    `exporters` are those (by USCC) for whom the person acts.
    """

    person: Person
    language: str
    session: str
    csrf: str
    factor_at: datetime | None
    roles: Mapping[Uscc, frozenset[Role]]
    appointments: frozenset[Role]
    must_enrol: bool = False
    suspended: frozenset[Uscc] = frozenset()
    exporters: frozenset[Uscc] = frozenset()

    def has(self, roles: frozenset[Role], *, at: Uscc | None) -> bool:
        """Tell whether the person has one of these roles, for a manufacturer or (None) for the whole deployment."""
        held = self.appointments if at is None else self.roles.get(at, frozenset()) | self.appointments
        return bool(held & roles)

    def knows(self, maker: Uscc) -> bool:
        """Tell whether the person may know that this manufacturer is here: it has some role for it."""
        return bool(self.roles.get(maker))

    def is_fresh(self, at: datetime) -> bool:
        """Tell whether a second factor was shown a moment ago."""
        return self.factor_at is not None and at - self.factor_at <= FRESH
