"""A manufacturer's people: who may do what, and what two of them have to agree on."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from signer.domain.parties import Membership, Role
from signer.errors import Conflict, InvalidInput, NotFound, NotPermitted
from signer.register import accounts, audit, exporters, factors, invitations, mails, parties, sessions
from signer.services import tokens
from signer.services.invitations import MAKERS_ROLES
from signer.services.mailing import OPERATOR
from signer.services.sign_in import fold

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from signer.domain.account import Principal, Proof
    from signer.domain.parties import Person, Uscc
    from signer.register.accounts import Account
    from signer.register.database import Database, Transaction
    from signer.register.invitations import Kind, Outcome, Request
    from signer.register.parties import Tenant
    from signer.services.accounts import Accounts
    from signer.services.mailing import Mailing

DIRECT = MAKERS_ROLES - {Role.APPROVER}
"""The roles that an administrator gives alone."""
_MAY_ASK = frozenset({Role.ADMIN, Role.OPERATOR})
_ELSEWHERE = "the person has roles elsewhere: operators reset such factors"


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One person with roles for a manufacturer; `login` is empty for somebody who has no account."""

    person: str
    name: str
    login: str
    is_suspended: bool
    has_factor: bool
    roles: frozenset[Role]


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What waits for another approver; `may_decide`: the one who looks at it may."""

    request: Request
    person: str
    by: str
    may_decide: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """One account of the deployment, as operators see it; `roles` in words, each with its manufacturer's USCC."""

    login: str
    person: str
    state: str
    has_factor: bool
    roles: tuple[str, ...]


class Members:
    """The members of manufacturers."""

    def __init__(self, *, database: Database, known: Accounts, mailing: Mailing, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._accounts = known
        self._mailing = mailing
        self._clock = clock

    def all(self, maker: Uscc) -> tuple[Member, ...]:
        """Return everybody with a role for a manufacturer, by name."""
        with self._database.read() as tx:
            held = invitations.members(tx, scope=parties.tenant(tx, maker).scope)
            found = [_member(tx, person, roles) for person, roles in held.items()]
        return tuple(sorted(found, key=lambda one: (one.name, one.person)))

    def asked(self, principal: Principal, maker: Uscc) -> tuple[Asked, ...]:
        """Return what waits for another approver's word."""
        with self._database.read() as tx:
            tenant = parties.tenant(tx, maker)
            return tuple(
                Asked(
                    request=one,
                    person=parties.person_of(tx, one.person_id).name,
                    by=parties.person_of(tx, one.asked_by).name,
                    may_decide=_may_decide(tx, tenant, one, principal),
                )
                for one in invitations.asked(tx, scope=tenant.scope)
            )

    def change(self, principal: Principal, maker: Uscc, person: str, roles: frozenset[Role]) -> None:
        """
        Make a member's roles these, the approver's as before: taking it away is one of them, giving it is asked.

        No role at all: the person is no member any more. NotFound, InvalidInput, Conflict (the last administrator).
        """
        _refuse_others(principal, maker)
        if roles - MAKERS_ROLES:
            raise InvalidInput("roles", "are none that a manufacturer gives")
        with self._database.write() as tx:
            tenant = parties.tenant(tx, maker)
            held = invitations.members(tx, scope=tenant.scope)
            if person not in held:
                raise NotFound("no such member")
            if Role.APPROVER in roles - held[person]:
                raise NotPermitted("another approver grants that role")
            others = [one for one, had in held.items() if one != person and Role.ADMIN in had]
            if Role.ADMIN in held[person] - roles and not others:
                raise Conflict("the last administrator stays one")
            membership = Membership(person=person, manufacturer=maker, roles=roles)
            parties.save_membership(tx, membership, scope=tenant.scope, at=self._clock())
            if not roles:
                tokens.end(tx, person, maker=maker, actor=principal.person.id, at=self._clock())
            self._note(tx, tenant, "member.roles-changed", principal, person, roles=" ".join(sorted(roles)))

    def ask(self, principal: Principal, maker: Uscc, person: str, kind: Kind) -> None:
        """
        Ask another approver to grant that role, or to let an approver's factors be reset.

        NotFound, Conflict; NotPermitted for factors that open something elsewhere too (operators reset such ones).
        """
        _refuse_others(principal, maker)
        with self._database.write() as tx:
            tenant = parties.tenant(tx, maker)
            held = invitations.members(tx, scope=tenant.scope)
            if person not in held:
                raise NotFound("no such member")
            if (Role.APPROVER in held[person]) is (kind == "grant-approver"):
                raise Conflict("the role is as it is asked for already")
            if kind == "reset-factor" and _is_elsewhere(tx, person, maker):
                raise NotPermitted(_ELSEWHERE)
            if any((one.person_id, one.kind) == (person, kind) for one in invitations.asked(tx, scope=tenant.scope)):
                raise Conflict("the same is asked already")
            by, at = principal.person.id, self._clock()
            invitations.ask(tx, kind, person=person, by=by, scope=tenant.scope, at=at)
            self._note(tx, tenant, "member.asked", principal, person, kind=kind)
            self._tell(tx, tenant, principal, person, kind)

    def _tell(self, tx: Transaction, tenant: Tenant, principal: Principal, person: str, kind: Kind) -> None:
        """Write to whoever may decide: the other approvers; where there is none, the other operators."""
        mail, but = "approver-asked" if kind == "grant-approver" else "reset-asked", {principal.person.id, person}
        path = f"/portal/{tenant.manufacturer.uscc}/people"
        words = {"maker": tenant.manufacturer.legal_name, "by": principal.person.name}
        words["name"] = parties.person_of(tx, person).name
        if any(Role.APPROVER in roles for roles in invitations.members(tx, scope=tenant.scope).values()):
            for reader in mails.readers(tx, frozenset({Role.APPROVER}), scope=tenant.scope):
                if reader.person not in but:
                    self._mailing.queue(tx, reader.address, mail, reader.language, path=path, **words)
        elif Role.OPERATOR in sessions.appointments_of(tx, principal.person.id):
            self._mailing.queue_for_operators(tx, mail, path=path, but=frozenset(but), **words)

    def drop(self, principal: Principal, maker: Uscc, request_id: int) -> None:
        """Take back what one asked oneself. NotFound."""
        with self._database.write() as tx:
            tenant = parties.tenant(tx, maker)
            invitations.drop(tx, request_id, by=principal.person.id, scope=tenant.scope)

    def decide(self, principal: Principal, maker: Uscc, request_id: int, *, grant: bool, proof: Proof) -> None:
        """
        Decide, with a second factor shown just now, what somebody else asked for somebody else.

        By an approver; where the manufacturer has none yet, an operator decides what another operator asked.
        NotFound, NotPermitted, TooManyRequests; Conflict if the factors to be reset open something elsewhere by now.
        """
        with self._database.read() as tx:
            tenant = parties.tenant(tx, maker)
            request = _request(tx, tenant, request_id)
            _refuse_deciding(tx, tenant, request, principal)
        self._accounts.confirm(principal, proof, about=about(request_id))
        with self._database.write() as tx:
            request = _request(tx, tenant, request_id)
            _refuse_deciding(tx, tenant, request, principal)
            outcome: Outcome = "granted" if grant else "refused"
            by, at = principal.person.id, self._clock()
            invitations.decide(tx, request_id, outcome, by=by, scope=tenant.scope, at=at)
            if grant:
                self._do(tx, tenant, request, by=principal.person)
            event = f"member.{request.kind}-{outcome}"
            self._note(tx, tenant, event, principal, request.person_id, asked_by=request.asked_by)

    def reset(self, principal: Principal, maker: Uscc, person: str) -> None:
        """
        Take all factors of a member and end the sessions: at the next sign-in a new factor is set up.

        NotPermitted for an approver (that is asked), and for whoever has roles elsewhere or acts for an exporter
        (operators do it).
        """
        _refuse_others(principal, maker)
        with self._database.write() as tx:
            tenant = parties.tenant(tx, maker)
            if person not in invitations.members(tx, scope=tenant.scope):
                raise NotFound("no such member")
            every = sessions.roles_of(tx, person)
            if any(Role.APPROVER in roles for roles in every.values()):
                raise NotPermitted("another approver lets an approver's factors be reset")
            if _is_elsewhere(tx, person, maker):
                raise NotPermitted(_ELSEWHERE)
            self._forget_factors(tx, person, actor=principal.person.id, by=principal.person.name)
            self._note(tx, tenant, "member.factors-reset", principal, person)

    def everybody(self) -> tuple[Known, ...]:
        """Return every account of the deployment, by login: for operators."""
        with self._database.read() as tx:
            return tuple(
                Known(
                    login=one.login,
                    person=one.person_id,
                    state=one.state,
                    has_factor=sessions.has_factor(tx, one.person_id),
                    roles=_every_role(tx, one.person_id),
                )
                for one in accounts.everybody(tx)
            )

    def suspend(self, login: str, *, lift: bool, actor: str) -> None:
        """Suspend an account, whose sessions and tokens end at once, or let it be used again. NotFound."""
        with self._database.write() as tx:
            person = _account(tx, login).person_id
            accounts.set_state(tx, person, "active" if lift else "suspended")
            sessions.end_all(tx, person)
            event, at = "account.resumed" if lift else "account.suspended", self._clock()
            if not lift:
                tokens.end(tx, person, actor=actor, at=at)
            audit.note(tx, event, actor=actor, subject=person, at=at, manufacturer_id=None)

    def reset_by_operator(self, login: str, *, approved_by: str, actor: str) -> None:
        """
        Take all factors of a person, whatever roles it has, and end the sessions.

        For an approver another approver of the same manufacturer has to be named; where it has none besides, none is.
        NotFound, NotPermitted.
        """
        with self._database.write() as tx:
            person = _account(tx, login).person_id
            _refuse_unapproved(tx, person, approved_by)
            self._forget_factors(tx, person, actor=actor)
            at, by = self._clock(), approved_by
            audit.note(
                tx, "account.factors-reset", actor=actor, subject=person, at=at, manufacturer_id=None, approved_by=by
            )

    def _do(self, tx: Transaction, tenant: Tenant, request: Request, *, by: Person) -> None:
        person = request.person_id
        if request.kind == "reset-factor":
            if _is_elsewhere(tx, person, tenant.manufacturer.uscc):
                raise Conflict(_ELSEWHERE)
            self._forget_factors(tx, person, actor=by.id, by=by.name)
            return
        held = parties.roles_of(tx, person, scope=tenant.scope)
        if not held:
            raise NotFound("the person is no member any more")
        roles = held | {Role.APPROVER}
        membership = Membership(person=person, manufacturer=tenant.manufacturer.uscc, roles=roles)
        parties.save_membership(tx, membership, scope=tenant.scope, at=self._clock())

    def _forget_factors(self, tx: Transaction, person: str, *, actor: str, by: str = "") -> None:
        """
        Take all factors and end all sessions and tokens of a person, and write of it: somebody else may have wished it.

        A token stands in the place of the factor that was shown for it.
        """
        factors.remove_all(tx, person)
        sessions.end_all(tx, person)
        tokens.end(tx, person, actor=actor, at=self._clock())
        with suppress(NotFound):
            account = accounts.of_person(tx, person)
            decided = by or OPERATOR["zh" if account.language == "zh" else "en"]
            self._mailing.queue(tx, account.login, "factor-reset", account.language, path="/sign-in", by=decided)

    def _note(
        self, tx: Transaction, tenant: Tenant, event: str, principal: Principal, subject: str, **fields: str
    ) -> None:
        actor, at = principal.person.id, self._clock()
        audit.note(tx, event, actor=actor, subject=subject, at=at, manufacturer_id=tenant.id, **fields)


def about(request_id: int) -> str:
    """Return for what a factor is shown when a request is decided."""
    return f"request:{request_id}"


def _account(tx: Transaction, login: str) -> Account:
    found = accounts.of_login(tx, fold(login))
    if found is None:
        raise NotFound(f"no account of {login[:120]!r}")
    return found


def _is_elsewhere(tx: Transaction, person: str, maker: Uscc) -> bool:
    """Tell whether somebody's factors open more than this manufacturer's pages, or may soon: an exporter's as well."""
    is_more = sessions.appointments_of(tx, person) or exporters.of_person(tx, person)
    return bool(is_more) or set(sessions.roles_of(tx, person)) != {maker}


def _every_role(tx: Transaction, person: str) -> tuple[str, ...]:
    appointed = sorted(sessions.appointments_of(tx, person))
    held = sessions.roles_of(tx, person)
    return (*appointed, *(f"{role}@{uscc}" for uscc, roles in held.items() for role in sorted(roles)))


def _refuse_unapproved(tx: Transaction, person: str, approved_by: str) -> None:
    """Refuse to reset an approver's factors without another approver, where there is one."""
    for uscc, roles in sessions.roles_of(tx, person).items():
        if Role.APPROVER not in roles:
            continue
        held = invitations.members(tx, scope=parties.tenant(tx, uscc).scope)
        others = {one for one, had in held.items() if Role.APPROVER in had} - {person}
        if others and approved_by not in others:
            raise NotPermitted(f"another approver of {uscc} has to agree: --approved-by")


def _member(tx: Transaction, person: str, roles: frozenset[Role]) -> Member:
    try:
        account = accounts.of_person(tx, person)
    except NotFound:
        account = None
    return Member(
        person=person,
        name=parties.person_of(tx, person).name,
        login=account.login if account else "",
        is_suspended=account is not None and not account.is_active,
        has_factor=sessions.has_factor(tx, person),
        roles=roles,
    )


def _request(tx: Transaction, tenant: Tenant, request_id: int) -> Request:
    for one in invitations.asked(tx, scope=tenant.scope):
        if one.id == request_id:
            return one
    raise NotFound("nothing of the kind is asked")


def _refuse_deciding(tx: Transaction, tenant: Tenant, request: Request, principal: Principal) -> None:
    if not _may_decide(tx, tenant, request, principal):
        raise NotPermitted("another approver decides this")


def _may_decide(tx: Transaction, tenant: Tenant, request: Request, principal: Principal) -> bool:
    person = principal.person.id
    if person in (request.asked_by, request.person_id):
        return False
    held = invitations.members(tx, scope=tenant.scope)
    if Role.APPROVER in held.get(person, frozenset()):
        return True
    if any(Role.APPROVER in roles for roles in held.values()):
        return False
    asker = sessions.appointments_of(tx, request.asked_by)
    return Role.OPERATOR in sessions.appointments_of(tx, person) and Role.OPERATOR in asker


def _refuse_others(principal: Principal, maker: Uscc) -> None:
    if not principal.has(_MAY_ASK, at=maker):
        raise NotPermitted("an administrator does that")
