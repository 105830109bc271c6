"""Figures as Prometheus' text. Source: prometheus.io, exposition formats, text format 0.0.4."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from signer.metrics.catalogue import CATALOGUE, RESIDENT, Metric

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from signer.metrics.ledger import Gathered, Series

_KEPT: Final = {metric.name: metric for metric in CATALOGUE if metric.is_kept}
_ESCAPED: Final = str.maketrans({"\\": r"\\", '"': r"\"", "\n": r"\n"})


@dataclass(frozen=True, slots=True)
class Figure:
    """One value that was looked up now: of which metric, under which labels."""

    metric: Metric
    labels: tuple[str, ...]
    value: float


def text(gathered: Gathered, figures: Iterable[Figure]) -> str:
    """Return the page, metric by metric in the catalogue's order; one without a value is announced too."""
    looked_up: dict[str, list[Figure]] = {}
    for figure in (*figures, *_resident(gathered)):
        looked_up.setdefault(figure.metric.name, []).append(figure)
    counted: dict[str, dict[Series, float]] = {}
    for series, value in gathered.totals.items():
        counted.setdefault(series[0], {})[series[1:]] = value
    return "".join(f"{line}\n" for metric in CATALOGUE for line in _lines(metric, gathered, counted, looked_up))


def _lines(
    metric: Metric,
    gathered: Gathered,
    counted: Mapping[str, Mapping[Series, float]],
    looked_up: Mapping[str, list[Figure]],
) -> Iterator[str]:
    yield f"# HELP {metric.name} {metric.help}"
    yield f"# TYPE {metric.name} {metric.kind}"
    if metric.kind == "gauge" and metric.is_kept:
        for (role, pid), of_process in sorted(gathered.living.items()):
            yield _line(metric.name, ("role", "pid"), (role, str(pid)), of_process.get((metric.name,), 0))
    elif metric.kind == "histogram":
        yield from _histogram(metric, counted.get(metric.name, {}))
    elif metric.is_kept:
        found = counted.get(metric.name, {}) or ({} if metric.labels else {(): 0.0})
        for labels, value in sorted(found.items()):
            yield _line(metric.name, metric.labels, labels, value)
    for figure in looked_up.get(metric.name, ()):
        yield _line(metric.name, metric.labels, figure.labels, figure.value)


def _histogram(metric: Metric, counted: Mapping[Series, float]) -> Iterator[str]:
    """Add up the buckets, each of which was counted alone. Source: the same, histograms and summaries."""
    for labels in sorted({series[:-1] for series in counted}):
        total = 0.0
        for end in (*map(repr, metric.buckets), "+Inf"):
            total += counted.get((*labels, end), 0)
            yield _line(f"{metric.name}_bucket", (*metric.labels, "le"), (*labels, end), total)
        yield _line(f"{metric.name}_sum", metric.labels, labels, counted.get((*labels, "sum"), 0))
        yield _line(f"{metric.name}_count", metric.labels, labels, total)


def _line(name: str, labels: Iterable[str], values: Iterable[str], value: float) -> str:
    told = ",".join(f'{label}="{one.translate(_ESCAPED)}"' for label, one in zip(labels, values, strict=True))
    return f"{name}{{{told}}} {value:.15g}" if told else f"{name} {value:.15g}"


def _resident(gathered: Gathered) -> Iterator[Figure]:
    """Tell the memory of each process that counts, where the kernel tells it."""
    for role, pid in sorted(gathered.living):
        try:
            pages = int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1])
        except (OSError, IndexError, ValueError):
            continue
        yield Figure(RESIDENT, (role, str(pid)), pages * os.sysconf("SC_PAGE_SIZE"))
