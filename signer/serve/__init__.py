"""`signer serve`: the web application on gunicorn, on this computer only, with a worker beside it where that fits."""

from __future__ import annotations

import math
import os
import subprocess
import sys
import time
import traceback
from typing import TYPE_CHECKING, Final

import structlog
from gunicorn.app.base import BaseApplication  # type: ignore[import-untyped] # it has no types
from gunicorn.arbiter import Arbiter  # type: ignore[import-untyped] # it has no types
from gunicorn.glogging import Logger  # type: ignore[import-untyped] # it has no types

from signer import logs, metrics, wiring
from signer.serve.waiting import PatientWorker
from signer.services import offline
from signer.web import turns
from signer.web.app import create_app
from signer.web.turns import Turns

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeAlias

    from flask import Flask

    from signer.settings import Settings

    Options: TypeAlias = dict[str, str | int | bool | type | None]

HOST, PORT, WORKERS = "127.0.0.1", 8000, 2
THREADS, TURNS, JUDGED = 256, 4, 3
"""How many requests a process may have, most of them waiting, how many it works on, and how many files it judges."""
HELD: Final = 400_000_000
"""How many bytes of bodies a process holds at most: six of the largest requests, or twenty of the largest files."""
_SILENCE_S = 60
"""A worker that shows no sign of life for so long is replaced; a verdict takes a second."""
_GRACE_S = 30
_MOST_LINE, _MOST_FIELDS, _MOST_FIELD = 4094, 60, 8190
_REQUESTS = 2000
"""A worker is replaced after about so many requests, so that no leak grows for ever."""
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 1.0, 60.0
_STEADY_S = 300.0
"""A worker that ran for so long did not die of its start: the next pause is the shortest again."""
_NO_REQUEST = "Invalid request from"
log = structlog.get_logger()


class Companion:
    """
    One `signer worker`, a process of its own beside the server: started by exec, so that it shares no compiled state.

    It is looked after from the arbiter's own loop, without a thread. It ends itself if the arbiter is gone.
    """

    def __init__(self, command: tuple[str, ...]) -> None:
        self._command = command
        self._process: subprocess.Popen[bytes] | None = None
        self._started_at = self._due_at = 0.0
        self._pause_s = _FIRST_PAUSE_S

    def tend(self) -> None:
        """Start the worker if it does not run; after each early death a pause that doubles."""
        now = time.monotonic()
        if self._process is not None:
            if self._process.poll() is None:
                return
            self._pause_s = _FIRST_PAUSE_S if now - self._started_at > _STEADY_S else self._pause_s
            log.error("worker.died", pid=self._process.pid, again_in_s=self._pause_s)
            self._process, self._due_at = None, now + self._pause_s
            self._pause_s = min(self._pause_s * 2, _LONGEST_PAUSE_S)
        if now >= self._due_at:
            self._start(now)

    def _start(self, now: float) -> None:
        try:
            self._process = subprocess.Popen(self._command, stdin=subprocess.DEVNULL)  # noqa: S603 -- our own command
            self._started_at = now
        except OSError as error:
            log.warning("worker.not-started", error=error.strerror)
            self._due_at = now + _LONGEST_PAUSE_S

    def ask_to_end(self) -> None:
        """Have the worker finish what it does, and start it no more."""
        self._due_at = math.inf
        if self._process is not None:
            self._process.terminate()

    def end(self) -> None:
        """End the worker, by its id: what it is doing is finished, or taken over once its lease is over."""
        if self._process is None:
            return
        self.ask_to_end()
        try:
            self._process.wait(_GRACE_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None


class _Arbiter(Arbiter):  # type: ignore[misc] # gunicorn has no types
    """Gunicorn's own, which looks after one more process: about once a second."""

    def __init__(self, app: _Server, companion: Companion | None) -> None:
        super().__init__(app)
        self._companion = companion

    def manage_workers(self) -> None:
        super().manage_workers()
        if self._companion is not None:
            self._companion.tend()

    def stop(self, graceful: bool = True) -> None:  # noqa: FBT001, FBT002 -- gunicorn's own signature
        if self._companion is not None:
            self._companion.ask_to_end()
        super().stop(graceful)


class _Logger(Logger):  # type: ignore[misc] # gunicorn has no types
    """Gunicorn's own words, without what was asked for: an address may hold the secret of a link."""

    def exception(self, msg: str, *_args: object, **_fields: object) -> None:
        """Note an error that no answer was made of: its kind and where, and nothing that its text may name."""
        kind, _, trace = sys.exc_info()
        where = "".join(traceback.format_tb(trace))
        log.error("server.failed", told=msg.partition("%")[0].strip(), kind=getattr(kind, "__name__", ""), where=where)

    def debug(self, msg: str, *_args: object, **_fields: object) -> None:
        """Say what happens, and not to which request."""
        log.debug("server.told", told=msg)

    def warning(self, msg: str, *args: object, **fields: object) -> None:
        """Pass a warning on; of a request that is none, only that it came."""
        if msg.startswith(_NO_REQUEST):
            log.warning("server.no-request")
            return
        super().warning(msg, *args, **fields)


class _Server(BaseApplication):  # type: ignore[misc] # gunicorn has no types
    """Gunicorn without its command line and its files: everything is said here."""

    def __init__(self, application: Callable[[], Turns], options: Options, companion: Companion | None) -> None:
        self._application = application
        self._options = options
        self._companion = companion
        super().__init__()

    def run(self) -> None:
        """Serve; whatever ends the arbiter ends its companion, and nothing that the arbiter forked does."""
        arbiter = os.getpid()
        try:
            _Arbiter(self, self._companion).run()
        finally:
            if self._companion is not None and os.getpid() == arbiter:
                self._companion.end()

    def load_config(self) -> None:
        """Take our options, and nothing from the environment."""
        for name, value in self._options.items():
            self.cfg.set(name, value)

    def load(self) -> Turns:
        """Make the application, in each worker: nothing is loaded before the fork, so no compiled state is shared."""
        return self._application()


def run(
    settings: Settings,
    *,
    host: str = HOST,
    port: int = PORT,
    workers: int = WORKERS,
    with_jobs: bool | None = None,
) -> None:
    """
    Serve until SIGTERM; refuse a register of another version before the first worker starts.

    Each worker answers a few requests at a time: the work itself is in a child process of its own, and one slow
    upload must not stop the others. `with_jobs` decides whether one `signer worker` runs beside them; None: where
    the register is SQLite. Raises Misconfigured.
    """
    logs.configure(settings.log_level)
    wired = wiring.wire_ready(settings)
    is_accompanied = wired.database.dialect == "sqlite" if with_jobs is None else with_jobs
    wired.database.close()
    worker = (sys.executable, "-P", "-m", "signer", "worker", "--beside", str(os.getpid()))
    options = _options(settings, host=host, port=port, workers=workers)
    _Server(lambda: _in_turns(settings), options, Companion(worker) if is_accompanied else None).run()


def run_verify_only(settings: Settings, *, host: str = HOST, port: int = PORT, workers: int = WORKERS) -> None:
    """
    Serve verdicts by imported bundles until SIGTERM: no register, no key, no worker; nothing is asked of anybody.

    What is imported meanwhile counts from the next question on. Raises Misconfigured if nothing was imported yet.
    """
    logs.configure(settings.log_level)
    offline.issuers_of(wiring.wire_offline(settings).shelf)
    options = _options(settings, host=host, port=port, workers=workers)
    _Server(lambda: _verify_only(settings), options, None).run()


def _in_turns(settings: Settings) -> Turns:
    metrics.begin(settings.run_dir, "web")
    return _bounded(create_app(wiring.wire_ready(settings, judging=turns.judging)), settings)


def _verify_only(settings: Settings) -> Turns:
    house = wiring.wire_offline(settings, judging=turns.judging)
    return _bounded(create_app(house, as_of=lambda: offline.as_of(house.shelf)), settings)


def _bounded(app: Flask, settings: Settings) -> Turns:
    return Turns(app.wsgi_app, most=TURNS, judged=JUDGED, held=HELD, trusted=settings.proxies)


def _options(settings: Settings, *, host: str, port: int, workers: int) -> Options:
    return {
        "bind": f"[{host}]:{port}" if ":" in host else f"{host}:{port}",
        "workers": workers,
        "worker_class": PatientWorker,
        "threads": THREADS,
        "preload_app": False,
        "timeout": _SILENCE_S,
        "graceful_timeout": _GRACE_S,
        "keepalive": 5,
        "limit_request_line": _MOST_LINE,
        "limit_request_fields": _MOST_FIELDS,
        "limit_request_field_size": _MOST_FIELD,
        "max_requests": _REQUESTS,
        "max_requests_jitter": _REQUESTS // 10,
        "control_socket_disable": True,
        "forwarded_allow_ips": "",
        "errorlog": "-",
        "logger_class": _Logger,
        "loglevel": settings.log_level,
        "proc_name": "signer",
    }
