"""Check what somebody shows just now: a code, a passkey, a recovery code. Each counts once, wherever it is asked."""

from __future__ import annotations

import hashlib
import json
from datetime import timedelta
from typing import TYPE_CHECKING

from signer.domain.account import Ways
from signer.errors import NotPermitted
from signer.identity import passkeys, recovery, totp
from signer.identity.passkeys import Passkey
from signer.register import accounts, audit, factors
from signer.register.accounts import Challenge
from signer.services.limits import ANYWHERE

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from signer.domain.account import Principal, Proof
    from signer.identity.passkeys import Site
    from signer.identity.vault import Vault
    from signer.register.database import Database, Transaction
    from signer.register.factors import Factor
    from signer.services.limits import Limits
    from signer.services.sessions import Sessions

CHALLENGE_FOR = timedelta(minutes=5)
_SHOW = "show-passkey"


class Accounts:
    """What people show besides a password. `vault` opens the secret under which TOTP secrets are kept."""

    def __init__(
        self,
        *,
        database: Database,
        sessions: Sessions,
        limits: Limits,
        vault: Callable[[], Vault],
        site: Site,
        clock: Callable[[], datetime],
        bits: Callable[[int], int],
    ) -> None:
        self._database = database
        self._sessions = sessions
        self._limits = limits
        self._vault = vault
        self._site = site
        self._clock = clock
        self._bits = bits

    def confirm(self, principal: Principal, proof: Proof, *, about: str) -> str:
        """
        Check what a signed-in person shows just now for one purpose, and return its kind.

        That is `totp`, `passkey` or `recovery`. `about` is short and the same as when the form was drawn: a passkey's
        answer counts for nothing else. NotPermitted for what is wrong or was used; TooManyRequests after many of those.
        """
        kind = self.check(principal.person.id, proof, bound=_bound(principal.session, about))
        self._sessions.note_factor(principal)
        with self._database.write() as tx:
            audit.note(
                tx,
                "factor.shown",
                actor=principal.person.id,
                subject=principal.person.id,
                at=self._clock(),
                manufacturer_id=None,
                kind=kind,
                about=about[:80],
            )
        return kind

    def ways(self, person: str) -> Ways:
        """Return what a person could show."""
        with self._database.read() as tx:
            found = factors.of_person(tx, person)
            left = factors.codes_left(tx, person)
        kinds = [factor.kind for factor in found]
        return Ways(totp="totp" in kinds, passkeys=kinds.count("passkey"), recovery=left)

    def ask(self, principal: Principal, *, about: str) -> str:
        """Return what a browser is asked (JSON) so that a signed-in person's passkey is shown for one purpose."""
        return self.ask_for(principal.person.id, bound=_bound(principal.session, about))

    def ask_for(self, person: str | None, *, bound: str) -> str:
        """Ask for a passkey of a person, or of anybody (None); the answer counts only with the same `bound`."""
        challenge = self._bits(8 * passkeys.CHALLENGE).to_bytes(passkeys.CHALLENGE, "big")
        with self._database.write() as tx:
            self.await_answer(tx, challenge, kind=_SHOW, person=person, bound=bound)
            known = () if person is None else factors.of_person(tx, person)
        return passkeys.asked_to_show(
            self._site, challenge, known=tuple(one.credential for one in known if one.credential)
        )

    def await_answer(self, tx: Transaction, challenge: bytes, *, kind: str, person: str | None, bound: str) -> None:
        """Keep a challenge for a few minutes, for one answer."""
        key, data = hashlib.sha256(challenge).digest(), json.dumps({"bound": bound})
        ends_at = self._clock() + CHALLENGE_FOR
        accounts.await_answer(tx, Challenge(token_digest=key, kind=kind, person_id=person, data=data, ends_at=ends_at))

    def answered(self, answer: str, *, kind: str, bound: str) -> tuple[bytes, str | None]:
        """
        Use the challenge that an answer is to, whatever comes of it; return it and whose it was.

        NotPermitted for one that is over, was used, was asked for something else or by another session.
        """
        challenge = passkeys.challenge_of(answer)
        with self._database.write() as tx:
            found = accounts.take(tx, hashlib.sha256(challenge).digest(), kind=kind, at=self._clock())
        if found is None or json.loads(found.data)["bound"] != bound:
            raise NotPermitted("nothing waits for this answer")
        return challenge, found.person_id

    def check(self, person: str, proof: Proof, *, bound: str) -> str:
        """Check what a person shows, whoever is signed in; as `confirm`."""
        what = f"factor:{person}"
        self._limits.begin(what, network=ANYWHERE)
        kind = self._kind_shown(person, proof, bound)
        self._limits.forgive(what, network=ANYWHERE)
        return kind

    def whose(self, assertion: str, *, bound: str) -> str:
        """Return whose passkey was shown by somebody who is not known yet. NotPermitted."""
        challenge, _ = self.answered(assertion, kind=_SHOW, bound=bound)
        with self._database.write() as tx:
            return self._shown(tx, assertion, challenge).person_id

    def _kind_shown(self, person: str, proof: Proof, bound: str) -> str:
        if proof.assertion:
            self._refuse_foreign_passkey(person, proof.assertion, bound)
            return "passkey"
        code = "".join(proof.code[:80].split())
        at = self._clock()
        with self._database.write() as tx:
            if totp.is_code(code):
                self._use_code(tx, person, code, at)
                return "totp"
            if recovery.is_code(code) and factors.use_code(tx, person, recovery.digest(code, person=person), at=at):
                return "recovery"
        raise NotPermitted("the code is not right, or was used before")

    def _refuse_foreign_passkey(self, person: str, assertion: str, bound: str) -> None:
        challenge, asked_of = self.answered(assertion, kind=_SHOW, bound=bound)
        if asked_of != person:
            raise NotPermitted("another person was asked")
        with self._database.write() as tx:
            if self._shown(tx, assertion, challenge).person_id != person:
                raise NotPermitted("the passkey is another person's")

    def _use_code(self, tx: Transaction, person: str, code: str, at: datetime) -> None:
        for factor in factors.of_person(tx, person):
            if factor.kind != "totp":
                continue
            step = totp.step_of(self.secret_of(factor), code, at=at, after=factor.counter)
            if factors.advance(tx, factor.id, counter=step, at=at):
                return
        raise NotPermitted("the code is not right, or was used before")

    def secret_of(self, factor: Factor) -> str:
        """Return the secret of an authenticator app's factor. KeyUnavailable if the web pages' secret is another."""
        return self._vault().unlock(factor.secret, about=f"totp:{factor.person_id}").decode()

    def _shown(self, tx: Transaction, assertion: str, challenge: bytes) -> Factor:
        factor = factors.of_credential(tx, passkeys.credential_of(assertion))
        if factor is None or factor.credential is None:
            raise NotPermitted("no such passkey")
        known = Passkey(factor.credential, factor.secret, factor.counter)
        counter = passkeys.shown(assertion, known, site=self._site, challenge=challenge)
        factors.note_use(tx, factor.id, counter=counter, at=self._clock())
        return factor


def _bound(session: str, about: str) -> str:
    return f"{session}:{about[:200]}"
