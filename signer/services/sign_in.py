"""Sign in: a password and a second factor, or a passkey. One answer for everything that is wrong."""

from __future__ import annotations

import hashlib
import json
import unicodedata
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from signer.errors import NotAuthenticated, NotFound, NotPermitted
from signer.register import accounts, audit
from signer.register.accounts import Challenge
from signer.services.sessions import Begun

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from signer.domain.account import Proof, Ways
    from signer.identity.passwords import Passwords
    from signer.register.accounts import Account
    from signer.register.database import Database
    from signer.services.accounts import Accounts
    from signer.services.limits import Limits
    from signer.services.sessions import Sessions

WAITS_FOR = timedelta(minutes=10)
_SECOND = "second-step"
_MOST_LOGIN = 120


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where somebody signs in from: the network (as limits count it), and the browser's name for itself."""

    network: str
    agent: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """What a sign-in opened: a session's token, or the token of a step that waits for a second factor."""

    token: str
    waits: bool


class SigningIn:
    """The ways into a session."""

    def __init__(
        self,
        *,
        database: Database,
        known: Accounts,
        begun: Sessions,
        limits: Limits,
        passwords: Passwords,
        clock: Callable[[], datetime],
        bits: Callable[[int], int],
    ) -> None:
        self._database = database
        self._accounts = known
        self._sessions = begun
        self._limits = limits
        self._passwords = passwords
        self._clock = clock
        self._bits = bits

    def password(self, login: str, password: str, origin: Origin) -> Opened:
        """
        Check a password; go on to the second factor if the account has one.

        NotPermitted, in the same words after the same work, for a wrong login, a wrong password and a suspended
        account. TooManyRequests before any work, for known and unknown logins alike.
        """
        folded = fold(login)
        self._limits.begin(f"login:{folded}", network=origin.network)
        with self._database.read() as tx:
            account = accounts.of_login(tx, folded)
        is_right = self._passwords.is_right(password, account.password if account else None)
        if account is None or not is_right or not account.is_active:
            raise NotPermitted("login or password is not right")
        self._limits.forgive(f"login:{folded}", network=origin.network)
        self._keep_fresh(account, password)
        if self._accounts.ways(account.person_id).is_any:
            return Opened(token=self._wait(account.person_id), waits=True)
        return Opened(token=self.begin(account.person_id, "password", origin), waits=False)

    def ways(self, waiting: str) -> Ways:
        """Return what the person could show whose password was right. NotAuthenticated if that was too long ago."""
        return self._accounts.ways(self._who_waits(waiting))

    def ask_second(self, waiting: str) -> str:
        """Return what a browser is asked so that this person's passkey is shown. NotAuthenticated."""
        return self._accounts.ask_for(self._who_waits(waiting), bound=_bound(waiting))

    def second(self, waiting: str, proof: Proof, origin: Origin) -> str:
        """Check the second factor; return a session's token. NotAuthenticated, NotPermitted, TooManyRequests."""
        person = self._who_waits(waiting)
        kind = self._accounts.check(person, proof, bound=_bound(waiting))
        with self._database.write() as tx:
            if accounts.take(tx, _digest(waiting), kind=_SECOND, at=self._clock()) is None:
                raise NotAuthenticated("this sign-in is over")
        return self.begin(person, "password", origin, factor=kind)

    def ask_anybody(self, guest: str) -> str:
        """Return what a browser is asked so that any passkey of this site is shown; `guest` is the form's secret."""
        return self._accounts.ask_for(None, bound=_bound(guest))

    def passkey(self, assertion: str, origin: Origin, *, guest: str) -> str:
        """Sign in by a passkey alone, which verified its holder; return a session's token. NotPermitted."""
        person = self._accounts.whose(assertion, bound=_bound(guest))
        with self._database.read() as tx:
            if not accounts.of_person(tx, person).is_active:
                raise NotPermitted("this account may not sign in")
        return self.begin(person, "passkey", origin, factor="passkey")

    def begin(self, person: str, way: str, origin: Origin, *, factor: str = "") -> str:
        """Begin a session for somebody who has shown enough, and return its token."""
        begun = Begun(person=person, way=way, agent=origin.agent, network=origin.network, has_factor=bool(factor))
        token, at = self._sessions.begin(begun), self._clock()
        with self._database.write() as tx:
            audit.note(
                tx, "account.signed-in", actor=person, subject=person, at=at, manufacturer_id=None, way=way, kind=factor
            )
        return token

    def _wait(self, person: str) -> str:
        token = f"{self._bits(256):064x}"
        challenge = Challenge(
            token_digest=_digest(token),
            kind=_SECOND,
            person_id=person,
            data=json.dumps({}),
            ends_at=self._clock() + WAITS_FOR,
        )
        with self._database.write() as tx:
            accounts.await_answer(tx, challenge)
        return token

    def _who_waits(self, waiting: str) -> str:
        with self._database.read() as tx:
            found = accounts.waiting(tx, _digest(waiting), kind=_SECOND, at=self._clock())
            try:
                account = accounts.of_person(tx, (found and found.person_id) or "")
            except NotFound:
                account = None
        if account is None or not account.is_active:
            raise NotAuthenticated("this sign-in is over; begin again")
        return account.person_id

    def _keep_fresh(self, account: Account, password: str) -> None:
        """Hash a password anew, now that it is known, where it was hashed with former parameters."""
        if account.password is None or not self._passwords.is_stale(account.password):
            return
        again = self._passwords.hash(password)
        with self._database.write() as tx:
            accounts.set_password(tx, account.person_id, again, at=self._clock())


def fold(login: str) -> str:
    """Return a login as it is kept and compared, whatever its case and form were when it was typed."""
    plain = unicodedata.normalize("NFKC", login[: 4 * _MOST_LOGIN]).strip().casefold()
    return "".join(char for char in plain if char.isprintable())[:_MOST_LOGIN]


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


def _bound(secret: str) -> str:
    """Return what stands for a browser's secret in a challenge's row, where the secret itself must not stand."""
    return f"guest:{hashlib.sha256(secret.encode()).hexdigest()}"
