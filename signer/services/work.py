"""Do what is due: take jobs one by one from the register, whoever woke us, and put them back done or failed."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import structlog

from signer.errors import SignerError
from signer.register import jobs

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from signer.register.database import Database
    from signer.register.jobs import Job
    from signer.services.maintain import Maintaining

log = structlog.get_logger()

EVERY: Mapping[str, timedelta] = {
    "end-suspensions": timedelta(minutes=1),
    "prune": timedelta(hours=1),
    "re-verify": timedelta(hours=24),
    "settle": timedelta(minutes=1),
}
"""The periodic jobs, and how long after a success each is due again."""
_MOST_AT_ONCE = 50


class Working:
    """Run jobs. Any number of processes on any number of hosts may do so over one register."""

    def __init__(self, *, database: Database, maintaining: Maintaining, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._clock = clock
        self._doing: Mapping[str, Callable[[], str]] = {
            "end-suspensions": lambda: f"{len(maintaining.end_suspensions())} ended",
            "prune": lambda: f"{maintaining.prune()} forgotten",
            "re-verify": lambda: f"{maintaining.reverify()} sound",
            "settle": lambda: ", ".join(f"{one.number} {one.outcome}" for one in maintaining.settle()),
        }

    def run_due(self) -> tuple[str, ...]:
        """Run everything that is due now, and return the kinds in order; a failed job waits and is tried again."""
        with self._database.write() as tx:
            jobs.ensure(tx, tuple(EVERY), at=self._clock())
        done: list[str] = []
        while len(done) < _MOST_AT_ONCE and (job := self._take()) is not None:
            self._run(job)
            done.append(job.kind)
        return tuple(done)

    def all(self) -> tuple[Job, ...]:
        """Return every job as it stands."""
        with self._database.read() as tx:
            return jobs.jobs(tx)

    def _take(self) -> Job | None:
        with self._database.write() as tx:
            return jobs.take(tx, at=self._clock())

    def _run(self, job: Job) -> None:
        try:
            progress = self._doing[job.kind]()
        except SignerError as error:
            self._fail(job, f"{error.code}: {error}")
        except Exception as error:
            log.exception("job.crashed", kind=job.kind)
            self._fail(job, repr(error))
        else:
            with self._database.write() as tx:
                jobs.succeed(tx, job, next_at=self._clock() + EVERY[job.kind], progress=progress)

    def _fail(self, job: Job, error: str) -> None:
        log.error("job.failed", kind=job.kind, attempts=job.attempts, error=error[:200])
        with self._database.write() as tx:
            jobs.fail(tx, job, error=error, at=self._clock())
