"""
Work in turns: many threads may wait for bodies, few work at once.

A thread costs little while it waits for a slow client, and much while it works: it then holds a connection of the
database and a part of the processor.
"""

from __future__ import annotations

from contextlib import contextmanager
from threading import BoundedSemaphore
from typing import TYPE_CHECKING, Final

from flask import request

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

_TURN: Final = "signer.turn"
_AT_ONCE: Final = frozenset({"/healthz"})
"""What is answered without a turn: it asks nothing, and tells that the process lives."""


class Turns:
    """An application of which at most so many requests are worked on at once, in one process."""

    def __init__(self, application: WSGIApplication, *, most: int) -> None:
        self._application = application
        self._free = BoundedSemaphore(most)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer a request when it is its turn."""
        if environ.get("PATH_INFO") in _AT_ONCE:
            return self._application(environ, start_response)
        with self._free:
            environ[_TURN] = self._free
            return self._application(environ, start_response)


@contextmanager
def given_up() -> Iterator[None]:
    """Let others work while this request waits for its client."""
    free = request.environ.get(_TURN)
    if not isinstance(free, BoundedSemaphore):
        yield
        return
    free.release()
    try:
        yield
    finally:
        free.acquire()
