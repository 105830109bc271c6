"""Batches as the register keeps them: what was handed in, how it stands, whose word it is, and whose turn."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final, Literal

from sqlalchemy import and_, exists, func, insert, or_, select, update

from signer.domain.batch import BatchState, Failure, Mark, Progress, rate
from signer.errors import Conflict, NotFound
from signer.register import audit, jobs, tables
from signer.register.batch_tables import batch_files, batches

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from sqlalchemy.engine import Connection, RowMapping

    from signer.register.scope import Scope

JOB: Final = "batch"
"""A hand: whoever takes this job seals for about a slice, of whichever batch has its turn."""
READ: Final = "batch-read"
HANDS: Final = 4
"""So many workers may seal batches at once."""
KEY: Final = "batch "
"""Every idempotency key of an item begins so."""
PAGE = 25
MOST_REASON = 400
_FIRST_PAUSE, _LONGEST_PAUSE = timedelta(seconds=15), timedelta(minutes=10)
_MARK_EVERY = timedelta(seconds=20)
_FRESH = timedelta(seconds=5)
"""What is pending for longer is nobody's who waits: its process has ended, or a witness is slow."""
_MOST_TITLE = 120
_NEVER = datetime.min.replace(tzinfo=UTC)
_AT_WORK = (BatchState.RUNNING, BatchState.HALTED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """
    One batch: `size` vehicles at most on one confirmation, `root` what an approver binds (32 bytes, None until read).

    `started_at` is when somebody last let it run, `next_at` when a halted one goes on by itself, `served_at` when it
    last had its turn; `since` tells how many items were over some time ago, for the rate.
    """

    id: int
    ref: str
    manufacturer_id: int
    title: str
    file_name: str
    file_digest: bytes
    size: int
    state: BatchState
    version: int
    items: int
    vehicles: int
    done: int
    failed: int
    root: bytes | None
    prepared_by: str
    created_at: datetime
    sent_by: str | None
    sent_at: datetime | None
    reason: str | None
    decided_by: str | None
    decided_at: datetime | None
    factor: str | None
    external_ref: str | None
    started_at: datetime | None
    halted: Failure | None
    halts: int
    next_at: datetime | None
    served_at: datetime | None
    changed_at: datetime
    since: Mark | None

    @property
    def progress(self) -> Progress:
        """How far it is, and at what rate while it runs."""
        count = self.done + self.failed
        is_running = self.state is BatchState.RUNNING
        return Progress(
            items=self.items,
            vehicles=self.vehicles,
            done=self.done,
            failed=self.failed,
            rate=rate(self.since, at=self.changed_at, count=count) if is_running else None,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class New:
    """A file that is handed in."""

    ref: str
    title: str
    file_name: str
    file_digest: bytes
    data: bytes
    size: int
    report: str


def add(tx: Connection, new: New, *, by: str, scope: Scope, at: datetime) -> None:
    """Add a batch that waits to be read, and the job that reads it."""
    told = {"ref": new.ref, "title": new.title[:_MOST_TITLE], "file_name": new.file_name[:_MOST_TITLE]}
    counts = dict.fromkeys(("items", "vehicles", "done", "failed", "halts"), 0)
    values = {**told, **counts, "file_digest": new.file_digest, "size": new.size, "state": BatchState.READING}
    made = insert(batches).values(
        **values, version=1, manufacturer_id=scope.owner, prepared_by=by, created_at=at, changed_at=at
    )
    batch_id = tx.execute(made.returning(batches.c.id)).scalar_one()
    kept = {"batch_id": batch_id, "manufacturer_id": scope.owner, "data": new.data, "report": new.report}
    tx.execute(insert(batch_files).values(**kept))
    jobs.enqueue(tx, READ, {"batch": new.ref}, at=at)
    note(tx, "batch.handed-in", new.ref, by=by, scope=scope, at=at, digest=new.file_digest.hex()[:16])


def get(tx: Connection, ref: str, *, scope: Scope) -> Head:
    """Return a batch. NotFound, also for another manufacturer's."""
    row = tx.execute(scope.only(select(batches), batches).where(batches.c.ref == ref)).mappings().first()
    if row is None:
        raise NotFound(f"no batch {ref!r}")
    return _head(row)


def file(tx: Connection, head: Head, *, scope: Scope) -> tuple[bytes | None, str]:
    """Return the file of a batch, None once it is forgotten, and what is told of it (JSON)."""
    wanted = scope.only(select(batch_files.c.data, batch_files.c.report), batch_files)
    row = tx.execute(wanted.where(batch_files.c.batch_id == head.id)).one()
    return row.data, row.report


def report(tx: Connection, head: Head, *, scope: Scope) -> str:
    """Return what is told of a batch's file (JSON)."""
    wanted = scope.only(select(batch_files.c.report), batch_files).where(batch_files.c.batch_id == head.id)
    found: str = tx.execute(wanted).scalar_one()
    return found


def same(tx: Connection, file_digest: bytes, size: int, *, scope: Scope) -> str | None:
    """Return the batch of the same file in the same groups, unless it was faulty or never approved and cancelled."""
    is_dead = or_(
        batches.c.state == BatchState.FAULTY,
        and_(batches.c.state == BatchState.CANCELLED, batches.c.decided_at.is_(None)),
    )
    wanted = scope.only(select(batches.c.ref), batches).where(
        batches.c.file_digest == file_digest, batches.c.size == size, ~is_dead
    )
    return tx.execute(wanted.order_by(batches.c.id.desc()).limit(1)).scalar()


def count(tx: Connection, *, but: Collection[BatchState], scope: Scope) -> int:
    """Return how many batches of a manufacturer stand otherwise than so."""
    wanted = scope.only(select(func.count()).select_from(batches), batches).where(batches.c.state.not_in(but))
    return int(tx.execute(wanted).scalar_one())


def page(tx: Connection, *, scope: Scope, number: int = 1) -> tuple[Head, ...]:
    """Return one page of a manufacturer's batches, the last first, and the first of the next page if any."""
    wanted = scope.only(select(batches), batches).order_by(batches.c.id.desc())
    rows = tx.execute(wanted.limit(PAGE + 1).offset((number - 1) * PAGE)).mappings()
    return tuple(map(_head, rows))


def part(tx: Connection, *, scope: Scope, states: tuple[str, ...], before: int, limit: int) -> tuple[Head, ...]:
    """Return batches in some states (none: in any), the newest first, with an id below `before` (0: all); one more."""
    wanted = scope.only(select(batches), batches)
    wanted = wanted.where(batches.c.state.in_(states)) if states else wanted
    wanted = wanted.where(batches.c.id < before) if before else wanted
    rows = tx.execute(wanted.order_by(batches.c.id.desc()).limit(limit + 1)).mappings()
    return tuple(map(_head, rows))


def settle_reading(
    tx: Connection, head: Head, *, told: str, counts: tuple[int, int], root: bytes | None, scope: Scope, at: datetime
) -> None:
    """End the reading of a batch: with `counts` of items and vehicles and a root it is ready, without it is faulty."""
    mine = scope.only(update(batch_files), batch_files).where(batch_files.c.batch_id == head.id)
    tx.execute(mine.values(report=told))
    state = BatchState.FAULTY if root is None else BatchState.READY
    items, vehicles = counts if root is not None else (0, 0)
    values = {"items": items, "vehicles": vehicles, "root": root}
    move(tx, head, state, values, scope=scope, at=at)
    said = {"items": str(items)} if root is None else {"items": str(items), "root": root.hex()}
    note(tx, f"batch.{state}", head.ref, by=head.prepared_by, scope=scope, at=at, **said)


def move(
    tx: Connection, head: Head, state: BatchState, values: Mapping[str, object], *, scope: Scope, at: datetime
) -> None:
    """Let a batch stand otherwise, as it was seen. Conflict if it changed meanwhile."""
    mine = scope.only(update(batches), batches).where(
        batches.c.id == head.id, batches.c.state == head.state, batches.c.version == head.version
    )
    moved = {**values, "state": state, "version": head.version + 1, "changed_at": at}
    if not tx.execute(mine.values(**moved)).rowcount:
        raise Conflict(f"batch {head.ref} is not {head.state} any more")


def start(tx: Connection, head: Head, values: Mapping[str, object], *, scope: Scope, at: datetime) -> None:
    """Let a batch run from now on, and have hands for it."""
    count = head.done + head.failed
    marks = {"older_at": at, "older_count": count, "newer_at": at, "newer_count": count}
    fresh = {**marks, "started_at": at, "halted": None, "halts": 0, "next_at": None}
    move(tx, head, BatchState.RUNNING, {**fresh, **values}, scope=scope, at=at)
    have_hands(tx, at=at)


def have_hands(tx: Connection, *, at: datetime) -> None:
    """Have a job for each worker that may seal batches at once; those that wait already are not added twice."""
    for hand in range(1, HANDS + 1):
        jobs.enqueue(tx, JOB, {"hand": str(hand)}, at=at)


def halt(
    tx: Connection, head: Head, failure: Failure, *, tries_again: bool, scope: Scope, at: datetime
) -> datetime | None:
    """
    Let a batch that runs stand still for what every item needs; return when it goes on by itself, if it does.

    The pause doubles each time that it gets no further. Nothing if it does not run any more.
    """
    now = get(tx, head.ref, scope=scope)
    if now.state is not BatchState.RUNNING:
        return None
    next_at = at + min(_FIRST_PAUSE * 2 ** min(now.halts, 12), _LONGEST_PAUSE) if tries_again else None
    values = {"halted": failure.model_dump_json(), "halts": now.halts + 1, "next_at": next_at}
    move(tx, now, BatchState.HALTED, values, scope=scope, at=at)
    note(tx, "batch.halted", head.ref, by="signer", scope=scope, at=at, code=failure.code, error=failure.en[:200])
    return next_at


def wake(tx: Connection, *, scope: Scope, at: datetime) -> int:
    """Let what was halted for a while run again; return how many."""
    due = scope.only(update(batches), batches).where(batches.c.state == BatchState.HALTED, batches.c.next_at <= at)
    count = batches.c.done + batches.c.failed
    marks = {"older_at": at, "older_count": count, "newer_at": at, "newer_count": count}
    woken = due.values(state=BatchState.RUNNING, next_at=None, version=batches.c.version + 1, **marks)
    return tx.execute(woken).rowcount


def take_turn(tx: Connection, *, scope: Scope, at: datetime) -> Head | None:
    """
    Return the batch that has its turn, of the manufacturer that waited longest the oldest; None if none runs.

    All that run of that manufacturer have had their turn then.
    """
    wanted = scope.only(select(batches), batches).where(batches.c.state == BatchState.RUNNING)
    running = [_head(row) for row in tx.execute(wanted.order_by(batches.c.id)).mappings()]
    if not running:
        return None
    served = {one.manufacturer_id: _NEVER for one in running}
    for one in running:
        served[one.manufacturer_id] = max(served[one.manufacturer_id], one.served_at or _NEVER)
    first = min(running, key=lambda one: (served[one.manufacturer_id], one.id))
    its = (batches.c.manufacturer_id == first.manufacturer_id, batches.c.state == BatchState.RUNNING)
    tx.execute(scope.only(update(batches), batches).where(*its).values(served_at=at))
    return first


def next_turn(tx: Connection, *, scope: Scope, at: datetime) -> datetime | None:
    """Return when something is to be sealed again: now, when the first that was halted goes on, or None."""
    wanted = scope.only(select(batches.c.state, batches.c.next_at), batches).where(batches.c.state.in_(_AT_WORK))
    rows = tx.execute(wanted).all()
    if any(row.state == BatchState.RUNNING for row in rows):
        return at
    return min((row.next_at for row in rows if row.next_at is not None), default=None)


def mark(tx: Connection, head: Head, *, scope: Scope, at: datetime) -> None:
    """Remember how many items are over now and then, for the rate."""
    mine = scope.only(update(batches), batches).where(
        batches.c.id == head.id, or_(batches.c.newer_at.is_(None), batches.c.newer_at <= at - _MARK_EVERY)
    )
    older = {"older_at": batches.c.newer_at, "older_count": batches.c.newer_count}
    tx.execute(mine.values(**older, newer_at=at, newer_count=batches.c.done + batches.c.failed))


Waits = Literal["nobody", "job", "order"]


def who_waits(tx: Connection, *, at: datetime) -> Waits:
    """
    Tell whether a person waits while a batch is sealed: for a job, or for an order that another process is sealing.

    An order counts only while it is fresh; items of batches are nobody's who waits.
    """
    jobs_, heads, keys = tables.jobs, tables.confirmations, tables.idempotency
    job = select(jobs_.c.id).where(
        jobs_.c.state == "waiting",
        jobs_.c.next_at <= at,
        jobs_.c.argument.is_not(None),
        jobs_.c.kind.not_in((JOB, READ)),
    )
    of_batch = select(keys.c.key).where(keys.c.confirmation_id == heads.c.id, keys.c.key.like(f"{KEY}%"))
    order = select(heads.c.id).where(
        tables.IS_PENDING, heads.c.reserved_at > at - _FRESH, heads.c.reserved_at <= at, ~exists(of_batch)
    )
    found = tx.execute(select(exists(job), exists(order))).one()
    return "job" if found[0] else "order" if found[1] else "nobody"


def forget_files(tx: Connection, *, before: datetime, scope: Scope) -> int:
    """Forget the files of batches that stand still since an instant; return how many. What they said stays."""
    still = [BatchState.DONE, BatchState.CANCELLED, BatchState.FAULTY]
    old = scope.only(select(batches.c.id), batches).where(batches.c.state.in_(still), batches.c.changed_at < before)
    mine = scope.only(update(batch_files), batch_files).where(
        batch_files.c.batch_id.in_(old), batch_files.c.data.is_not(None)
    )
    return tx.execute(mine.values(data=None)).rowcount


def counted(tx: Connection, *, scope: Scope, state: BatchState) -> int:
    """Return how many batches stand so."""
    wanted = scope.only(select(func.count()).select_from(batches), batches).where(batches.c.state == state)
    return int(tx.execute(wanted).scalar_one())


def note(tx: Connection, event: str, ref: str, *, by: str, scope: Scope, at: datetime, **told: str) -> None:
    """Add an event of a batch to the audit."""
    audit.note(tx, event, actor=by, subject=ref, at=at, manufacturer_id=scope.owner, **told)


def _head(row: RowMapping) -> Head:
    told = {name: row[name] for name in Head.__dataclass_fields__ if name not in ("halted", "state", "since")}
    since = None if row["older_at"] is None else Mark(at=row["older_at"], count=row["older_count"])
    halted = None if row["halted"] is None else Failure.model_validate_json(row["halted"])
    return Head(**told, state=BatchState(row["state"]), halted=halted, since=since)
