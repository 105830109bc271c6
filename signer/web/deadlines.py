"""Deadlines for what is waited for: one thread a process minds them all, and wakes when the first is over."""

from __future__ import annotations

import heapq
import itertools
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


class Deadlines:
    """Calls what it was given once its time is over, unless it was taken back before; begun by its first use."""

    def __init__(self) -> None:
        self._due: list[tuple[float, int, Callable[[], object]]] = []
        self._gone: set[int] = set()
        self._numbers = itertools.count()
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None

    @contextmanager
    def over(self, seconds: float, late: Callable[[], object]) -> Iterator[None]:
        """Call `late` if the block takes longer."""
        with self._changed:
            number = next(self._numbers)
            heapq.heappush(self._due, (time.monotonic() + seconds, number, late))
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._mind, daemon=True, name="deadlines")
                self._thread.start()
            elif self._due[0][1] == number:
                self._changed.notify()
        try:
            yield
        finally:
            with self._changed:
                self._gone.add(number)

    def _mind(self) -> None:
        while True:
            with self._changed:
                while self._due and self._due[0][1] in self._gone:
                    self._gone.discard(heapq.heappop(self._due)[1])
                if not self._due:
                    self._changed.wait()
                    continue
                wait_s = self._due[0][0] - time.monotonic()
                if wait_s > 0:
                    self._changed.wait(wait_s)
                    continue
                _, number, late = heapq.heappop(self._due)
                is_gone = number in self._gone
                self._gone.discard(number)
                if not is_gone:
                    late()


MINDED = Deadlines()
"""The deadlines of this process; a thread does not survive a fork, so its first use in each process begins one."""
