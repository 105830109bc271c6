"""Failed verifications of a manufacturer's own numbers and seals, counted per day: the forgery alarm."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy import func, insert, select, update

from signer.domain.values import beijing_day
from signer.domain.webhook import EventType
from signer.errors import Conflict, NotFound
from signer.register import events, lookup, tables
from signer.register.desk_tables import suspicions

if TYPE_CHECKING:
    from datetime import date, datetime

    from sqlalchemy.engine import Connection

    from signer.domain.number import Number
    from signer.register.scope import Scope


@dataclass(frozen=True, slots=True, kw_only=True)
class Suspicion:
    """One number (None: the file named none) and answer on one day (Beijing), and how often; settled by whom, if so."""

    id: int
    number: str | None
    code: str
    day: date
    count: int
    first_at: datetime
    last_at: datetime
    settled_by: str | None
    settled_at: datetime | None

    @property
    def is_open(self) -> bool:
        """Tell whether nobody has said yet what it was."""
        return self.settled_at is None


def owner(tx: Connection, number: str, *, scope: Scope) -> int | None:
    """Return whose a number is, None if it was never issued."""
    heads = tables.confirmations
    wanted = select(heads.c.manufacturer_id).where(heads.c.number == number, heads.c.recorded_at.is_not(None))
    return tx.execute(scope.only(wanted, heads)).scalar()


def wrong_tails(tx: Connection, number: Number, *, at: datetime) -> int:
    """Return how many look-ups of a number failed within a day."""
    return lookup.failures(tx, since=at - timedelta(days=1), number=number)


def add(tx: Connection, number: str | None, code: str, *, scope: Scope, count: int, at: datetime) -> bool:
    """
    Count suspicions of a day; return whether they are the first of that number on it.

    One that was settled is open again: what is new was not looked at.
    """
    day, table = beijing_day(at), suspicions
    mine = scope.only(select(table.c.id, table.c.code), table).where(table.c.day == day, table.c.number == number)
    known = {row.code: row.id for row in tx.execute(mine)}
    if code in known:
        more = {"count": table.c.count + count, "last_at": at, "settled_by": None, "settled_at": None}
        tx.execute(scope.only(update(table), table).where(table.c.id == known[code]).values(**more))
        return False
    made = {"number": number, "code": code, "day": day, "count": count, "first_at": at, "last_at": at}
    tx.execute(insert(table).values(manufacturer_id=scope.owner, **made))
    if not known:
        told = {"code": code} if number is None else {"code": code, "number": number}
        events.tell(tx, EventType.FORGERY_SUSPECTED, manufacturer_id=scope.owner, at=at, **told)
    return not known


def page(tx: Connection, *, scope: Scope, most: int, skip: int = 0) -> tuple[Suspicion, ...]:
    """Return suspicions, the latest first."""
    wanted = scope.only(select(suspicions), suspicions).order_by(suspicions.c.last_at.desc(), suspicions.c.id.desc())
    rows = tx.execute(wanted.limit(most).offset(skip)).mappings()
    return tuple(Suspicion(**{name: row[name] for name in Suspicion.__dataclass_fields__}) for row in rows)


def open_count(tx: Connection, *, scope: Scope) -> int:
    """Return how many are not settled."""
    wanted = scope.only(select(func.count()), suspicions).where(suspicions.c.settled_at.is_(None))
    return int(tx.execute(wanted).scalar_one())


def get(tx: Connection, suspicion_id: int, *, scope: Scope) -> Suspicion:
    """Return one. NotFound."""
    wanted = scope.only(select(suspicions), suspicions).where(suspicions.c.id == suspicion_id)
    row = tx.execute(wanted).mappings().first()
    if row is None:
        raise NotFound("no such alarm")
    return Suspicion(**{name: row[name] for name in Suspicion.__dataclass_fields__})


def settle(tx: Connection, suspicion_id: int, *, scope: Scope, by: str, at: datetime) -> None:
    """Say that somebody has looked at one. Conflict if somebody has already."""
    mine = scope.only(update(suspicions), suspicions).where(suspicions.c.id == suspicion_id)
    settled = mine.where(suspicions.c.settled_at.is_(None)).values(settled_by=by, settled_at=at)
    if not tx.execute(settled).rowcount:
        raise Conflict("the alarm is settled already")
