"""Deadlines for what is waited for: one thread a process minds them all, and wakes when the first is over."""

from __future__ import annotations

import heapq
import itertools
import math
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

import structlog

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

log = structlog.get_logger()
_MOST_OVER: Final = 64
"""How many deadlines that were kept are remembered before they are forgotten together: each holds its connection."""


class Deadline:
    """One block's deadline, which can be put off while it is not over."""

    def __init__(self, minder: Deadlines, seconds: float, late: Callable[[], object]) -> None:
        self._minder = minder
        self._seconds = seconds
        self._late = late
        self._number = minder.begin(seconds, late)

    def renew(self) -> None:
        """Allow the whole time again, from now on."""
        if self._minder.forget(self._number):
            self._number = self._minder.begin(self._seconds, self._late)

    def end(self) -> None:
        """Be over without anything being called."""
        self._minder.forget(self._number)


class Deadlines:
    """Calls what it was given once its time is over, unless it was taken back before; begun by its first use."""

    def __init__(self) -> None:
        self._due: list[tuple[float, int, Callable[[], object]]] = []
        self._minded: set[int] = set()
        self._numbers = itertools.count()
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._wakes_at = math.inf

    @contextmanager
    def over(self, seconds: float, late: Callable[[], object]) -> Iterator[Deadline]:
        """Call `late` if the block takes longer, or so long since its deadline was renewed."""
        mine = Deadline(self, seconds, late)
        try:
            yield mine
        finally:
            mine.end()

    def begin(self, seconds: float, late: Callable[[], object]) -> int:
        """Mind one more, and return its number."""
        with self._changed:
            number = next(self._numbers)
            self._minded.add(number)
            due_at = time.monotonic() + seconds
            heapq.heappush(self._due, (due_at, number, late))
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._mind, daemon=True, name="deadlines")
                self._thread.start()
            elif due_at < self._wakes_at:
                self._changed.notify()
        return number

    def forget(self, number: int) -> bool:
        """Mind one no more, and what it would have called; tell whether it was not over yet."""
        with self._changed:
            was_minded = number in self._minded
            self._minded.discard(number)
            if len(self._due) > _MOST_OVER + 4 * len(self._minded):
                self._due = [due for due in self._due if due[1] in self._minded]
                heapq.heapify(self._due)
            return was_minded

    def _mind(self) -> None:
        """Sleep until the first is due, kept or not: to be woken for each that was kept would cost more."""
        while True:
            with self._changed:
                now = time.monotonic()
                if not self._due or self._due[0][0] > now:
                    self._wakes_at = self._due[0][0] if self._due else math.inf
                    self._changed.wait(None if self._wakes_at == math.inf else self._wakes_at - now)
                    continue
                _, number, late = heapq.heappop(self._due)
                if number not in self._minded:
                    continue
                self._minded.discard(number)
                _end(late)


def _end(late: Callable[[], object]) -> None:
    """Call what is due; a client that is gone already cannot be cut, and the thread goes on: it minds all deadlines."""
    try:
        late()
    except OSError as error:
        log.info("deadline.not-kept", error=type(error).__name__)


MINDED = Deadlines()
"""The deadlines of this process; a thread does not survive a fork, so its first use in each process begins one."""
_HERE = threading.local()


@contextmanager
def of_connection(seconds: float, late: Callable[[], object]) -> Iterator[None]:
    """Call `late` if this thread is a connection's for longer, or so long since `renew` was called in it."""
    with MINDED.over(seconds, late) as mine:
        _HERE.mine = mine
        try:
            yield
        finally:
            _HERE.mine = None


def renew() -> None:
    """Allow the connection whose thread this is its whole time again; nothing where a thread is nobody's."""
    mine: Deadline | None = getattr(_HERE, "mine", None)
    if mine is not None:
        mine.renew()
