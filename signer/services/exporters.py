"""Exporters come in by themselves: a form, a link by mail, and for a company's second person a colleague's word."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final, Literal

from signer.domain.parties import Person, Role, Uscc, normalise_uscc, uscc_fault
from signer.domain.values import tidy, unprintable
from signer.errors import Conflict, InvalidInput, NotFound, NotPermitted
from signer.identity.passwords import refuse_weak
from signer.register import accounts, exporters, mails, parties, shares, status_links
from signer.register.accounts import Account
from signer.register.exporters import SignUp
from signer.services import tokens
from signer.services.facts import Handed, kind_of
from signer.services.invitations import Invited, checked, new_id
from signer.services.limits import wider

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from signer.domain.account import Principal
    from signer.identity.passwords import Passwords
    from signer.register.database import Database, Transaction
    from signer.services.limits import Limits
    from signer.services.mailing import Mailing

GOOD_FOR: Final = timedelta(hours=24)
MOST_SENT: Final = 300
"""Links on their way at once, each of which keeps a licence of up to 10 MB. For one more, the oldest of the network
that has most is forgotten."""
MOST_OF_NETWORK: Final = 20
"""Links on their way that were asked for from one network, as `limits.wider` sees it; for one more, its oldest is
forgotten."""
MOST_TO_ONE: Final = 3
"""Mails to one address that one network causes within `TO_ONE`; what others cause keeps nobody's own mail away."""
TO_ONE: Final = timedelta(hours=6)
PER_PAGE: Final = 50
_MOST_NAME = 120
_SIGN_UP = "sign-up"


@dataclass(frozen=True, slots=True, kw_only=True)
class Typed:
    """What somebody types who signs up for an exporter."""

    uscc: str
    legal_name: str
    name: str
    login: str
    password: str
    language: Literal["zh", "en"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What the link of a sign-up shows; `has_account`: whoever has it signs in to go on."""

    login: str
    name: str
    uscc: str
    legal_name: str
    has_account: bool


class Exporters:
    """Sign people up for exporters. `bits` draws n random bits."""

    def __init__(
        self,
        *,
        database: Database,
        passwords: Passwords,
        limits: Limits,
        mailing: Mailing,
        clock: Callable[[], datetime],
        bits: Callable[[int], int],
    ) -> None:
        self._database = database
        self._passwords = passwords
        self._limits = limits
        self._mailing = mailing
        self._clock = clock
        self._bits = bits

    def sign_up(self, typed: Typed, licence: Handed, *, network: str) -> None:
        """
        Keep a sign-up and send its link; whether company or address is known already makes no difference.

        InvalidInput names the field; TooLarge, TooManyRequests.
        """
        uscc, legal_name = _company(typed)
        asked = Invited(login=typed.login, name=typed.name, roles=frozenset({Role.EXPORTER}))
        login, name = checked(asked, allowed=frozenset({Role.EXPORTER}))
        refuse_weak(typed.password, login=login)
        media_type = kind_of(licence.data)
        around = wider(network)
        self._limits.begin(_SIGN_UP, network=around)
        token, at = f"{self._bits(256):064x}", self._clock()
        made = SignUp(
            ref=f"{self._bits(64):016x}",
            token_digest=_digest(token),
            login=login,
            name=name,
            password=self._passwords.hash(typed.password),
            language=typed.language,
            exporter_uscc=uscc,
            legal_name=legal_name,
            file_name=_plain(licence.file_name) or "-",
            file_digest=hashlib.sha256(licence.data).digest(),
            media_type=media_type,
            size=len(licence.data),
            network=around,
            asked_at=at,
        )
        with self._database.write() as tx:
            exporters.forget_sent(tx, before=at - GOOD_FOR)
            if exporters.sent_count(tx, login=login, network=around, since=at - TO_ONE) >= MOST_TO_ONE:
                return  # nobody's mailbox is filled by a stranger, and nobody is told that it was tried
            exporters.shed_sent(tx, below=MOST_OF_NETWORK, network=around)
            exporters.shed_sent(tx, below=MOST_SENT)
            exporters.add(tx, made, licence.data)
            words = {"company": legal_name, "uscc": uscc}
            self._mailing.queue(tx, login, "sign-up", typed.language, path=f"/sign-up/{token}", **words)

    def shown(self, token: str) -> Shown:
        """Return what a link shows. NotFound, in one form, for one that is unknown, used or over."""
        with self._database.read() as tx:
            found = self._found(tx, token)
            has_account = accounts.of_login(tx, found.login) is not None
        uscc, legal_name = found.exporter_uscc, found.legal_name
        return Shown(login=found.login, name=found.name, uscc=uscc, legal_name=legal_name, has_account=has_account)

    def confirm_new(self, token: str, password: str, *, network: str) -> str:
        """
        Make the account of a sign-up, for who has the link and knows the password typed before; return the person's id.

        NotFound; NotPermitted for another password; Conflict where there is an account by now; TooManyRequests.
        """
        with self._database.read() as tx:
            found = self._found(tx, token)
        self._limits.begin(f"{_SIGN_UP} {found.ref}", network=network)
        if not self._passwords.is_right(password, found.password):
            raise NotPermitted("that is not the password of the sign-up")
        at, person = self._clock(), new_id(found.login, self._bits(32))
        with self._database.write() as tx:
            if accounts.of_login(tx, found.login) is not None:
                raise Conflict("there is an account of this address: sign in to go on")
            parties.save_person(tx, Person(id=person, name=found.name), at=at)
            made = Account(
                person_id=person,
                login=found.login,
                password=found.password,
                language=found.language,
                state="active",
                created_at=at,
            )
            accounts.add(tx, made)
            self._take_in(tx, found, person)
        return person

    def confirm(self, token: str, principal: Principal) -> None:
        """Go on with a sign-up as who has an account. NotFound; NotPermitted if the link is another person's."""
        with self._database.write() as tx:
            found = self._found(tx, token)
            if accounts.of_person(tx, principal.person.id).login != found.login:
                raise NotPermitted("the link is another person's")
            self._take_in(tx, found, principal.person.id)

    def people(self, exporter: str) -> tuple[SignUp, ...]:
        """Return an exporter's people and those who wait."""
        with self._database.read() as tx:
            return exporters.people(tx, exporter)

    def of_person(self, person: str) -> tuple[SignUp, ...]:
        """Return for whom a person signed up, refused ones left out."""
        with self._database.read() as tx:
            return exporters.of_person(tx, person)

    def waiting(self, *, after: str = "", per_page: int = PER_PAGE) -> tuple[tuple[SignUp, ...], bool]:
        """Return a page of everybody who waits for a word, as they came, and whether more follow: for operators."""
        with self._database.read() as tx:
            found = exporters.waiting(tx, most=per_page + 1, after=after)
        return found[:per_page], len(found) > per_page

    def licence(self, ref: str) -> tuple[SignUp, bytes]:
        """Return a sign-up that came back and its licence: for operators. NotFound."""
        with self._database.read() as tx:
            found = exporters.get(tx, ref)
            if found.state == "sent":
                raise NotFound("no such sign-up")
            return found, exporters.licence(tx, ref)

    def decide(self, ref: str, *, exporter: str | None, grant: bool, by: str) -> None:
        """
        Let somebody in, or refuse; a member can be put out the same way, and that person's links and tokens with it.

        `exporter`: None for an operator. NotFound; NotPermitted on oneself, or if who decides was put out meanwhile;
        Conflict if it was decided meanwhile.
        """
        with self._database.write() as tx:
            found = exporters.get(tx, ref)
            if exporter not in (None, found.exporter_uscc) or found.state not in ("waiting", "member"):
                raise NotFound("no such sign-up")
            if found.person_id == by:
                raise NotPermitted("nobody decides on oneself")
            if exporter is not None and exporter not in exporters.member_of(tx, by):
                raise NotPermitted("who decides acts for the exporter no more")
            if grant and found.state == "member":
                return
            at = self._clock()
            exporters.decide(tx, found, "member" if grant else "refused", by=by, at=at)
            if found.state == "member" and found.person_id is not None:
                shares.revoke_of(tx, found.person_id, exporter=found.exporter_uscc, by=by, at=at)
                status_links.revoke_of(tx, found.person_id, exporter=found.exporter_uscc, by=by, at=at)
                tokens.end(tx, found.person_id, actor=by, at=at, exporter=Uscc(found.exporter_uscc))

    def name_of(self, exporter: str) -> str:
        """Return an exporter's legal name: the one on record, else as its first member typed it; else its USCC."""
        with self._database.read() as tx:
            return company_name(tx, exporter)

    def _found(self, tx: Transaction, token: str) -> SignUp:
        found = exporters.of_token(tx, _digest(token), since=self._clock() - GOOD_FOR)
        if found is None:
            raise NotFound("no such link, or it was used or is over")
        return found

    def _take_in(self, tx: Transaction, found: SignUp, person: str) -> None:
        """
        Let the first person of a company in; every other one waits for a word, and those who are in are told.

        The first is who comes before everybody, also before those who were put out: then an operator says who it is.
        """
        there = exporters.people(tx, found.exporter_uscc)
        if any(one.person_id == person for one in there):
            raise Conflict("this person signed up for this exporter already")
        members = [one for one in there if one.state == "member" and one.person_id]
        is_first = not exporters.was_anybody(tx, found.exporter_uscc)
        exporters.confirm(tx, found, person=person, state="member" if is_first else "waiting", at=self._clock())
        words = {"name": found.name, "login": found.login}
        if not is_first and not members:
            path, more = f"/portal/office/exporters?uscc={found.exporter_uscc}", words | {"company": found.legal_name}
            self._mailing.queue_for_operators(tx, "exporter-waits", path=path, but=frozenset(), **more)
        for one in members:
            reader = mails.reader_of(tx, one.person_id or "")
            if reader is not None:
                path = f"/exporter/{found.exporter_uscc}/people"
                self._mailing.queue(tx, reader.address, "colleague-asked", reader.language, path=path, **words)


def company_name(tx: Transaction, exporter: str) -> str:
    """Return an exporter's legal name: the one on record, else as its first member typed it; else its USCC."""
    known = parties.exporter_of(tx, exporter)
    if known is not None:
        return known.legal_name
    there = exporters.people(tx, exporter)
    return next((one.legal_name for one in there if one.state == "member"), exporter)


def _company(typed: Typed) -> tuple[str, str]:
    uscc = normalise_uscc(typed.uscc[:60])
    if fault := uscc_fault(uscc):
        raise InvalidInput("uscc", fault)
    legal_name = tidy(typed.legal_name)
    if not 2 <= len(legal_name) <= _MOST_NAME or unprintable(legal_name):
        raise InvalidInput("legal_name", "is the name on the licence, at most 120 characters")
    return Uscc(uscc), legal_name


def _plain(text: str) -> str:
    shown = tidy(text.replace("\\", "/").rpartition("/")[2])
    return "" if unprintable(shown) else shown[:_MOST_NAME]


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
