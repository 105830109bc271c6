"""
Lines in which requests wait for a turn: short, and no network stands before the others because it sends more.

Whoever asks is known by a network, or by a person. A free turn goes to the one that holds the fewest, and among those
to the one that waits longest. Nobody holds more than a share, so that a turn is left for whoever comes next.
"""

from __future__ import annotations

import itertools
import threading
from collections import Counter, deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from signer import metrics
from signer.errors import Busy
from signer.metrics.catalogue import REFUSED, WAITING

if TYPE_CHECKING:
    from collections.abc import Iterator

_LONGEST_S = 60
"""What is told at most of when to ask again."""
_BACK_S = 60.0
"""How long at most somebody waits who had a turn before: what was done for him so far would be lost."""


@dataclass(slots=True)
class _Waiting:
    """Somebody in a line; woken with a turn, or without one."""

    since: int
    is_back: bool
    woken: threading.Event = field(default_factory=threading.Event)
    has_turn: bool = False


class Line:
    """
    So many turns, `share` of them at most for one asker; so many wait at most, `crowd` of one asker, for `patience_s`.

    Where the line is full and somebody comes of whom fewer wait, the last of the largest crowd makes room. `refused`
    counts those who got no turn.
    """

    def __init__(self, *, turns: int, share: int, most: int, crowd: int, patience_s: float) -> None:
        self._free = turns
        self._share, self._most, self._crowd = share, most, crowd
        self._patience_s = patience_s
        self._held: Counter[str] = Counter()
        self._lines: dict[str, deque[_Waiting]] = {}
        self._numbers = itertools.count()
        self._lock = threading.Lock()
        self.refused = 0

    def take(self, asker: str, *, is_back: bool = False) -> None:
        """Wait for a turn; `is_back`: whoever gave one up for a while is not turned away. Raises Busy."""
        with self._lock:
            if self._free and self._held[asker] < self._share:
                self._give(asker)
                return
            if not is_back:
                self._refuse_crowd(asker)
            mine = _Waiting(next(self._numbers), is_back)
            line = self._lines.setdefault(asker, deque())
            line.insert(sum(one.is_back for one in line), mine) if is_back else line.append(mine)
        metrics.rise(WAITING, 1)
        mine.woken.wait(_BACK_S if is_back else self._patience_s)
        metrics.rise(WAITING, -1)
        with self._lock:
            if not mine.has_turn:
                self._forget(asker, mine)
                raise self._busy(asker)

    def leave(self, asker: str) -> None:
        """Give a turn back; it goes to whoever is next."""
        with self._lock:
            self._free += 1
            self._held[asker] -= 1
            self._held += Counter()  # without those that hold none
            while self._free and (following := self._following()) is not None:
                found = self._lines[following].popleft()
                self._lines = {name: line for name, line in self._lines.items() if line}
                self._give(following)
                found.has_turn = True
                found.woken.set()

    def waiting(self) -> int:
        """Return how many wait."""
        with self._lock:
            return sum(map(len, self._lines.values()))

    def _give(self, asker: str) -> None:
        self._free -= 1
        self._held[asker] += 1

    def _following(self) -> str | None:
        may = [name for name in self._lines if self._held[name] < self._share]
        return min(may, key=lambda name: (self._held[name], self._lines[name][0].since), default=None)

    def _refuse_crowd(self, asker: str) -> None:
        """Refuse one of too large a crowd; in a full line another crowd's last gives way to whoever has fewer in it."""
        own = len(self._lines.get(asker, ()))
        if own >= self._crowd:
            raise self._busy(asker)
        if sum(map(len, self._lines.values())) < self._most:
            return
        largest = max(self._lines, key=lambda name: len(self._lines[name]))
        last = next(self._yielding(largest), None)
        if last is None or len(self._lines[largest]) <= own + 1:
            raise self._busy(asker)
        self._forget(largest, last)
        last.woken.set()

    def _yielding(self, asker: str) -> Iterator[_Waiting]:
        return (one for one in reversed(self._lines[asker]) if not one.is_back)

    def _forget(self, asker: str, one: _Waiting) -> None:
        line = self._lines.get(asker)
        if line is not None and one in line:
            line.remove(one)
            if not line:
                del self._lines[asker]

    def _busy(self, asker: str) -> Busy:
        self.refused += 1
        metrics.count(REFUSED)
        before = len(self._lines.get(asker, ()))
        told = f"{self._held[asker]} turns are held by who asks, and {before} wait"
        return Busy(told, retry_after_s=min(_LONGEST_S, 2 + before))
