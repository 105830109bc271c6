"""
Answers that are written while they are taken, of any length: few at once, and none for who takes nothing.

A thread is a connection's for five minutes at most (ADR 0044), unless its client goes on taking: each part of an answer
that it took gives it five more. Who goes away ends the writing with it.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Final

from flask import Response

from signer.errors import Unavailable
from signer.web import deadlines

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

AT_ONCE: Final = 16
"""So many answers a process writes at once; each holds a thread, and a file of some 150 kB."""
PART: Final = 16_000_000
"""Whoever takes so many bytes within the time of one connection gets as much time again: 55 kB/s are enough."""
_TURNS: Final = threading.BoundedSemaphore(AT_ONCE)


class _Poured:
    """An answer's bytes, and the turn that they take: given back once, when all is taken or nobody takes any more."""

    def __init__(self, parts: Generator[bytes]) -> None:
        self._parts = parts
        self._holds = _TURNS.acquire(blocking=False)
        if not self._holds:
            raise Unavailable("too many files are being written at once")

    def __iter__(self) -> Iterator[bytes]:
        taken = 0
        for part in self._parts:
            yield part
            taken += len(part)
            if taken >= PART:
                taken = 0
                deadlines.renew()

    def close(self) -> None:
        self._parts.close()
        if self._holds:
            self._holds = False
            _TURNS.release()

    __del__ = close


def poured(parts: Generator[bytes], name: str, mime: str) -> Response:
    """Return a file as a download whose length nobody knows yet; `name` is one of ours. Raises Unavailable."""
    response = Response(_Poured(parts), mimetype=mime)
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    response.headers["Content-Security-Policy"] = "sandbox; default-src 'none'"
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Cache-Control"] = "no-store"
    return response
