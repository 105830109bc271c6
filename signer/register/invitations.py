"""Invitations, and what needs another approver's word, as the register keeps them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from sqlalchemy import insert, select, update

from signer.domain.parties import Role
from signer.errors import NotFound
from signer.register import tables
from signer.register.account_tables import invitations, role_requests

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy.engine import Connection, RowMapping

    from signer.register.scope import Scope

Kind = Literal["grant-approver", "reset-factor"]
Outcome = Literal["granted", "refused"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Invitation:
    """Whom somebody invited to do what; `manufacturer_id` None: appointed for the whole deployment."""

    id: int
    token_digest: bytes
    login: str
    name: str
    manufacturer_id: int | None
    roles: frozenset[Role]
    invited_by: str | None
    created_at: datetime
    ends_at: datetime

    def is_open(self, at: datetime) -> bool:
        """Tell whether its time is not over."""
        return at < self.ends_at


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What somebody asked for somebody, which another approver decides."""

    id: int
    kind: Kind
    person_id: str
    manufacturer_id: int
    asked_by: str
    asked_at: datetime


def invite(tx: Connection, invitation: Invitation) -> int:
    """Add an invitation, whatever id it says, and return its own."""
    values: dict[str, Any] = {
        name: getattr(invitation, name) for name in Invitation.__dataclass_fields__ if name != "id"
    }
    values["roles"] = " ".join(sorted(invitation.roles))
    return int(tx.execute(insert(invitations).values(**values).returning(invitations.c.id)).scalar_one())


def of_token(tx: Connection, token_digest: bytes) -> Invitation | None:
    """Return the invitation of a token if it was neither accepted nor revoked; else None."""
    row = tx.execute(_unused().where(invitations.c.token_digest == token_digest)).mappings().first()
    return None if row is None else _invitation(row)


def of_login(tx: Connection, login: str, *, at: datetime) -> tuple[Invitation, ...]:
    """Return the open invitations of a login, the oldest first."""
    wanted = _unused().where(invitations.c.login == login, invitations.c.ends_at > at)
    return tuple(_invitation(row) for row in tx.execute(wanted.order_by(invitations.c.id)).mappings())


def pending(tx: Connection, *, scope: Scope) -> tuple[Invitation, ...]:
    """Return the invitations of one manufacturer that were neither accepted nor revoked, the oldest first."""
    wanted = scope.only(_unused(), invitations).order_by(invitations.c.id)
    return tuple(_invitation(row) for row in tx.execute(wanted).mappings())


def accept(tx: Connection, invitation_id: int, *, by: str, at: datetime) -> bool:
    """Use an invitation; False if somebody used or revoked it meanwhile."""
    mine = update(invitations).where(invitations.c.id == invitation_id, invitations.c.accepted_at.is_(None))
    changed = tx.execute(mine.where(invitations.c.revoked_at.is_(None)).values(accepted_at=at, accepted_by=by))
    return bool(changed.rowcount)


def revoke(tx: Connection, invitation_id: int, *, scope: Scope, at: datetime) -> None:
    """Take an invitation back. NotFound if it is another manufacturer's, was accepted or is taken back already."""
    mine = scope.only(update(invitations), invitations).where(
        invitations.c.id == invitation_id, invitations.c.accepted_at.is_(None), invitations.c.revoked_at.is_(None)
    )
    if not tx.execute(mine.values(revoked_at=at)).rowcount:
        raise NotFound("no such invitation")


def ask(tx: Connection, kind: Kind, *, person: str, by: str, scope: Scope, at: datetime) -> int:
    """Ask for another approver's word. Conflict if the same is asked already."""
    values = {"kind": kind, "person_id": person, "manufacturer_id": scope.owner, "asked_by": by, "asked_at": at}
    return int(tx.execute(insert(role_requests).values(**values).returning(role_requests.c.id)).scalar_one())


def asked(tx: Connection, *, scope: Scope) -> tuple[Request, ...]:
    """Return what waits for another approver's word, the oldest first."""
    wanted = scope.only(select(role_requests), role_requests).where(role_requests.c.decided_at.is_(None))
    rows = tx.execute(wanted.order_by(role_requests.c.id)).mappings()
    return tuple(Request(**{name: row[name] for name in Request.__dataclass_fields__}) for row in rows)


def decide(tx: Connection, request_id: int, outcome: Outcome, *, by: str, scope: Scope, at: datetime) -> None:
    """Decide what was asked. NotFound if it is another manufacturer's or was decided; Conflict without four eyes."""
    mine = scope.only(update(role_requests), role_requests).where(
        role_requests.c.id == request_id, role_requests.c.decided_at.is_(None)
    )
    if not tx.execute(mine.values(outcome=outcome, decided_by=by, decided_at=at)).rowcount:
        raise NotFound("nothing of the kind is asked")


def drop(tx: Connection, request_id: int, *, by: str, scope: Scope) -> None:
    """Take back what one asked oneself. NotFound."""
    mine = scope.only(role_requests.delete(), role_requests).where(
        role_requests.c.id == request_id, role_requests.c.asked_by == by, role_requests.c.decided_at.is_(None)
    )
    if not tx.execute(mine).rowcount:
        raise NotFound("nothing of the kind is asked")


def members(tx: Connection, *, scope: Scope) -> dict[str, frozenset[Role]]:
    """Return everybody who has a role for one manufacturer, with the roles."""
    table = tables.memberships
    found: dict[str, frozenset[Role]] = {}
    wanted = scope.only(select(table.c.person_id, table.c.role), table).order_by(table.c.person_id)
    for person, role in tx.execute(wanted):
        found[person] = found.get(person, frozenset()) | {Role(role)}
    return found


def _unused() -> Any:  # noqa: ANN401 -- SQLAlchemy's own type of it says no more
    return select(invitations).where(invitations.c.accepted_at.is_(None), invitations.c.revoked_at.is_(None))


def _invitation(row: RowMapping) -> Invitation:
    values = {name: row[name] for name in Invitation.__dataclass_fields__}
    return Invitation(**{**values, "roles": frozenset(Role(role) for role in row["roles"].split())})
