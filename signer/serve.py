"""`signer serve`: the web application on gunicorn, on this computer only unless told otherwise."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gunicorn.app.base import BaseApplication  # type: ignore[import-untyped] # it has no types

from signer import logs, wiring
from signer.web.app import create_app

if TYPE_CHECKING:
    from flask import Flask

    from signer.settings import Settings

HOST, PORT, WORKERS = "127.0.0.1", 8000, 2
_THREADS = 4
_SILENCE_S = 60
"""A worker that shows no sign of life for so long is replaced; a verdict takes a second."""
_GRACE_S = 30
_MOST_LINE, _MOST_FIELDS, _MOST_FIELD = 4094, 60, 8190
_REQUESTS = 2000
"""A worker is replaced after about so many requests, so that no leak grows for ever."""


class _Server(BaseApplication):  # type: ignore[misc] # gunicorn has no types
    """Gunicorn without its command line and its files: everything is said here."""

    def __init__(self, settings: Settings, options: dict[str, str | int | bool | None]) -> None:
        self._settings = settings
        self._options = options
        super().__init__()

    def load_config(self) -> None:
        """Take our options, and nothing from the environment."""
        for name, value in self._options.items():
            self.cfg.set(name, value)

    def load(self) -> Flask:
        """Make the application, in each worker: nothing is loaded before the fork, so no compiled state is shared."""
        return create_app(wiring.wire_ready(self._settings))


def run(settings: Settings, *, host: str = HOST, port: int = PORT, workers: int = WORKERS) -> None:
    """
    Serve until SIGTERM; refuse a register of another version before the first worker starts.

    Each worker answers a few requests at a time: the work itself is in a child process of its own, and one slow
    upload must not stop the others. Raises Misconfigured.
    """
    logs.configure(settings.log_level)
    wiring.wire_ready(settings).database.close()
    options: dict[str, str | int | bool | None] = {
        "bind": f"[{host}]:{port}" if ":" in host else f"{host}:{port}",
        "workers": workers,
        "worker_class": "gthread",
        "threads": _THREADS,
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
        "loglevel": settings.log_level,
        "proc_name": "signer",
    }
    _Server(settings, options).run()
