"""
What a process counts of its own work, for `/metrics`: like logs it belongs to the process, so it is handed to nobody.

Every process of a host has one small file of its own in the run folder, and whoever is asked adds all of them up
(docs/adr/0059-what-the-house-tells-of-itself.md). Nothing that is counted names a person, a number or a vehicle.
"""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from signer.metrics.catalogue import CATALOGUE, Kind, Metric
from signer.metrics.ledger import Ledger
from signer.metrics.text import Figure, text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

__all__ = [
    "CATALOGUE",
    "Figure",
    "Kind",
    "Metric",
    "attempted",
    "begin",
    "count",
    "end",
    "observe",
    "page",
    "rise",
    "timed",
]

_ledger = Ledger()


def begin(folder: Path, role: str) -> None:
    """Keep what this process counts in a file of its own in a run folder; `role`: web, worker, cli."""
    _ledger.begin(folder, role)


def end() -> None:
    """Let go of the file; the next to be asked adds it to those of processes that have ended."""
    _ledger.end()


def count(metric: Metric, *labels: str, by: float = 1) -> None:
    """Count one more, or so many."""
    _ledger.add(metric, labels, by)


def rise(metric: Metric, by: float) -> None:
    """Let a gauge of this process rise, or fall."""
    _ledger.add(metric, (), by)


def observe(metric: Metric, *labels: str, seconds: float) -> None:
    """Put one duration into its bucket."""
    _ledger.add(metric, labels, seconds)


@contextmanager
def timed(metric: Metric, *labels: str) -> Iterator[None]:
    """Observe how long a block takes, however it ends."""
    begun = time.perf_counter()
    try:
        yield
    finally:
        observe(metric, *labels, seconds=time.perf_counter() - begun)


@contextmanager
def attempted(metric: Metric, label: str, *, done: str) -> Iterator[None]:
    """Observe how long a block takes, and whether it did what it is for (`done`) or raised ("failed")."""
    begun, outcome = time.perf_counter(), "failed"
    try:
        yield
        outcome = done
    finally:
        observe(metric, label, outcome, seconds=time.perf_counter() - begun)


def page(figures: Iterable[Figure]) -> str:
    """Return everything that was counted by all processes, and figures looked up now, as Prometheus' text."""
    return text(_ledger.gather(), figures)
