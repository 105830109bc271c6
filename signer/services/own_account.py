"""Change by what one signs in: password, authenticator app, passkeys, recovery codes, linked sign-ins."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from signer.errors import Conflict, NotFound, NotPermitted
from signer.identity import passkeys, recovery, totp
from signer.identity.passwords import refuse_weak
from signer.register import accounts, audit, factors
from signer.register.factors import Factor
from signer.services.limits import ANYWHERE

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from signer.domain.account import Principal
    from signer.identity.passkeys import Site
    from signer.identity.passwords import Passwords
    from signer.identity.vault import Vault
    from signer.register.database import Database, Transaction
    from signer.services.accounts import Accounts
    from signer.services.limits import Limits
    from signer.services.sessions import Sessions

MOST_FACTORS = 10
_MAKE = "make-passkey"


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    """By what somebody signs in; `links` are issuers and since when."""

    login: str
    has_password: bool
    factors: tuple[Factor, ...]
    codes_left: int
    links: tuple[tuple[str, datetime], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class App:
    """What an authenticator app is told: the secret as text, and as an address for a symbol."""

    secret: str
    uri: str


class OwnAccount:
    """
    One's own account. Every change of a factor needs a factor that was shown a moment ago, once there is one.

    NotPermitted otherwise; the web asks for it before.
    """

    def __init__(  # noqa: PLR0913 -- each by its name
        self,
        *,
        database: Database,
        known: Accounts,
        sessions: Sessions,
        limits: Limits,
        passwords: Passwords,
        vault: Callable[[], Vault],
        site: Site,
        clock: Callable[[], datetime],
        bits: Callable[[int], int],
    ) -> None:
        self._database = database
        self._accounts = known
        self._sessions = sessions
        self._limits = limits
        self._passwords = passwords
        self._vault = vault
        self._site = site
        self._clock = clock
        self._bits = bits

    def overview(self, principal: Principal) -> Overview:
        """Return by what somebody signs in. NotFound without an account."""
        person = principal.person.id
        with self._database.read() as tx:
            account = accounts.of_person(tx, person)
            return Overview(
                login=account.login,
                has_password=account.password is not None,
                factors=factors.of_person(tx, person),
                codes_left=factors.codes_left(tx, person),
                links=accounts.links_of(tx, person),
            )

    def needs_proof(self, principal: Principal) -> bool:
        """Tell whether a factor has to be shown before one is changed."""
        return self._accounts.ways(principal.person.id).is_any and not principal.is_fresh(self._clock())

    def speak(self, principal: Principal, language: Literal["zh", "en"]) -> None:
        """Let pages speak a language to somebody."""
        with self._database.write() as tx:
            accounts.set_language(tx, principal.person.id, language)

    def change_password(self, principal: Principal, *, old: str, new: str) -> None:
        """Put a new password in place of the old one, and end every other session. NotPermitted, InvalidInput."""
        person = principal.person.id
        self._refuse_stale(principal)
        self._limits.begin(f"password:{person}", network=ANYWHERE)
        with self._database.read() as tx:
            account = accounts.of_person(tx, person)
        if account.password is not None and not self._passwords.is_right(old, account.password):
            raise NotPermitted("the present password is not right")
        self._limits.forgive(f"password:{person}", network=ANYWHERE)
        refuse_weak(new, login=account.login)
        again = self._passwords.hash(new)
        with self._database.write() as tx:
            accounts.set_password(tx, person, again, at=self._clock())
            self._note(tx, "account.password-changed", principal)
        self._sessions.end_others(principal)

    def begin_app(self, principal: Principal) -> None:
        """Begin to set up an authenticator app, in place of one that was only begun."""
        self._refuse_stale(principal)
        person = principal.person.id
        locked = self._vault().lock(totp.new_secret().encode(), about=f"totp:{person}")
        with self._database.write() as tx:
            factors.drop_begun(tx, person)
            self._add(tx, person, kind="totp", label="", secret=locked, is_confirmed=False)

    def app(self, principal: Principal) -> App:
        """Return what the authenticator app is to be told. NotFound if none was begun."""
        with self._database.read() as tx:
            begun, login = factors.begun(tx, principal.person.id), accounts.of_person(tx, principal.person.id).login
        if begun is None:
            raise NotFound("no authenticator app was begun")
        secret = self._accounts.secret_of(begun)
        return App(secret=secret, uri=totp.uri(secret, login=login, issuer=self._site.host))

    def confirm_app(self, principal: Principal, code: str, *, label: str) -> tuple[str, ...]:
        """
        Let the app count once it gave a right code; return recovery codes if these are the first. NotPermitted.

        Another app that counted before counts no longer.
        """
        self._refuse_stale(principal)
        person, at, typed = principal.person.id, self._clock(), "".join(code[:40].split())
        self._limits.begin(f"app:{person}", network=ANYWHERE)
        with self._database.write() as tx:
            begun = factors.begun(tx, person)
            if begun is None or not totp.is_code(typed):
                raise NotPermitted("the code is not right")
            step = totp.step_of(self._accounts.secret_of(begun), typed, at=at, after=0)
            for one in factors.of_person(tx, person):
                if one.kind == "totp":
                    factors.remove(tx, one.id, person_id=person)
            factors.advance(tx, begun.id, counter=step, at=at)
            factors.confirm(tx, begun.id, at=at, label=_label(label))
            codes = self._first_codes(tx, person)
            self._note(tx, "account.factor-added", principal, kind="totp")
        self._limits.forgive(f"app:{person}", network=ANYWHERE)
        return codes

    def ask_passkey(self, principal: Principal) -> str:
        """Return what a browser is asked (JSON) so that it makes a passkey."""
        self._refuse_stale(principal)
        challenge = self._bits(8 * passkeys.CHALLENGE).to_bytes(passkeys.CHALLENGE, "big")
        person = principal.person
        with self._database.write() as tx:
            self._accounts.await_answer(tx, challenge, kind=_MAKE, person=person.id, bound=principal.session)
            login, held = accounts.of_person(tx, person.id).login, factors.of_person(tx, person.id)
        return passkeys.asked_to_register(
            self._site,
            challenge,
            person=person.id,
            login=login,
            name=person.name,
            known=tuple(one.credential for one in held if one.credential),
        )

    def add_passkey(self, principal: Principal, answer: str, *, label: str) -> tuple[str, ...]:
        """Add the passkey that a browser made; return recovery codes if these are the first. NotPermitted, Conflict."""
        self._refuse_stale(principal)
        challenge, person = self._accounts.answered(answer, kind=_MAKE, bound=principal.session)
        if person != principal.person.id:
            raise NotPermitted("another person was asked")
        made = passkeys.registered(answer, site=self._site, challenge=challenge)
        with self._database.write() as tx:
            self._add(
                tx, person, kind="passkey", label=label, secret=made.key, credential=made.credential, is_confirmed=True
            )
            codes = self._first_codes(tx, person)
            self._note(tx, "account.factor-added", principal, kind="passkey")
        return codes

    def remove(self, principal: Principal, factor_id: int) -> None:
        """Take a factor away, but never the last one. NotFound, NotPermitted, Conflict."""
        self._refuse_stale(principal)
        with self._database.write() as tx:
            held = factors.of_person(tx, principal.person.id)
            if [one.id for one in held] == [factor_id]:
                raise Conflict("the last factor stays: add another one first")
            factors.remove(tx, factor_id, person_id=principal.person.id)
            self._note(tx, "account.factor-removed", principal)

    def new_codes(self, principal: Principal) -> tuple[str, ...]:
        """Put ten new recovery codes in place of all former ones, and return them: shown once, kept as digests."""
        self._refuse_stale(principal)
        with self._database.write() as tx:
            self._note(tx, "account.codes-made", principal)
            return self._make_codes(tx, principal.person.id)

    def unlink(self, principal: Principal) -> None:
        """Take all links to other sign-ins away, and end every other session. Conflict if no way in would be left."""
        self._refuse_stale(principal)
        with self._database.write() as tx:
            passkey = any(one.kind == "passkey" for one in factors.of_person(tx, principal.person.id))
            if accounts.of_person(tx, principal.person.id).password is None and not passkey:
                raise Conflict("set a password or a passkey first")
            accounts.unlink(tx, principal.person.id)
            self._note(tx, "account.unlinked", principal)
        self._sessions.end_others(principal)

    def _refuse_stale(self, principal: Principal) -> None:
        if self.needs_proof(principal):
            raise NotPermitted("show a second factor first")

    def _first_codes(self, tx: Transaction, person: str) -> tuple[str, ...]:
        return () if factors.codes_left(tx, person) else self._make_codes(tx, person)

    def _make_codes(self, tx: Transaction, person: str) -> tuple[str, ...]:
        codes = recovery.draw(self._bits)
        digests = tuple(recovery.digest(code, person=person) for code in codes)
        factors.replace_codes(tx, person, digests, at=self._clock())
        return codes

    def _add(
        self,
        tx: Transaction,
        person: str,
        *,
        kind: factors.Kind,
        label: str,
        secret: bytes,
        is_confirmed: bool,
        credential: bytes | None = None,
    ) -> None:
        if len(factors.of_person(tx, person)) >= MOST_FACTORS:
            raise Conflict(f"at most {MOST_FACTORS} factors")
        at = self._clock()
        made = Factor(
            id=0,
            person_id=person,
            kind=kind,
            label=_label(label),
            secret=secret,
            credential=credential,
            counter=0,
            created_at=at,
            confirmed_at=at if is_confirmed else None,
            used_at=None,
        )
        factors.add(tx, made)

    def _note(self, tx: Transaction, event: str, principal: Principal, **fields: str) -> None:
        person = principal.person.id
        audit.note(tx, event, actor=person, subject=person, at=self._clock(), manufacturer_id=None, **fields)


def _label(typed: str) -> str:
    return "".join(char for char in typed if char.isprintable()).strip()[:60]
