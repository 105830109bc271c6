"""Jobs: what is to be done, how often it was tried, when next. The queue only wakes; the truth is here."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy import and_, insert, or_, select, update

from signer.register import tables

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Update
    from sqlalchemy.engine import Connection

LEASE = timedelta(minutes=15)
"""Who took a job and was not heard of for so long has died with it."""
_FIRST_PAUSE, _LONGEST_PAUSE = timedelta(seconds=30), timedelta(hours=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One job as it stands: `attempts` counts those since it last succeeded, the present one included."""

    id: int
    kind: str
    state: str
    attempts: int
    next_at: datetime
    lease_until: datetime | None
    error: str | None
    progress: str | None


def ensure(tx: Connection, kinds: tuple[str, ...], *, at: datetime) -> None:
    """Have one job of each kind, due at once if it is new."""
    table = tables.jobs
    known = set(tx.execute(select(table.c.kind)).scalars())
    for kind in kinds:
        if kind not in known:
            tx.execute(insert(table).values(kind=kind, state="waiting", attempts=0, next_at=at))


def take(tx: Connection, *, at: datetime) -> Job | None:
    """Take the job that has been due the longest, or None; the write lock makes that one taker's."""
    table = tables.jobs
    is_due = and_(table.c.state == "waiting", table.c.next_at <= at)
    is_orphan = and_(table.c.state == "running", table.c.lease_until <= at)
    row = tx.execute(select(table).where(or_(is_due, is_orphan)).order_by(table.c.next_at, table.c.id)).first()
    if row is None:
        return None
    taken = {"state": "running", "attempts": row.attempts + 1, "lease_until": at + LEASE}
    tx.execute(update(table).where(table.c.id == row.id).values(**taken))
    return _job(tx, row.id)


def succeed(tx: Connection, job: Job, *, next_at: datetime, progress: str) -> None:
    """Put a job back until it is due again, unless another has taken it over meanwhile."""
    done = {"state": "waiting", "attempts": 0, "next_at": next_at, "lease_until": None, "error": None}
    tx.execute(_mine(job).values(progress=progress[:400], **done))


def fail(tx: Connection, job: Job, *, error: str, at: datetime) -> None:
    """Put a job back to be tried again, after a pause that doubles each time."""
    pause = min(_FIRST_PAUSE * 2 ** min(job.attempts - 1, 12), _LONGEST_PAUSE)
    tx.execute(_mine(job).values(state="waiting", next_at=at + pause, lease_until=None, error=error[:400]))


def jobs(tx: Connection) -> tuple[Job, ...]:
    """Return all jobs, by kind."""
    ids = tx.execute(select(tables.jobs.c.id).order_by(tables.jobs.c.kind)).scalars().all()
    return tuple(_job(tx, each) for each in ids)


def _mine(job: Job) -> Update:
    table = tables.jobs
    return update(table).where(table.c.id == job.id, table.c.lease_until == job.lease_until)


def _job(tx: Connection, job_id: int) -> Job:
    row = tx.execute(select(tables.jobs).where(tables.jobs.c.id == job_id)).mappings().one()
    return Job(**{name: row[name] for name in Job.__dataclass_fields__})
