"""Mail that waits to be sent, and whom it is for: a row each, written in the transaction that makes it true."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import and_, delete, func, insert, or_, select, update

from signer.domain.number import Number
from signer.register import tables
from signer.register.account_tables import accounts, appointments
from signer.register.desk_tables import mails
from signer.register.exporter_tables import sign_ups

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import ColumnElement
    from sqlalchemy.engine import Connection, Row

    from signer.domain.parties import Role
    from signer.register.scope import Scope

LEASE = timedelta(minutes=15)
"""Who took a mail and was not heard of for so long has died with it."""
LONGEST_PAUSE = timedelta(hours=6)
_IS_WAITING = and_(mails.c.sent_at.is_(None), mails.c.given_up_at.is_(None))
_MOST_ERROR: Final = 400


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    """
    One mail: `attempts` counts this one too, `repeats` those that ended without word of whether it went.

    `is_orphan`: whoever took it before was not heard of again, so it may have gone.
    """

    id: int
    recipient: str
    language: str
    kind: str
    subject: str
    body: str
    queued_at: datetime
    attempts: int
    repeats: int
    is_orphan: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """Somebody to write to."""

    person: str
    address: str
    language: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """Something that was done about a number and that its people are told."""

    id: int
    manufacturer_id: int
    event: str
    number: Number
    queued_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """How the mail stands: how many wait and since when, the last error, and how many were given up."""

    waiting: int
    since: datetime | None
    given_up: int
    error: str | None


def add(tx: Connection, recipient: str, *, language: str, kind: str, subject: str, body: str, at: datetime) -> None:
    """Add a mail, due at once."""
    told = {"recipient": recipient, "language": language, "kind": kind, "subject": subject, "body": body}
    tx.execute(insert(mails).values(queued_at=at, attempts=0, repeats=0, next_at=at, **told))


def take(tx: Connection, *, at: datetime) -> Mail | None:
    """
    Take the mail that has been due the longest, for a lease, or None.

    A next try that lies further ahead than any pause was written before the clock was set back: it is due.
    """
    is_due = or_(mails.c.next_at <= at, mails.c.next_at > at + LONGEST_PAUSE * 2)
    row = tx.execute(select(mails).where(_IS_WAITING, is_due).order_by(mails.c.next_at, mails.c.id).limit(1)).first()
    if row is None:
        return None
    is_orphan = row.taken_at is not None
    taken = {"attempts": row.attempts + 1, "repeats": row.repeats + is_orphan, "taken_at": at, "next_at": at + LEASE}
    tx.execute(update(mails).where(mails.c.id == row.id).values(**taken))
    told = {name: getattr(row, name) for name in ("id", "recipient", "language", "kind", "subject", "body")}
    counts = {"attempts": row.attempts + 1, "repeats": row.repeats + is_orphan}
    return Mail(queued_at=row.queued_at, is_orphan=is_orphan, **counts, **told)


def sent(tx: Connection, mail: Mail, *, at: datetime) -> None:
    """Note that a mail went, and forget what it said: it may hold a link that admits somebody."""
    done = {"sent_at": at, "taken_at": None, "error": None, "body": ""}
    tx.execute(update(mails).where(_is(mail)).values(**done))


def postpone(tx: Connection, mail: Mail, *, error: str, next_at: datetime) -> None:
    """Put a mail back until it is tried again."""
    tx.execute(update(mails).where(_is(mail)).values(taken_at=None, next_at=next_at, error=error[:_MOST_ERROR]))


def give_up(tx: Connection, mail: Mail, *, error: str, at: datetime) -> None:
    """Never try a mail again, and forget what it said."""
    done = {"given_up_at": at, "taken_at": None, "error": error[:_MOST_ERROR], "body": ""}
    tx.execute(update(mails).where(_is(mail)).values(**done))


def waiting(tx: Connection) -> Waiting:
    """Tell how the mail stands."""
    count, since = tx.execute(select(func.count(), func.min(mails.c.queued_at)).where(_IS_WAITING)).one()
    given_up = tx.execute(select(func.count()).where(mails.c.given_up_at.is_not(None))).scalar_one()
    told = select(mails.c.error).where(mails.c.error.is_not(None)).order_by(mails.c.id.desc()).limit(1)
    return Waiting(waiting=count, since=since, given_up=given_up, error=tx.execute(told).scalar())


def prune(tx: Connection, *, before: datetime) -> int:
    """Forget mails that went, or were given up, long ago; return how many."""
    return tx.execute(delete(mails).where(or_(mails.c.sent_at < before, mails.c.given_up_at < before))).rowcount


def readers(tx: Connection, roles: frozenset[Role], *, scope: Scope) -> tuple[Reader, ...]:
    """Return who has one of these roles for a manufacturer and an account that is not suspended, each once."""
    members = tables.memberships
    mine = scope.only(select(members.c.person_id), members).where(members.c.role.in_(roles))
    wanted = select(accounts).where(accounts.c.person_id.in_(mine), accounts.c.state == "active")
    return tuple(_reader(row) for row in tx.execute(wanted.order_by(accounts.c.person_id)))


def appointed(tx: Connection, role: Role) -> tuple[Reader, ...]:
    """Return who is appointed for the whole deployment and has an account that is in use, each once."""
    mine = select(appointments.c.person_id).where(appointments.c.role == role.value)
    wanted = select(accounts).where(accounts.c.person_id.in_(mine), accounts.c.state == "active")
    return tuple(_reader(row) for row in tx.execute(wanted.order_by(accounts.c.person_id)))


def reader_of(tx: Connection, person: str) -> Reader | None:
    """Return a person to write to, None for one without an account that is in use."""
    row = tx.execute(select(accounts).where(accounts.c.person_id == person, accounts.c.state == "active")).first()
    return None if row is None else _reader(row)


def asker_of(tx: Connection, person: str, *, exporter: str) -> Reader | None:
    """Return who asked for an exporter, if that person still acts for it and has an account that is in use."""
    mine = select(sign_ups.c.id).where(
        sign_ups.c.person_id == person, sign_ups.c.exporter_uscc == exporter, sign_ups.c.state == "member"
    )
    return None if tx.execute(mine).first() is None else reader_of(tx, person)


def preparer_of(tx: Connection, number: Number, *, scope: Scope) -> Reader | None:
    """Return who prepared a confirmation, if that person still works for the manufacturer and has an account."""
    heads, approvals, members = tables.confirmations, tables.approvals, tables.memberships
    who = select(approvals.c.preparer_id).join(heads, heads.c.approval_id == approvals.c.id)
    who = scope.only(who, heads).where(heads.c.number == number)
    mine = scope.only(select(members.c.person_id), members).where(members.c.person_id.in_(who))
    row = tx.execute(select(accounts).where(accounts.c.person_id.in_(mine), accounts.c.state == "active")).first()
    return None if row is None else _reader(row)


def unsent_notices(tx: Connection, *, scope: Scope, most: int) -> tuple[Notice, ...]:
    """
    Return notices that nobody was told of yet, the oldest first.

    They are told in the order in which they were written, so the first one left comes after the last one told: no
    index of those left, which every issue would have to write.
    """
    table = tables.notices
    told = tx.execute(select(table.c.id).where(table.c.sent_at.is_not(None)).order_by(table.c.id.desc()).limit(1))
    wanted = scope.only(select(table), table).where(table.c.id > (told.scalar() or 0), table.c.sent_at.is_(None))
    return tuple(
        Notice(
            id=row.id,
            manufacturer_id=row.manufacturer_id,
            event=row.event,
            number=Number(row.number),
            queued_at=row.queued_at,
        )
        for row in tx.execute(wanted.order_by(table.c.id).limit(most))
    )


def mark_told(tx: Connection, notices: tuple[Notice, ...], *, scope: Scope, at: datetime) -> None:
    """Note that notices were passed on."""
    table = tables.notices
    ids = [notice.id for notice in notices]
    tx.execute(scope.only(update(table), table).where(table.c.id.in_(ids)).values(sent_at=at))


def _is(mail: Mail) -> ColumnElement[bool]:
    return and_(mails.c.id == mail.id, mails.c.attempts == mail.attempts)


def _reader(row: Row[Any]) -> Reader:
    return Reader(person=row.person_id, address=row.login, language=row.language)
