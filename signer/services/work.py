"""Do what is due: take jobs one by one from the register, whoever woke us, and put them back done or failed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

import structlog

from signer import metrics
from signer.domain import batch
from signer.domain.importing import Failure
from signer.domain.number import Number
from signer.errors import Conflict, InvalidInput, SelfCheckFailed, SignerError, Unavailable
from signer.metrics.catalogue import JOB_SECONDS, JOBS
from signer.register import audit, batches, jobs
from signer.register.jobs import Again
from signer.services.importing import JOB as IMPORT

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from signer.register.database import Database
    from signer.register.jobs import Job
    from signer.services.approving import Approving
    from signer.services.batch_running import BatchRunning
    from signer.services.batching import Batching
    from signer.services.importing import Importing
    from signer.services.keep import Keeping
    from signer.services.maintain import Maintaining
    from signer.services.upgrade import Upgrading

log = structlog.get_logger()

EVERY: Mapping[str, timedelta] = {
    "batches": timedelta(minutes=1),
    "deliver": timedelta(minutes=1),
    "end-suspensions": timedelta(minutes=1),
    "log": timedelta(minutes=1),
    "look-again": timedelta(hours=6),
    "mail": timedelta(minutes=1),
    "prune": timedelta(hours=1),
    "re-verify": timedelta(hours=24),
    "remind": timedelta(hours=6),
    "settle": timedelta(minutes=1),
    "status-lists": timedelta(hours=1),
    "tally": timedelta(minutes=1),
    "upgrade": timedelta(hours=6),
}
"""The periodic jobs, and how long after a success each is due again."""
ONCE: Mapping[str, bool] = {"log-backfill": False, "re-verify": True, "scrub": False, "settle": True}
"""The jobs that can be added to be done once, and whether each is about one number."""
DONE_KEPT, FAILED_KEPT = timedelta(days=7), timedelta(days=90)
_MOST_AT_ONCE = 50


@dataclass(frozen=True, slots=True)
class Doing:
    """How a kind of job is done: with what its argument says, told how far it is; returns what came of it."""

    job: Job
    tell: Callable[[str], None]

    @property
    def number(self) -> Number | None:
        """The number that the job is about, None for a periodic one."""
        given = self.job.given("number")
        return None if given is None else Number.parse(given)


@dataclass(frozen=True, slots=True, kw_only=True)
class OfFiles:
    """What is done of files that people handed in: imports and batches."""

    importing: Importing
    batching: Batching
    running: BatchRunning


def _plainly(done: Callable[[Callable[[str], None]], str], doing: Doing) -> str:
    """Do a job that needs nothing but somebody to tell how far it is."""
    return done(doing.tell)


def _never() -> bool:
    return False


class Working:
    """
    Run jobs. Any number of processes on any number of hosts may do so over one register.

    `plain` are the kinds that need nothing but somebody to tell how far they are.
    """

    def __init__(
        self,
        *,
        database: Database,
        maintaining: Maintaining,
        keeping: Keeping,
        upgrading: Upgrading,
        plain: Mapping[str, Callable[[Callable[[str], None]], str]],
        approving: Approving,
        of_files: OfFiles,
        clock: Callable[[], datetime],
    ) -> None:
        self._database = database
        self._approving = approving
        self._maintaining = maintaining
        self._keeping = keeping
        self._upgrading = upgrading
        self._importing = importing = of_files.importing
        self._batching = of_files.batching
        self._clock = clock
        self._doing: Mapping[str, Callable[[Doing], str | Again]] = {
            batches.JOB: lambda doing: of_files.running.work(doing.tell),
            batches.READ: lambda doing: of_files.batching.read(doing.job.given("batch") or "", doing.tell),
            "batches": lambda doing: of_files.running.tend(doing.tell),
            "end-suspensions": lambda _: f"{len(maintaining.end_suspensions())} ended",
            IMPORT: lambda doing: importing.run(doing.job.given("import") or "", doing.tell),
            "prune": self._prune,
            "re-verify": self._reverify,
            "scrub": self._scrub,
            "settle": self._settle,
            "look-again": lambda doing: f"{upgrading.look_again(doing.tell)} seals asked about",
            "upgrade": self._upgrade,
        } | {kind: partial(_plainly, done) for kind, done in plain.items()}

    def run_due(self, *, is_stopped: Callable[[], bool] = _never) -> tuple[str, ...]:
        """
        Run everything that is due now, and return the kinds in order; a failed job waits and is tried again.

        Between two jobs `is_stopped` is asked whether to leave the others to somebody else.
        """
        with self._database.write() as tx:
            jobs.ensure(tx, tuple(EVERY), at=self._clock())
        done: list[str] = []
        while len(done) < _MOST_AT_ONCE and not is_stopped() and (job := self._take()) is not None:
            self._run(job)
            done.append(job.kind)
        return tuple(done)

    def run_about(self, argument: Mapping[str, str]) -> bool:
        """Run one job that is about just this, for somebody who waits for it; False if none is due, or others do it."""
        with self._database.write() as tx:
            job = jobs.take(tx, at=self._clock(), argument=argument)
        if job is not None:
            self._run(job)
        return job is not None

    def is_awaited(self) -> bool:
        """Tell whether a job that is done once is due, with one small question."""
        with self._database.read() as tx:
            return jobs.is_single_due(tx, at=self._clock())

    def add(self, kind: str, *, number: Number | None = None, actor: str) -> int:
        """Add a job to be done once, and return its id; whoever calls wakes the queue. InvalidInput, NotFound."""
        if kind not in ONCE:
            raise InvalidInput("kind", f"is one of {', '.join(ONCE)}")
        if ONCE[kind] is (number is None):
            raise InvalidInput("number", "is needed for this kind" if number is None else "does not belong to it")
        at, argument = self._clock(), {} if number is None else {"number": str(number)}
        with self._database.write() as tx:
            added = jobs.enqueue(tx, kind, argument, at=at)
            audit.note(tx, "job.added", actor=actor, subject=number or kind, at=at, manufacturer_id=None, kind=kind)
        return added

    def retry(self, job_id: int, *, actor: str) -> Job:
        """Make a failed or waiting job due now; whoever calls wakes the queue. NotFound, Conflict."""
        at = self._clock()
        with self._database.write() as tx:
            job = jobs.retry(tx, job_id, at=at)
            audit.note(tx, "job.retried", actor=actor, subject=str(job_id), at=at, manufacturer_id=None, kind=job.kind)
            if job.kind == IMPORT and (ref := job.given("import")) is not None:
                self._importing.revive(tx, ref)
            return job

    def drop(self, job_id: int, *, actor: str) -> Job:
        """Forget a job that was given up, with what went wrong in the audit. NotFound, Conflict."""
        at = self._clock()
        with self._database.write() as tx:
            job = jobs.drop(tx, job_id)
            told = {"kind": job.kind, "error": (job.error or "")[:200], "about": (job.argument or "")[:200]}
            audit.note(tx, "job.dropped", actor=actor, subject=str(job_id), at=at, manufacturer_id=None, **told)
        return job

    def all(self) -> tuple[Job, ...]:
        """Return every job as it stands."""
        with self._database.read() as tx:
            return jobs.jobs(tx)

    def _take(self) -> Job | None:
        with self._database.write() as tx:
            return jobs.take(tx, at=self._clock())

    def _run(self, job: Job) -> None:
        with structlog.contextvars.bound_contextvars(job=job.id):
            self._run_named(job)

    def _run_named(self, job: Job) -> None:
        lease = _Lease(self._database, job, self._clock)
        try:
            with metrics.timed(JOB_SECONDS, job.kind):
                progress = self._doing[job.kind](Doing(job, lease.tell))
        except SignerError as error:
            self._fail(lease.job, f"{error.code}: {error}")
        except Exception as error:
            log.exception("job.crashed", kind=job.kind)
            self._fail(lease.job, repr(error))
        else:
            self._succeed(lease.job, progress)

    def _succeed(self, job: Job, said: str | Again) -> None:
        at = self._clock()
        metrics.count(JOBS, job.kind, "again" if isinstance(said, Again) else "done")
        with self._database.write() as tx:
            if isinstance(said, Again):
                jobs.put_back(tx, job, said, at=at)
                return
            next_at = at + EVERY[job.kind] if job.is_periodic else at
            jobs.succeed(tx, job, next_at=next_at, at=at, progress=said)

    def _fail(self, job: Job, error: str) -> None:
        metrics.count(JOBS, job.kind, "failed")
        log.error("job.failed", kind=job.kind, id=job.id, attempts=job.attempts, error=error[:200])
        with self._database.write() as tx:
            is_lost = jobs.fail(tx, job, error=error, at=self._clock())
            if is_lost and job.kind == IMPORT and (ref := job.given("import")) is not None:
                self._importing.give_up(tx, ref, Failure(code="tries", words=error[:400]))
            if is_lost and job.kind == batches.READ and (ref := job.given("batch")) is not None:
                self._batching.give_up(tx, ref, batch.failure("tries", en=error))

    def _upgrade(self, doing: Doing) -> str:
        upgraded = self._upgrading.upgrade(doing.tell)
        if upgraded.faults:
            raise Unavailable(
                f"{upgraded.made} made, {len(upgraded.faults)} failed: {'; '.join(upgraded.faults)}"[:300]
            )
        return f"{upgraded.made} archive copies made"

    def _settle(self, doing: Doing) -> str:
        number = doing.number
        if number is None:
            finished = [f"{one.number} {one.outcome}" for one in self._maintaining.settle(tell=doing.tell)]
            approved = [f"{one.number or 'an approval'} {one.outcome}" for one in self._approving.settle(doing.tell)]
            return ", ".join(finished + approved)
        settled = self._maintaining.settle_one(number)
        if settled.outcome == "waiting":
            raise Conflict(f"{number} is still pending: {settled.reason}")
        return f"{number} {settled.outcome}"

    def _reverify(self, doing: Doing) -> str:
        number = doing.number
        if number is None:
            return f"{self._maintaining.reverify(tell=doing.tell)} sound"
        return f"{number}: {self._maintaining.reverify_one(number)}"

    def _scrub(self, doing: Doing) -> str:
        found = self._keeping.scrub(doing.tell)
        if faulty := found.damaged + found.missing:
            raise SelfCheckFailed(f"{len(found.damaged)} damaged, {len(found.missing)} missing: {', '.join(faulty)}")
        return f"{found.sound} sound"

    def _prune(self, _doing: Doing) -> str:
        at = self._clock()
        with self._database.write() as tx:
            old = jobs.prune(tx, done_before=at - DONE_KEPT, failed_before=at - FAILED_KEPT)
        return f"{self._maintaining.prune() + self._importing.prune() + self._batching.prune() + old} forgotten"


class _Lease:
    """A job that is being done, kept from others for as long as it tells how far it is."""

    def __init__(self, database: Database, job: Job, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._clock = clock
        self.job = job

    def tell(self, progress: str) -> None:
        """Write down how far the job is, in a transaction of its own, and prolong the lease. Conflict if it is lost."""
        with self._database.write() as tx:
            self.job = jobs.tell(tx, self.job, progress, at=self._clock())
