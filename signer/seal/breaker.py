"""
Which of several authorities to ask: one that failed is left alone for a while, and then tried again by one question.

The state is a process's own: whoever else asks finds out for itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from signer.domain.values import format_instant

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime

FIRST_REST: Final = timedelta(seconds=30)
LONGEST_REST: Final = timedelta(minutes=10)
MOST_FAILURES: Final = 3
"""So often in a row an authority may fail and still be asked, after all others; then not until its rest is over."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rest:
    """Why an authority is left alone, how often it failed in a row, and until when."""

    failures: int
    until: datetime
    fault: str


class Breaker:
    """Remembers who failed, by name."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._rests: dict[str, Rest] = {}

    def order(self, names: Iterable[str]) -> tuple[str, ...]:
        """Return who may be asked now: those awake in the order given, then those that failed only a little."""
        given = tuple(names)
        resting = {name: rest for name in given if (rest := self.rest(name)) is not None}
        tired = (name for name in given if name in resting and resting[name].failures < MOST_FAILURES)
        return (*(name for name in given if name not in resting), *tired)

    def rest(self, name: str) -> Rest | None:
        """Return the rest that an authority takes now, or None."""
        rest = self._rests.get(name)
        return rest if rest is not None and self._clock() < rest.until else None

    def failed(self, name: str, fault: str) -> None:
        """Leave an authority alone, each time in a row for twice as long."""
        before = self._rests.get(name)
        failures = before.failures + 1 if before else 1
        pause = min(FIRST_REST * 2 ** min(failures - 1, 16), LONGEST_REST)
        self._rests[name] = Rest(failures=failures, until=self._clock() + pause, fault=fault)

    def answered(self, name: str) -> None:
        """Forget its failures."""
        self._rests.pop(name, None)

    def told(self, names: Iterable[str]) -> str:
        """Say who is left alone, until when and why."""
        rests = ((name, self.rest(name)) for name in names)
        return "; ".join(
            f"{name}: left alone until {format_instant(rest.until)} after {rest.failures} failures ({rest.fault})"
            for name, rest in rests
            if rest is not None
        )
