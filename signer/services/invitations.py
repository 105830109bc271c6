"""Invite people and let them in: a link, shown once to whoever invites, good once for the one who is invited."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Literal

from signer.domain.parties import Membership, Person, Role
from signer.domain.values import beijing_day
from signer.errors import Conflict, InvalidInput, NotFound, NotPermitted
from signer.identity.passwords import refuse_weak
from signer.register import accounts, audit, invitations, parties
from signer.register.accounts import Account
from signer.register.invitations import Invitation
from signer.register.scope import Scope
from signer.services.mailing import OPERATOR
from signer.services.sign_in import fold

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from signer.domain.account import Principal
    from signer.domain.parties import Uscc
    from signer.identity.passwords import Passwords
    from signer.register.database import Database, Transaction
    from signer.register.parties import Tenant
    from signer.services.mailing import Mailing

GOOD_FOR = timedelta(days=7)
MAKERS_ROLES = frozenset({Role.PREPARER, Role.APPROVER, Role.ADMIN, Role.AUDITOR, Role.EXPORTER})
APPOINTED = frozenset({Role.OPERATOR, Role.AUDITOR, Role.OFFICER})
_LOGIN = re.compile(r"[^@\s]{1,64}@[^@\s]+\.[^@\s]+")
_MOST_PENDING = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Invited:
    """Whom to invite, for what. `language` is that of the mail."""

    login: str
    name: str
    roles: frozenset[Role]
    language: str = "zh"


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What an invitation says to who opens its link; `has_account`: whoever is invited signs in to accept it."""

    login: str
    name: str
    maker: str
    roles: frozenset[Role]
    has_account: bool


class Inviting:
    """Invitations to a manufacturer, or (from the command line) to the deployment."""

    def __init__(
        self,
        *,
        database: Database,
        passwords: Passwords,
        mailing: Mailing,
        clock: Callable[[], datetime],
        bits: Callable[[int], int],
    ) -> None:
        self._database = database
        self._passwords = passwords
        self._mailing = mailing
        self._clock = clock
        self._bits = bits

    def invite(self, principal: Principal, maker: Uscc, invited: Invited) -> str:
        """Invite somebody to work for a manufacturer; return the link's token, kept nowhere. InvalidInput, Conflict."""
        if not principal.has(frozenset({Role.ADMIN, Role.OPERATOR}), at=maker):
            raise NotPermitted("an administrator invites")
        with self._database.write() as tx:
            return self.write(tx, parties.tenant(tx, maker), invited, by=principal.person)

    def write(self, tx: Transaction, tenant: Tenant, invited: Invited, *, by: Person) -> str:
        """Write an invitation down, and its mail, in somebody's transaction; as `invite`."""
        login, name = checked(invited, allowed=MAKERS_ROLES)
        token, at = f"{self._bits(256):064x}", self._clock()
        pending = invitations.pending(tx, scope=tenant.scope)
        if len(pending) >= _MOST_PENDING or any(one.login == login and one.is_open(at) for one in pending):
            raise Conflict("somebody of this address is invited already")
        self._add(tx, token, login, name, invited.roles, tenant.id, by.id)
        told = {"maker": tenant.manufacturer.legal_name, "inviter": by.name}
        until, path = beijing_day(at + GOOD_FOR).isoformat(), f"/invitations/{token}"
        self._mailing.queue(tx, login, "invitation", invited.language, path=path, until=until, **told)
        return token

    def appoint(self, invited: Invited, *, maker: Uscc | None, actor: str) -> str:
        """Invite somebody from the command line: for the whole deployment, or for a manufacturer. As `invite`."""
        login, name = checked(invited, allowed=APPOINTED if maker is None else MAKERS_ROLES)
        token, until = f"{self._bits(256):064x}", beijing_day(self._clock() + GOOD_FOR).isoformat()
        language, path = invited.language, f"/invitations/{token}"
        with self._database.write() as tx:
            tenant = None if maker is None else parties.tenant(tx, maker)
            self._add(tx, token, login, name, invited.roles, None if tenant is None else tenant.id, None, actor=actor)
            if tenant is None:
                self._mailing.queue(tx, login, "appointment", language, path=path, until=until)
            else:
                told = {"maker": tenant.manufacturer.legal_name, "inviter": OPERATOR[language], "until": until}
                self._mailing.queue(tx, login, "invitation", language, path=path, **told)
        return token

    def revoke(self, principal: Principal, maker: Uscc, invitation_id: int) -> None:
        """Take an invitation back. NotFound for another manufacturer's."""
        if not principal.has(frozenset({Role.ADMIN, Role.OPERATOR}), at=maker):
            raise NotPermitted("an administrator invites")
        at = self._clock()
        with self._database.write() as tx:
            tenant = parties.tenant(tx, maker)
            invitations.revoke(tx, invitation_id, scope=tenant.scope, at=at)
            audit.note(
                tx,
                "invitation.revoked",
                actor=principal.person.id,
                subject=str(invitation_id),
                at=at,
                manufacturer_id=tenant.id,
            )

    def pending(self, maker: Uscc) -> tuple[Invitation, ...]:
        """Return the invitations of a manufacturer that may still be accepted."""
        at = self._clock()
        with self._database.read() as tx:
            found = invitations.pending(tx, scope=parties.tenant(tx, maker).scope)
        return tuple(one for one in found if one.is_open(at))

    def shown(self, token: str) -> Shown:
        """Return what an invitation says. NotFound, in one form, for one that is unknown, used, revoked or over."""
        with self._database.read() as tx:
            found = self._found(tx, token)
            name = "" if found.manufacturer_id is None else _maker(tx, found.manufacturer_id)
            has_account = accounts.of_login(tx, found.login) is not None
        return Shown(login=found.login, name=found.name, maker=name, roles=found.roles, has_account=has_account)

    def accept_new(self, token: str, *, name: str, password: str, language: Literal["zh", "en"] = "zh") -> str:
        """
        Make the invited person's account, in a language; return the person's id.

        InvalidInput, NotFound, Conflict.
        """
        shown = self.shown(token)
        refuse_weak(password, login=shown.login)
        hashed = self._passwords.hash(password)
        with self._database.write() as tx:
            person = self.accept_as_new(tx, self._found(tx, token), name=clean_name(name), password=hashed)
            accounts.set_language(tx, person, language)
        return person

    def accept_as_new(self, tx: Transaction, found: Invitation, *, name: str, password: str | None) -> str:
        """Make an account for an invitation, with a hashed password or (signed in elsewhere) none. Conflict."""
        if accounts.of_login(tx, found.login) is not None:
            raise Conflict("there is an account of this address: sign in to accept")
        at, person = self._clock(), new_id(found.login, self._bits(32))
        parties.save_person(tx, Person(id=person, name=name), at=at)
        made = Account(
            person_id=person, login=found.login, password=password, language="zh", state="active", created_at=at
        )
        accounts.add(tx, made)
        self._take_in(tx, found, person)
        return person

    def accept(self, token: str, principal: Principal) -> None:
        """Accept as somebody who has an account. NotPermitted if the invitation is another person's."""
        with self._database.write() as tx:
            found = self._found(tx, token)
            if accounts.of_person(tx, principal.person.id).login != found.login:
                raise NotPermitted("the invitation is another person's")
            self._take_in(tx, found, principal.person.id)

    def _found(self, tx: Transaction, token: str) -> Invitation:
        found = invitations.of_token(tx, hashlib.sha256(token.encode()).digest())
        if found is None or not found.is_open(self._clock()):
            raise NotFound("no such invitation, or it was used or is over")
        return found

    def _take_in(self, tx: Transaction, found: Invitation, person: str) -> None:
        at = self._clock()
        if not invitations.accept(tx, found.id, by=person, at=at):
            raise NotFound("no such invitation, or it was used or is over")
        audit.note(
            tx,
            "invitation.accepted",
            actor=person,
            subject=person,
            at=at,
            manufacturer_id=found.manufacturer_id,
            roles=" ".join(sorted(found.roles)),
            invited_by=found.invited_by or "",
        )
        if found.manufacturer_id is None:
            for role in sorted(found.roles):
                accounts.appoint(tx, person, role, by=found.invited_by or "cli", at=at)
            return
        self._join(tx, found, person, Scope.of(found.manufacturer_id))

    def _join(self, tx: Transaction, found: Invitation, person: str, scope: Scope) -> None:
        """Add the roles to those that the person has; the approver's, asked by somebody, waits for another approver."""
        at, had = self._clock(), parties.roles_of(tx, person, scope=scope)
        given = found.roles if found.invited_by is None else found.roles - {Role.APPROVER}
        uscc = parties.tenant_of(tx, scope.owner).manufacturer.uscc
        membership = Membership(person=person, manufacturer=uscc, roles=frozenset(had | given))
        parties.save_membership(tx, membership, scope=scope, at=at)
        if found.invited_by is None or Role.APPROVER not in found.roles - had:
            return
        if not any(one.person_id == person for one in invitations.asked(tx, scope=scope)):
            invitations.ask(tx, "grant-approver", person=person, by=found.invited_by, scope=scope, at=at)

    def _add(
        self,
        tx: Transaction,
        token: str,
        login: str,
        name: str,
        roles: frozenset[Role],
        tenant_id: int | None,
        by: str | None,
        *,
        actor: str = "",
    ) -> None:
        at = self._clock()
        made = Invitation(
            id=0,
            token_digest=hashlib.sha256(token.encode()).digest(),
            login=login,
            name=name,
            manufacturer_id=tenant_id,
            roles=roles,
            invited_by=by,
            created_at=at,
            ends_at=at + GOOD_FOR,
        )
        subject = str(invitations.invite(tx, made))
        audit.note(
            tx,
            "invitation.made",
            actor=by or actor,
            subject=subject,
            at=at,
            manufacturer_id=tenant_id,
            login=login,
            roles=" ".join(sorted(roles)),
        )


def new_id(login: str, chance: int) -> str:
    """Return a new person's id: what stands before the @, as far as an id may have it, and 32 random bits."""
    plain = re.sub(r"[^a-z0-9]+", "-", login.partition("@")[0]).strip("-")[:40]
    return f"{plain or 'person'}-{chance:08x}"


def checked(invited: Invited, *, allowed: frozenset[Role]) -> tuple[str, str]:
    """Return login and name of somebody to invite. InvalidInput names the field that is wrong."""
    login = fold(invited.login)
    if not _LOGIN.fullmatch(login) or len(invited.login) > 120:
        raise InvalidInput("login", "is an e-mail address")
    if not invited.roles or invited.roles - allowed:
        raise InvalidInput("roles", f"is one or several of {', '.join(sorted(allowed))}")
    return login, clean_name(invited.name)


def clean_name(typed: str) -> str:
    """Return a person's name as typed, trimmed. InvalidInput for none, and for one that cannot be printed."""
    name = " ".join(typed[:400].split())
    if not 1 <= len(name) <= 80 or not name.isprintable():
        raise InvalidInput("name", "has 1 to 80 printable characters")
    return name


def _maker(tx: Transaction, manufacturer_id: int) -> str:
    return parties.tenant_of(tx, manufacturer_id).manufacturer.legal_name
