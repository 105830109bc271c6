"""Accounts as the register keeps them, what a sign-in waits for, and the failures that are counted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from sqlalchemy import delete, func, insert, select, update

from signer.errors import NotFound
from signer.register.account_tables import accounts, appointments, challenges, federated, sign_in_failures

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy.engine import Connection

    from signer.domain.parties import Role

State = Literal["active", "suspended"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """Who signs in: `login` is a folded e-mail address, `password` an Argon2id string or None for none."""

    person_id: str
    login: str
    password: str | None
    language: str
    state: State
    created_at: datetime

    @property
    def is_active(self) -> bool:
        """Tell whether it may be used at all."""
        return self.state == "active"


@dataclass(frozen=True, slots=True, kw_only=True)
class Challenge:
    """What waits to be answered once: of which kind and person, and what it is bound to (JSON)."""

    token_digest: bytes
    kind: str
    person_id: str | None
    data: str
    ends_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Failures:
    """How often something failed since an instant, and when last."""

    count: int
    last_at: datetime | None


def add(tx: Connection, account: Account) -> None:
    """Add an account. Conflict if the person or the login has one."""
    values = {name: getattr(account, name) for name in Account.__dataclass_fields__}
    tx.execute(insert(accounts).values(**values, password_at=account.created_at if account.password else None))


def of_login(tx: Connection, login: str) -> Account | None:
    """Return the account of a folded login, or None."""
    row = tx.execute(select(accounts).where(accounts.c.login == login)).mappings().first()
    return None if row is None else Account(**{name: row[name] for name in Account.__dataclass_fields__})


def of_person(tx: Connection, person_id: str) -> Account:
    """Return the account of a person. NotFound."""
    row = tx.execute(select(accounts).where(accounts.c.person_id == person_id)).mappings().first()
    if row is None:
        raise NotFound(f"{person_id} has no account")
    return Account(**{name: row[name] for name in Account.__dataclass_fields__})


def everybody(tx: Connection) -> tuple[Account, ...]:
    """Return every account by login: for operators."""
    rows = tx.execute(select(accounts).order_by(accounts.c.login)).mappings()
    return tuple(Account(**{name: row[name] for name in Account.__dataclass_fields__}) for row in rows)


def set_password(tx: Connection, person_id: str, password: str | None, *, at: datetime) -> None:
    """Put an Argon2id string in place of the one before; None: no password opens the account."""
    changed = update(accounts).where(accounts.c.person_id == person_id)
    tx.execute(changed.values(password=password, password_at=at))


def set_language(tx: Connection, person_id: str, language: str) -> None:
    """Let pages speak a language to a person."""
    tx.execute(update(accounts).where(accounts.c.person_id == person_id).values(language=language))


def set_state(tx: Connection, person_id: str, state: State) -> None:
    """Suspend an account, or let it be used again."""
    tx.execute(update(accounts).where(accounts.c.person_id == person_id).values(state=state))


def appoint(tx: Connection, person_id: str, role: Role, *, by: str, at: datetime) -> None:
    """Give a person a role for the whole deployment; one that it has already stays as it is."""
    mine = (appointments.c.person_id == person_id, appointments.c.role == role.value)
    if tx.execute(select(appointments.c.role).where(*mine)).first() is None:
        values = {"person_id": person_id, "role": role.value, "granted_by": by[:64], "granted_at": at}
        tx.execute(insert(appointments).values(**values))


def linked(tx: Connection, issuer: str, subject: str) -> str | None:
    """Return the person to whom an issuer's subject is linked, or None."""
    wanted = select(federated.c.person_id).where(federated.c.issuer == issuer, federated.c.subject == subject)
    return tx.execute(wanted).scalar()


def link(tx: Connection, issuer: str, subject: str, *, person_id: str, at: datetime) -> None:
    """Link an issuer's subject to a person. Conflict if it is somebody's already."""
    values = {"issuer": issuer, "subject": subject, "person_id": person_id, "linked_at": at}
    tx.execute(insert(federated).values(**values))


def unlink(tx: Connection, person_id: str) -> int:
    """Take all links of a person; return how many there were."""
    return tx.execute(delete(federated).where(federated.c.person_id == person_id)).rowcount


def links_of(tx: Connection, person_id: str) -> tuple[tuple[str, datetime], ...]:
    """Return the issuers to whom a person is linked, and since when."""
    wanted = select(federated.c.issuer, federated.c.linked_at).where(federated.c.person_id == person_id)
    return tuple((str(row.issuer), row.linked_at) for row in tx.execute(wanted.order_by(federated.c.linked_at)))


def await_answer(tx: Connection, challenge: Challenge) -> None:
    """Keep what waits to be answered."""
    values = {name: getattr(challenge, name) for name in Challenge.__dataclass_fields__}
    tx.execute(insert(challenges).values(**values))


def waiting(tx: Connection, token_digest: bytes, *, kind: str, at: datetime) -> Challenge | None:
    """Return what waits under a token, if it is not over."""
    wanted = select(challenges).where(challenges.c.token_digest == token_digest, challenges.c.kind == kind)
    row = tx.execute(wanted.where(challenges.c.ends_at > at)).mappings().first()
    return None if row is None else Challenge(**{name: row[name] for name in Challenge.__dataclass_fields__})


def take(tx: Connection, token_digest: bytes, *, kind: str, at: datetime) -> Challenge | None:
    """Return what waits under a token and forget it: it is answered once, rightly or not."""
    found = waiting(tx, token_digest, kind=kind, at=at)
    gone = tx.execute(delete(challenges).where(challenges.c.token_digest == token_digest, challenges.c.kind == kind))
    return found if gone.rowcount else None


def note_failure(tx: Connection, *, login_digest: bytes, network: str, at: datetime) -> None:
    """Count one failure."""
    tx.execute(insert(sign_in_failures).values(login_digest=login_digest, network=network[:64], at=at))


def failures(
    tx: Connection, *, since: datetime, login_digest: bytes | None = None, network: str | None = None
) -> Failures:
    """Count the failures of a login, of a network, or of one from the other, since an instant."""
    table = sign_in_failures
    wanted = select(func.count().label("count"), func.max(table.c.at).label("last_at")).where(table.c.at > since)
    if login_digest is not None:
        wanted = wanted.where(table.c.login_digest == login_digest)
    if network is not None:
        wanted = wanted.where(table.c.network == network[:64])
    row = tx.execute(wanted).one()
    return Failures(count=row[0], last_at=row[1])


def forgive(tx: Connection, *, login_digest: bytes, network: str) -> None:
    """Forget the failures of a login from a network, after it succeeded there."""
    table = sign_in_failures
    tx.execute(delete(table).where(table.c.login_digest == login_digest, table.c.network == network[:64]))


def prune(tx: Connection, *, at: datetime, failed_before: datetime) -> int:
    """Forget what waits no longer, and failures that count no longer; return how many."""
    over = tx.execute(delete(challenges).where(challenges.c.ends_at <= at)).rowcount
    return over + tx.execute(delete(sign_in_failures).where(sign_in_failures.c.at < failed_before)).rowcount
