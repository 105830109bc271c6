"""Sign in by whom somebody else vouches for: an OpenID provider, or a trusted proxy. No second factor is implied."""

from __future__ import annotations

import hashlib
import json
from datetime import timedelta
from typing import TYPE_CHECKING

from signer.errors import Conflict, NotFound, NotPermitted
from signer.identity.oidc import Asked
from signer.register import accounts, audit, factors, invitations
from signer.register.accounts import Challenge
from signer.services.sign_in import fold

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from signer.domain.account import Principal
    from signer.identity.oidc import Provider, Subject
    from signer.register.database import Database, Transaction
    from signer.services.invitations import Inviting
    from signer.services.sign_in import Origin, SigningIn

WAITS_FOR = timedelta(minutes=10)
_KIND = "oidc"


class Elsewhere:
    """Sign-ins that begin elsewhere. `provider` is None where the operator set none."""

    def __init__(
        self,
        *,
        database: Database,
        signing_in: SigningIn,
        inviting: Inviting,
        provider: Callable[[], Provider] | None,
        clock: Callable[[], datetime],
        bits: Callable[[int], int],
    ) -> None:
        self._database = database
        self._signing_in = signing_in
        self._inviting = inviting
        self._provider = provider
        self._clock = clock
        self._bits = bits

    @property
    def has_provider(self) -> bool:
        """Tell whether the operator set an OpenID provider."""
        return self._provider is not None

    def by_proxy(self, login: str, origin: Origin) -> str:
        """Begin a session for whom a trusted proxy names; return its token. NotPermitted."""
        with self._database.read() as tx:
            account = accounts.of_login(tx, fold(login))
        if account is None or not account.is_active:
            raise NotPermitted("no account may sign in by this name")
        return self._signing_in.begin(account.person_id, "proxy", origin)

    def begin(self, *, bound: str, person: str | None = None) -> str:
        """
        Return where a browser is sent. `bound` is its own secret; `person`: who links the provider's name.

        NotFound without a provider, Unavailable if it does not answer.
        """
        asked = Asked(state=self._word(), nonce=self._word(), verifier=self._word())
        address = self._found().address(asked)
        told = {"bound": _digest(bound).hex(), "nonce": asked.nonce, "verifier": asked.verifier}
        challenge = Challenge(
            token_digest=_digest(asked.state),
            kind=_KIND,
            person_id=person,
            data=json.dumps(told),
            ends_at=self._clock() + WAITS_FOR,
        )
        with self._database.write() as tx:
            accounts.await_answer(tx, challenge)
        return address

    def finish(self, state: str, code: str, *, bound: str) -> tuple[Subject, str | None]:
        """
        Return who came back, and which person began to link it (None: a sign-in).

        NotPermitted for a state that this browser did not begin, that was used or is over, and for a wrong token.
        """
        with self._database.write() as tx:
            found = accounts.take(tx, _digest(state), kind=_KIND, at=self._clock())
        told = json.loads(found.data) if found else {}
        if found is None or told["bound"] != _digest(bound).hex():
            raise NotPermitted("this sign-in was not begun here, or is over")
        asked = Asked(state=state, nonce=told["nonce"], verifier=told["verifier"])
        return self._found().subject(code[:2000], asked), found.person_id

    def enter(self, subject: Subject, origin: Origin) -> str:
        """
        Begin a session for whom the provider names; return its token. NotPermitted.

        That is the person to whom the name is linked. A new name is linked by the e-mail address that the provider
        verified: to an open invitation, or to an account that has nothing else to sign in by.
        """
        with self._database.write() as tx:
            person = accounts.linked(tx, subject.issuer, subject.subject) or self._welcome(tx, subject)
            if not accounts.of_person(tx, person).is_active:
                raise NotPermitted("this account may not sign in")
        return self._signing_in.begin(person, "oidc", origin)

    def link(self, subject: Subject, principal: Principal) -> None:
        """Link the provider's name to a signed-in person. Conflict if it is somebody else's."""
        with self._database.write() as tx:
            whose = accounts.linked(tx, subject.issuer, subject.subject)
            if whose not in (None, principal.person.id):
                raise Conflict("this name is linked to another account")
            if whose is None:
                self._link(tx, subject, principal.person.id)

    def _welcome(self, tx: Transaction, subject: Subject) -> str:
        login, at = fold(subject.email), self._clock()
        account = accounts.of_login(tx, login) if login else None
        if account is not None:
            has_other = account.password is not None or factors.of_person(tx, account.person_id)
            if has_other or accounts.links_of(tx, account.person_id):
                raise NotPermitted("link this name under one's own account first")
            person = account.person_id
        else:
            open_ones = invitations.of_login(tx, login, at=at) if login else ()
            if not open_ones:
                raise NotPermitted("nobody of this name is invited")
            person = self._inviting.accept_as_new(tx, open_ones[0], name=open_ones[0].name, password=None)
        self._link(tx, subject, person)
        return person

    def _link(self, tx: Transaction, subject: Subject, person: str) -> None:
        at = self._clock()
        accounts.link(tx, subject.issuer, subject.subject, person_id=person, at=at)
        audit.note(
            tx, "account.linked", actor=person, subject=person, at=at, manufacturer_id=None, issuer=subject.issuer
        )

    def _found(self) -> Provider:
        if self._provider is None:
            raise NotFound("no provider is set")
        return self._provider()

    def _word(self) -> str:
        return f"{self._bits(256):064x}"


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()
