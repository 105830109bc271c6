"""Sessions as the register keeps them: by the SHA-256 of their token, so that a copy of the database opens none."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import delete, insert, select, update

from signer.domain.parties import Role, Uscc
from signer.register import tables
from signer.register.account_tables import accounts, appointments, factors, sessions

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy.engine import Connection


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """A session's row; `token_digest` is the SHA-256 of its token (32 bytes), `ends_at` its latest end."""

    token_digest: bytes
    person_id: str
    csrf: str
    way: str
    agent: str
    network: str
    created_at: datetime
    seen_at: datetime
    factor_at: datetime | None
    ends_at: datetime


def begin(tx: Connection, session: Session) -> None:
    """Add a session."""
    tx.execute(insert(sessions).values(**{name: getattr(session, name) for name in session.__dataclass_fields__}))


def find(tx: Connection, token_digest: bytes, *, at: datetime, seen_since: datetime) -> Session | None:
    """Return a session that goes on: not over, used since an instant, and of an account that is active."""
    wanted = (
        select(sessions)
        .join(accounts, accounts.c.person_id == sessions.c.person_id)
        .where(sessions.c.token_digest == token_digest, sessions.c.ends_at > at, sessions.c.seen_at > seen_since)
        .where(accounts.c.state == "active")
    )
    row = tx.execute(wanted).mappings().first()
    return None if row is None else Session(**{name: row[name] for name in Session.__dataclass_fields__})


def of_person(tx: Connection, person_id: str, *, at: datetime, seen_since: datetime) -> tuple[Session, ...]:
    """Return a person's sessions that go on, the last used first."""
    wanted = select(sessions).where(
        sessions.c.person_id == person_id, sessions.c.ends_at > at, sessions.c.seen_at > seen_since
    )
    rows = tx.execute(wanted.order_by(sessions.c.seen_at.desc())).mappings()
    return tuple(Session(**{name: row[name] for name in Session.__dataclass_fields__}) for row in rows)


def touch(tx: Connection, token_digest: bytes, *, at: datetime) -> None:
    """Note that a session was used."""
    tx.execute(update(sessions).where(sessions.c.token_digest == token_digest).values(seen_at=at))


def note_factor(tx: Connection, token_digest: bytes, *, at: datetime) -> None:
    """Note that a second factor was shown in a session."""
    tx.execute(update(sessions).where(sessions.c.token_digest == token_digest).values(factor_at=at, seen_at=at))


def renew(tx: Connection, old: bytes, *, token_digest: bytes, csrf: str, factor_at: datetime | None) -> None:
    """Let a session go on under another token and another secret of its forms; the former open nothing any more."""
    values = {"token_digest": token_digest, "csrf": csrf, "factor_at": factor_at}
    tx.execute(update(sessions).where(sessions.c.token_digest == old).values(**values))


def end(tx: Connection, token_digest: bytes) -> bool:
    """End a session; tell whether there was one."""
    return bool(tx.execute(delete(sessions).where(sessions.c.token_digest == token_digest)).rowcount)


def end_all(tx: Connection, person_id: str, *, but: bytes = b"") -> int:
    """End all sessions of a person but one; return how many."""
    gone = delete(sessions).where(sessions.c.person_id == person_id, sessions.c.token_digest != but)
    return tx.execute(gone).rowcount


def prune(tx: Connection, *, at: datetime) -> int:
    """Forget sessions that are over; return how many."""
    return tx.execute(delete(sessions).where(sessions.c.ends_at <= at)).rowcount


def language_of(tx: Connection, person_id: str) -> str:
    """Return the language of a person's account, or '' for one without an account."""
    return tx.execute(select(accounts.c.language).where(accounts.c.person_id == person_id)).scalar() or ""


def has_factor(tx: Connection, person_id: str) -> bool:
    """Tell whether a person has a second factor."""
    mine = (factors.c.person_id == person_id, factors.c.confirmed_at.is_not(None))
    return tx.execute(select(factors.c.id).where(*mine).limit(1)).first() is not None


def roles_of(tx: Connection, person_id: str) -> dict[Uscc, frozenset[Role]]:
    """Return what a person may do for each manufacturer, by USCC."""
    members, makers = tables.memberships, tables.manufacturers
    wanted = select(makers.c.uscc, members.c.role).join(members, members.c.manufacturer_id == makers.c.id)
    found: dict[Uscc, frozenset[Role]] = {}
    for uscc, role in tx.execute(wanted.where(members.c.person_id == person_id).order_by(makers.c.id)):
        found[Uscc(uscc)] = found.get(Uscc(uscc), frozenset()) | {Role(role)}
    return found


def appointments_of(tx: Connection, person_id: str) -> frozenset[Role]:
    """Return what a person may do for the whole deployment."""
    wanted = select(appointments.c.role).where(appointments.c.person_id == person_id)
    return frozenset(Role(role) for role in tx.execute(wanted).scalars())
