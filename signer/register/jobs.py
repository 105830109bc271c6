"""
Jobs: what is to be done, how often it was tried, when next. The queue only wakes; the truth is here.

A periodic job has no argument and comes back for ever. Any other has one (JSON), is done once, and fails for good
after `MOST_ATTEMPTS`; whoever needs it adds it in the very transaction that makes it needed.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy import and_, delete, insert, or_, select, update

from signer.errors import Conflict, InvalidInput, NotFound
from signer.register import tables

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from sqlalchemy import ColumnElement, Update
    from sqlalchemy.engine import Connection

LEASE = timedelta(minutes=15)
"""Who took a job and was not heard of for so long has died with it."""
MOST_ATTEMPTS = 8
"""About an hour of trying; then somebody must look."""
_FIRST_PAUSE, _LONGEST_PAUSE = timedelta(seconds=30), timedelta(hours=1)
_MOST_ARGUMENT = 1000
_CLOCK_SKEW = timedelta(minutes=2)
"""By how much the clocks of two hosts may differ; a row that is further ahead was written before a clock went back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """
    One job as it stands: `attempts` counts those since it last succeeded, the present one included.

    `argument` is JSON, None for a periodic job; `state` is waiting, running, done or failed.
    """

    id: int
    kind: str
    argument: str | None
    state: str
    attempts: int
    next_at: datetime
    lease_until: datetime | None
    error: str | None
    progress: str | None

    @property
    def is_periodic(self) -> bool:
        """Tell whether it comes back for ever."""
        return self.argument is None

    def given(self, name: str) -> str | None:
        """Return one value of the argument, or None."""
        found: dict[str, str] = json.loads(self.argument or "{}")
        return found.get(name)


@dataclass(frozen=True, slots=True)
class Again:
    """What a job answers that is done once and is not over yet: how far it is, and when it goes on."""

    progress: str
    next_at: datetime


def unheard(_progress: str) -> None:
    """Hear how far something is that is no job, and do nothing about it."""


def ensure(tx: Connection, kinds: tuple[str, ...], *, at: datetime) -> None:
    """Have one periodic job of each kind, due at once if it is new."""
    table = tables.jobs
    known = set(tx.execute(select(table.c.kind).where(table.c.argument.is_(None))).scalars())
    for kind in kinds:
        if kind not in known:
            tx.execute(insert(table).values(kind=kind, argument=None, **_waiting(at)))


def enqueue(tx: Connection, kind: str, argument: Mapping[str, str], *, at: datetime) -> int:
    """
    Add a job, to be done once, in the transaction that makes it needed, and return its id.

    One that waits already is not added twice. Raises InvalidInput for an argument over 1,000 characters.
    """
    table = tables.jobs
    encoded = _as_text(argument)
    if len(encoded) > _MOST_ARGUMENT:
        raise InvalidInput("argument", f"of a job has at most {_MOST_ARGUMENT} characters")
    same = and_(table.c.kind == kind, table.c.argument == encoded, table.c.state == "waiting")
    if (known := tx.execute(select(table.c.id).where(same)).scalar()) is not None:
        return int(known)
    made = insert(table).values(kind=kind, argument=encoded, **_waiting(at)).returning(table.c.id)
    return int(tx.execute(made).scalar_one())


def _as_text(argument: Mapping[str, str]) -> str:
    return json.dumps(dict(argument), ensure_ascii=False, sort_keys=True)


def _waiting(at: datetime) -> dict[str, object]:
    return {"state": "waiting", "attempts": 0, "next_at": at, "changed_at": at}


def take(tx: Connection, *, at: datetime, argument: Mapping[str, str] | None = None) -> Job | None:
    """
    Take the job that has been due the longest, or None; the write lock makes that one taker's.

    With an argument: of the jobs that are about just that.
    """
    table = tables.jobs
    due = select(table).where(_is_due(at))
    due = due if argument is None else due.where(table.c.argument == _as_text(argument))
    row = tx.execute(due.order_by(table.c.next_at, table.c.id).limit(1)).first()
    if row is None:
        return None
    taken = {"state": "running", "attempts": row.attempts + 1, "lease_until": at + LEASE, "changed_at": at}
    tx.execute(update(table).where(table.c.id == row.id).values(**taken))
    return get(tx, row.id)


def is_single_due(tx: Connection, *, at: datetime) -> bool:
    """Tell whether a job that is done once is due: somebody may be waiting for it."""
    table = tables.jobs
    due = select(table.c.id).where(table.c.state == "waiting", table.c.next_at <= at, table.c.argument.is_not(None))
    return tx.execute(due.limit(1)).first() is not None


def _is_due(at: datetime) -> ColumnElement[bool]:
    """
    Tell which jobs are due, or orphaned.

    A row written in what is now the future was written before the clock was set back: its times mean nothing, so it is
    due now. A job may be done twice then, and each is made for that; but none stands still for as long as the clock
    went back.
    """
    table = tables.jobs
    is_ahead = table.c.changed_at > at + _CLOCK_SKEW
    waits = and_(table.c.state == "waiting", or_(table.c.next_at <= at, is_ahead))
    return or_(waits, and_(table.c.state == "running", or_(table.c.lease_until <= at, is_ahead)))


def tell(tx: Connection, job: Job, progress: str, *, at: datetime) -> Job:
    """
    Say how far a job is, and keep it for another lease; return it as it stands now.

    Conflict if another worker has taken it over meanwhile: then this one stops.
    """
    kept = {"lease_until": at + LEASE, "changed_at": at, "progress": progress[:400]}
    if not tx.execute(_mine(job).values(**kept)).rowcount:
        raise Conflict(f"job {job.id} ({job.kind}) was taken over by another worker")
    return replace(job, lease_until=at + LEASE, progress=progress[:400])


def succeed(tx: Connection, job: Job, *, next_at: datetime, at: datetime, progress: str) -> None:
    """Put a job back until it is due again, or end one that is done once; unless another has taken it over."""
    state = "waiting" if job.is_periodic else "done"
    done = {"state": state, "attempts": 0, "next_at": next_at, "changed_at": at, "lease_until": None, "error": None}
    tx.execute(_mine(job).values(progress=progress[:400], **done))


def put_back(tx: Connection, job: Job, again: Again, *, at: datetime) -> None:
    """Let a job that got on wait for its next turn, behind all that is due before; unless another has taken it over."""
    waiting = {**_waiting(at), "next_at": again.next_at, "lease_until": None, "error": None}
    tx.execute(_mine(job).values(progress=again.progress[:400], **waiting))


def fail(tx: Connection, job: Job, *, error: str, at: datetime) -> bool:
    """
    Put a job back to be tried again, after a pause that doubles each time; give up on one that is done once.

    Return whether it was given up just now.
    """
    is_lost = not job.is_periodic and job.attempts >= MOST_ATTEMPTS
    pause = min(_FIRST_PAUSE * 2 ** min(job.attempts - 1, 12), _LONGEST_PAUSE)
    put = {"state": "failed" if is_lost else "waiting", "next_at": at + pause, "changed_at": at, "lease_until": None}
    is_mine = tx.execute(_mine(job).values(error=error[:400], **put)).rowcount == 1
    return is_lost and is_mine


def retry(tx: Connection, job_id: int, *, at: datetime) -> Job:
    """Make a job due now, as if it were new. NotFound; Conflict if it is running or done."""
    job = get(tx, job_id)
    if job.state not in ("failed", "waiting"):
        raise Conflict(f"job {job_id} is {job.state}")
    tx.execute(update(tables.jobs).where(tables.jobs.c.id == job_id).values(**_waiting(at)))
    return get(tx, job_id)


def drop(tx: Connection, job_id: int) -> Job:
    """Forget a job that was given up; return it as it stood. NotFound; Conflict for any other."""
    job = get(tx, job_id)
    table = tables.jobs
    if not tx.execute(delete(table).where(table.c.id == job_id, table.c.state == "failed")).rowcount:
        raise Conflict(f"job {job_id} is {job.state}: only what was given up is dropped")
    return job


def prune(tx: Connection, *, done_before: datetime, failed_before: datetime) -> int:
    """Forget jobs that were done, or given up, long ago; return how many."""
    table = tables.jobs
    is_old = or_(
        and_(table.c.state == "done", table.c.changed_at < done_before),
        and_(table.c.state == "failed", table.c.changed_at < failed_before),
    )
    return tx.execute(delete(table).where(is_old)).rowcount


def jobs(tx: Connection) -> tuple[Job, ...]:
    """Return all jobs: the periodic ones by kind, then the others, the oldest first."""
    rows = tx.execute(select(tables.jobs)).mappings()
    found = [Job(**{name: row[name] for name in Job.__dataclass_fields__}) for row in rows]
    return tuple(sorted(found, key=lambda job: (not job.is_periodic, job.kind if job.is_periodic else "", job.id)))


def get(tx: Connection, job_id: int) -> Job:
    """Return one job. NotFound."""
    row = tx.execute(select(tables.jobs).where(tables.jobs.c.id == job_id)).mappings().first()
    if row is None:
        raise NotFound(f"no job {job_id}")
    return Job(**{name: row[name] for name in Job.__dataclass_fields__})


def _mine(job: Job) -> Update:
    table = tables.jobs
    taken = and_(table.c.lease_until == job.lease_until, table.c.attempts == job.attempts)
    return update(table).where(table.c.id == job.id, table.c.state == "running", taken)
