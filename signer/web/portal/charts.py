"""Bars as SVG: numbers in, places out. A template draws them, with a title and a table of the same numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from signer.register.tally import Tally

MONTHS, MOST_COUNTRIES = 12, 8
REST = "—"
"""The bar of all other destinations."""
_SPAN = 100


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar: what it is of, its number, how long it is of a hundred, and its place, counted from 0."""

    label: str
    count: int
    length: float
    place: int


def by_month(issued: tuple[Tally, ...], *, today: date) -> tuple[Bar, ...]:
    """Return the bars of the last twelve months, this one last, empty ones among them."""
    first = today.year * 12 + today.month - MONTHS
    months = [f"{(first + step) // 12:04d}-{(first + step) % 12 + 1:02d}" for step in range(MONTHS)]
    counts = {month: sum(one.confirmations for one in issued if one.month == month) for month in months}
    return _bars(counts)


def by_country(issued: tuple[Tally, ...]) -> tuple[Bar, ...]:
    """Return the bars of the destinations with the most confirmations, ever; the others as one."""
    counts: dict[str, int] = {}
    for one in issued:
        counts[one.country] = counts.get(one.country, 0) + one.confirmations
    ranked = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
    if len(ranked) > MOST_COUNTRIES:
        rest = sum(count for _, count in ranked[MOST_COUNTRIES - 1 :])
        ranked = [*ranked[: MOST_COUNTRIES - 1], (REST, rest)]
    return _bars(dict(ranked))


def _bars(counts: Mapping[str, int]) -> tuple[Bar, ...]:
    most = max(counts.values(), default=0) or 1
    return tuple(
        Bar(label, count, round(_SPAN * count / most, 2), place) for place, (label, count) in enumerate(counts.items())
    )
