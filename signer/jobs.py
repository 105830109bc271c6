"""The queue: huey wakes whoever works; what is to be done stands in the register, so a lost queue loses nothing."""

from __future__ import annotations

import json
import os
import sqlite3
import threading
import time
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import structlog
from huey import PostgresHuey, SqliteHuey, crontab, storage
from huey.consumer import Consumer, Worker
from huey.exceptions import HueyException
from huey.registry import Message
from huey.serializer import Serializer

from signer.errors import Misconfigured, SignerError
from signer.services.doctor import Symptom

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from huey import Huey

    from signer.wiring import Services

NAME = "signer"
SILENCE_S = 90.0
"""So long after the last look a worker looks by itself: the queue, which wakes it each minute, is broken or gone."""
NOTICE_S = 1.0
"""How often a worker asks the register whether somebody waits for a job; web pages wake no queue."""
_LONGEST_NOTICE_S = 60.0
NICENESS = 10
"""By how much a worker stands back (nice): while a batch is sealed, whoever waits at a page comes first."""
_POLL_S = 1.0
_DRIVER = (storage.psycopg.Error,) if storage.psycopg is not None else ()
_BROKEN: tuple[type[Exception], ...] = (OSError, sqlite3.Error, HueyException, *_DRIVER)
"""What a queue may raise; psycopg is an extra, and huey has it where it is installed."""
_UNWOKEN: tuple[type[Exception], ...] = (Misconfigured, *_BROKEN)
log = structlog.get_logger()


class Plain(Serializer):  # type: ignore[misc] # huey has no types
    """Messages as JSON: nothing that is read from a queue is ever run, as pickle would."""

    def _serialize(self, data: Message) -> bytes:
        return json.dumps(list(data)).encode()

    def _deserialize(self, data: bytes) -> Message:
        fields = json.loads(data)
        found = Message(*fields)
        return found._replace(args=tuple(found.args or ()))


class Queue:
    """The queue of a deployment: in the register's own PostgreSQL, in a file beside SQLite, or where a setting says."""

    def __init__(self, services: Services) -> None:
        """Open the queue, and make what it keeps if that is not there. Misconfigured."""
        try:
            self.huey: Huey = _open(services)
        except _BROKEN as error:
            raise Misconfigured(f"the queue ({_place(services)}) cannot be opened: {error}") from error
        self._services = services
        self._is_draining = services.room.is_draining
        self._looked_at = -SILENCE_S
        self._notice_at, self._notice_s = 0.0, NOTICE_S
        self._wake = self.huey.periodic_task(crontab(minute="*"), name="wake")(self.look)

    def look(self) -> None:
        """
        Do what is due: the queue's one task. Then open the queue anew, which a hand may have deleted meanwhile.

        Nothing is begun while this machine is drained.
        """
        try:
            if not self._is_draining():
                self._services.working.run_due(is_stopped=self._is_draining)
        finally:
            self._looked_at = time.monotonic()
            self._mend()

    def look_if_needed(self) -> None:
        """
        Do what is due without being woken: once the queue has been silent for too long, or if somebody waits for a job.

        Whatever happens, go on; while the register fails, it is asked more and more seldom.
        """
        now = time.monotonic()
        if self._is_draining() or (now < self._notice_at and now - self._looked_at < SILENCE_S):
            return
        try:
            if now - self._looked_at >= SILENCE_S or self._services.working.is_awaited():
                self.look()
            self._notice_s = NOTICE_S
        except SignerError as error:
            self._notice_s = min(self._notice_s * 2, _LONGEST_NOTICE_S)
            log.warning("worker.look-failed", code=error.code, error=str(error)[:200])
        self._notice_at = time.monotonic() + self._notice_s

    def _mend(self) -> None:
        try:
            self.huey.storage.close()
            self.huey.storage.initialize_schema()
        except _BROKEN as error:
            log.warning("queue.broken", error=str(error)[:200])

    def wake(self) -> None:
        """Ask whoever works to look now."""
        self._wake()

    def close(self) -> None:
        """Let go of what the queue keeps open."""
        self.huey.storage.close()


def _place(services: Services) -> str:
    """Tell where the queue is, without a password."""
    url = services.settings.queue_url
    if not url:
        default = services.settings.data_dir / "queue.sqlite3"
        return "the register's PostgreSQL" if services.database.dialect == "postgresql" else str(default)
    parts = urlsplit(url)
    return parts.path if parts.scheme == "sqlite" else f"{parts.scheme}://{parts.hostname}{parts.path}"


def _open(services: Services) -> Huey:
    options = {"results": False, "serializer": Plain()}
    url = services.settings.queue_url
    if url.startswith("postgresql") or (not url and services.database.dialect == "postgresql"):
        return PostgresHuey(NAME, dsn=url or services.database.dsn, blocking=False, connect_timeout=5, **options)
    path = url.removeprefix("sqlite:///") or str(services.settings.data_dir / "queue.sqlite3")
    return SqliteHuey(NAME, filename=path, **options)


def wake(services: Services) -> None:
    """Wake a worker at once, after a commit that added a job; if the queue is gone, the next minute finds the job."""
    try:
        queue = Queue(services)
        try:
            queue.wake()
        finally:
            queue.close()
    except _UNWOKEN as error:
        log.warning("queue.not-woken", error=str(error)[:200])


def examine(services: Services) -> Symptom:
    """Tell whether the queue opens, for `signer doctor`."""
    place = _place(services)
    try:
        Queue(services).close()
    except Misconfigured as error:
        told = f"{error}; jobs run when a worker looks by itself, every {SILENCE_S:.0f} s: mend SIGNER_QUEUE_URL"
        return Symptom("queue", "warning", told)
    return Symptom("queue", "ok", place)


def run(services: Services) -> None:
    """Work until SIGTERM: first what is due already, then whenever the queue wakes us, and when it fails to."""
    os.nice(max(0, NICENESS - os.nice(0)))
    queue = Queue(services)
    with couriers(services):
        consumer(queue).run()


@contextmanager
def couriers(services: Services) -> Iterator[None]:
    """
    Look every second, whatever job is being done, for deliveries of webhooks, and for what waits for the log.

    The log goes on while this machine is drained: a request that is still answered here may wait for it.
    """
    stop = threading.Event()
    duties = {"courier": partial(_deliver, services), "sequencer": services.sequencing.run_if_awaited}
    looking = [
        threading.Thread(target=_look_often, args=(name, duty, stop), name=name, daemon=True)
        for name, duty in duties.items()
    ]
    for thread in looking:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        for thread in looking:
            thread.join()
        services.delivering.finish()


def _deliver(services: Services) -> None:
    if not services.room.is_draining():
        services.delivering.hand_out()


def _look_often(name: str, duty: Callable[[], object], stop: threading.Event) -> None:
    """Do a duty every second until told to stop; while it fails, more and more seldom."""
    pause_s = NOTICE_S
    while not stop.wait(pause_s):
        try:
            duty()
            pause_s = NOTICE_S
        except SignerError as error:
            pause_s = min(pause_s * 2, _LONGEST_NOTICE_S)
            log.warning("duty.look-failed", duty=name, code=error.code, error=str(error)[:200])


def consumer(queue: Queue) -> Consumer:
    """Make what takes messages from the queue; it looks by itself too, in the one thread that does all the work."""

    class Looking(Worker):  # type: ignore[misc] # huey has no types
        def loop(self, now: None = None) -> None:
            queue.look_if_needed()
            super().loop(now)

    class Consuming(Consumer):  # type: ignore[misc] # huey has no types
        worker_class = Looking

    return Consuming(queue.huey, workers=1, periodic=True, graceful_signal="TERM", max_delay=_POLL_S)
