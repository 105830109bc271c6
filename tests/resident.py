"""How much memory this process has, and how fast that grows."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_PAGE = os.sysconf("SC_PAGE_SIZE")


def resident_kb() -> float:
    """Return the resident memory in kB. Source: proc(5), statm."""
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * _PAGE / 1000


def slope(turns: Iterable[int], turn: Callable[[int], object], *, every: int) -> float:
    """Return how many kB are added by each turn: the line of least squares through what is measured every so often."""
    points = []
    for place in turns:
        turn(place)
        if place % every == 0:
            points.append((float(place), resident_kb()))
    mean_x = sum(x for x, _ in points) / len(points)
    mean_y = sum(y for _, y in points) / len(points)
    return sum((x - mean_x) * (y - mean_y) for x, y in points) / sum((x - mean_x) ** 2 for x, _ in points)
