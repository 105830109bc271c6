"""
Work in turns: many threads may wait for bodies, few work at once.

A thread costs little while it waits for a slow client, and much while it works: it then holds a connection of the
database and a part of the processor. What arrives is held in memory until the request has ended: only so much of it is
taken at once, whoever sends it.
"""

from __future__ import annotations

import threading
from contextlib import contextmanager
from threading import BoundedSemaphore
from typing import IO, TYPE_CHECKING, Final

from flask import request

from signer.errors import Unavailable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

_TURN: Final = "signer.turn"
_AT_ONCE: Final = frozenset({"/healthz"})
"""What is answered without a turn: it asks nothing, and tells that the process lives."""


class _Room:
    """How many bytes of bodies a process holds, of the most that it may."""

    def __init__(self, most: int) -> None:
        self._left = most
        self._turn = threading.Lock()

    def take(self, count: int) -> None:
        """Hold so many more. Raises Unavailable."""
        with self._turn:
            if count > self._left:
                raise Unavailable("too many large bodies are held at once")
            self._left -= count

    def give_back(self, count: int) -> None:
        """Hold so many less."""
        with self._turn:
            self._left += count


class _Measured:
    """A body that takes room as it arrives, not as it is announced: who announces much and sends nothing holds none."""

    def __init__(self, plain: IO[bytes], room: _Room) -> None:
        self.plain = plain
        self._room = room
        self._held = 0

    def read(self, size: int = -1) -> bytes:
        """Read at most so many bytes, all that come unless said. Raises Unavailable."""
        return self._kept(self.plain.read(size))

    def readline(self, size: int = -1) -> bytes:
        """Read a line. Raises Unavailable."""
        return self._kept(self.plain.readline(size))

    def _kept(self, data: bytes) -> bytes:
        self._room.take(len(data))
        self._held += len(data)
        return data

    def forget(self) -> None:
        """Give back what was held."""
        self._room.give_back(self._held)
        self._held = 0


class Turns:
    """
    An application of which at most so many requests are worked on at once, in one process.

    `held`: so many bytes of their bodies are in memory at most.
    """

    def __init__(self, application: WSGIApplication, *, most: int, held: int) -> None:
        self._application = application
        self._free = BoundedSemaphore(most)
        self._room = _Room(held)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer a request when it is its turn."""
        if environ.get("PATH_INFO") in _AT_ONCE:
            return self._application(environ, start_response)
        body = environ["wsgi.input"] = _Measured(environ["wsgi.input"], self._room)
        try:
            with self._free:
                environ[_TURN] = self._free
                return self._application(environ, start_response)
        finally:
            body.forget()


def unmeasured() -> IO[bytes]:
    """Return this request's body for reading what is thrown away at once."""
    stream: IO[bytes] | _Measured = request.environ["wsgi.input"]
    return stream.plain if isinstance(stream, _Measured) else stream


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
