"""
Work in turns: many threads may wait for bodies, few work at once, and every network has its share of both.

A thread costs little while it waits for a slow client, and much while it works: it then holds a connection of the
database and a part of the processor. What arrives is held in memory until the request has ended: only so much of it is
taken at once, whoever sends it. A file is judged in a child that may work for seconds: its request gives its turn up
for as long, and waits in a line of its own, so that hostile files never hold the turns of a process.
"""

from __future__ import annotations

import threading
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Final

from flask import has_request_context, request

from signer import metrics
from signer.errors import Busy
from signer.metrics.catalogue import BODY_BYTES
from signer.web import proxies
from signer.web.lines import Line

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

    from signer.settings import Network

_TURN: Final = "signer.turn"
_REFUSED: Final = "signer.refused"
_AT_ONCE: Final = frozenset({"/healthz"})
"""What is answered without a turn: it asks nothing, and tells that the process lives."""
MOST_WAITING: Final = 160
CROWD: Final = 64
"""How many requests wait for a turn at most, and how many of one network; a thread each."""
MOST_UNJUDGED: Final = 48
UNJUDGED_CROWD: Final = 16
"""How many files wait to be judged at most, and how many of one network."""
PATIENCE_S: Final = 20.0
"""How long a request waits for a turn, and a file to be judged, before it is told to come back."""
_ROOM_S: Final = 10
"""When to ask again who found no room for a body: those that are held are worked on by then."""


class _Room:
    """How many bytes of bodies a process holds, of the most that it may; half of that for one network."""

    def __init__(self, most: int) -> None:
        self._left, self._share = most, most // 2
        self._held: Counter[str] = Counter()
        self._turn = threading.Lock()

    def take(self, network: str, count: int) -> None:
        """Hold so many more. Raises Busy."""
        with self._turn:
            if count > self._left or self._held[network] + count > self._share:
                raise Busy("too many large bodies are held at once", retry_after_s=_ROOM_S)
            self._left -= count
            self._held[network] += count
        metrics.rise(BODY_BYTES, count)

    def held(self) -> int:
        """Return how many bytes are held."""
        with self._turn:
            return sum(self._held.values())

    def give_back(self, network: str, count: int) -> None:
        """Hold so many less."""
        with self._turn:
            self._left += count
            self._held[network] -= count
            self._held += Counter()  # without those that hold none
        metrics.rise(BODY_BYTES, -count)


class _Measured:
    """A body that takes room as it arrives, not as it is announced: who announces much and sends nothing holds none."""

    def __init__(self, plain: IO[bytes], room: _Room, network: str) -> None:
        self.plain = plain
        self._room, self._network = room, network
        self._held = 0

    def read(self, size: int = -1) -> bytes:
        """Read at most so many bytes, all that come unless said. Raises Busy."""
        return self._kept(self.plain.read(size))

    def readline(self, size: int = -1) -> bytes:
        """Read a line. Raises Busy."""
        return self._kept(self.plain.readline(size))

    def _kept(self, data: bytes) -> bytes:
        self._room.take(self._network, len(data))
        self._held += len(data)
        return data

    def forget(self) -> None:
        """Give back what was held."""
        self._room.give_back(self._network, self._held)
        self._held = 0


class _Turn:
    """
    The turn of one request, which it may give up for a while; and the line of those whose files are judged.

    Several threads of one request may do so at once: the first gives the turn up, the last takes it again.
    """

    def __init__(self, working: Line, judging: Line, network: str) -> None:
        self._working = working
        self._judging = judging
        self._network = network
        self._is_held = False
        self._away = 0
        self._changing = threading.Lock()

    def take(self, *, is_back: bool = False) -> None:
        """Wait for the turn. Raises Busy."""
        self._working.take(self._network, is_back=is_back)
        self._is_held = True

    def leave(self) -> None:
        """Give it back, if it is held."""
        if self._is_held:
            self._is_held = False
            self._working.leave(self._network)

    @contextmanager
    def given_up(self) -> Iterator[None]:
        """Let others work in this block."""
        with self._changing:
            self._away += 1
            self.leave()
        try:
            yield
        finally:
            with self._changing:
                self._away -= 1
                if not self._away:
                    self.take(is_back=True)

    @contextmanager
    def judging(self) -> Iterator[None]:
        """Have a file judged in this block, when it is its turn there. Raises Busy."""
        with self.given_up():
            self._judging.take(self._network)
            try:
                yield
            finally:
                self._judging.leave(self._network)


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """How it stands: requests that wait, requests that were refused for want of a turn, bytes of bodies held."""

    waiting: int = 0
    refused: int = 0
    held: int = 0


class Turns:
    """
    An application of which at most so many requests are worked on at once, in one process.

    `judged`: so many files are judged at once beside them. `held`: so many bytes of bodies are in memory at most.
    One network has all turns but one, judges all files but one, and holds half of the bytes.
    `trusted`: the proxies that are believed when they name whose request it is.
    """

    def __init__(
        self,
        application: WSGIApplication,
        *,
        most: int,
        judged: int,
        held: int,
        trusted: tuple[Network, ...] = (),
        patience_s: float = PATIENCE_S,
    ) -> None:
        self._application = application
        self._trusted = trusted
        self._working = _line(most, most=MOST_WAITING, crowd=CROWD, patience_s=patience_s)
        self._judging = _line(judged, most=MOST_UNJUDGED, crowd=UNJUDGED_CROWD, patience_s=patience_s)
        self._room = _Room(held)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer a request when it is its turn; without one it is refused, in the words of the application."""
        if environ.get("PATH_INFO") in _AT_ONCE:
            return self._application(environ, start_response)
        network = proxies.network_in(environ, trusted=self._trusted)
        body = environ["wsgi.input"] = _Measured(environ["wsgi.input"], self._room, network)
        turn = environ[_TURN] = _Turn(self._working, self._judging, network)
        try:
            turn.take()
        except Busy as error:
            del environ[_TURN]
            environ[_REFUSED] = error
        try:
            return self._application(environ, start_response)
        finally:
            turn.leave()
            body.forget()

    @property
    def figures(self) -> Figures:
        """Return how it stands in this process."""
        lines = (self._working, self._judging)
        waiting, refused = sum(line.waiting() for line in lines), sum(line.refused for line in lines)
        return Figures(waiting=waiting, refused=refused, held=self._room.held())


def _line(turns: int, *, most: int, crowd: int, patience_s: float) -> Line:
    return Line(turns=turns, share=max(1, turns - 1), most=most, crowd=crowd, patience_s=patience_s)


def refuse() -> None:
    """Refuse this request if no turn was to be had for it. Raises Busy."""
    error = request.environ.get(_REFUSED)
    if isinstance(error, Busy):
        raise error


def unmeasured() -> IO[bytes]:
    """Return this request's body for reading what is thrown away at once."""
    stream: IO[bytes] | _Measured = request.environ["wsgi.input"]
    return stream.plain if isinstance(stream, _Measured) else stream


@contextmanager
def given_up() -> Iterator[None]:
    """Let others work while this request waits for its client. Raises Busy if no turn is to be had afterwards."""
    turn = request.environ.get(_TURN)
    if not isinstance(turn, _Turn):
        yield
        return
    with turn.given_up():
        yield


@contextmanager
def judging() -> Iterator[None]:
    """Have a file judged in this block, a few at once, its share for each network. Raises Busy."""
    turn = request.environ.get(_TURN) if has_request_context() else None
    if not isinstance(turn, _Turn):
        yield
        return
    with turn.judging():
        yield
