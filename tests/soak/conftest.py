"""One table of what every fault lost and doubled: printed at the end, and kept in build/faults.txt."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import structlog

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from mishaps import Tally

TABLE = Path(__file__).resolve().parent.parent.parent / "build" / "faults.txt"
HEAD = ("fault", "database", "runs", "lost", "doubled", "seed", "seen")
_NAME = "fault"


@pytest.fixture
def report(request: pytest.FixtureRequest, record_property: Callable[[str, object], None]) -> Callable[..., None]:
    """Put one line into the table, and hold it: nothing lost, nothing doubled."""

    def put(fault: str, tally: Tally, *, seed: int, seen: str) -> None:
        database = "postgresql" if tally.world.database_url else "sqlite"
        lost, doubled = tally.lost(), tally.doubled()
        row = (fault, database, str(tally.runs), str(lost), str(doubled), str(seed), seen)
        record_property(_NAME, row)
        print(", ".join(f"{name} {cell}" for name, cell in zip(HEAD, row, strict=True)))
        assert (lost, doubled) == (0, 0), row

    return put


@pytest.fixture(autouse=True, scope="session")
def quiet() -> None:
    """Log nothing of what thousands of turns would say."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))


def _rows(reports: dict[str, list[Any]]) -> Iterator[tuple[str, ...]]:
    for reported in (*reports.get("passed", ()), *reports.get("failed", ())):
        yield from (tuple(row) for name, row in reported.user_properties if name == _NAME and reported.when == "call")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Write the table, once, whoever ran the tests."""
    rows = [HEAD, *sorted(_rows(terminalreporter.stats))]
    if len(rows) == 1:
        return
    widths = [max(len(row[place]) for row in rows) for place in range(len(HEAD))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    TABLE.parent.mkdir(exist_ok=True)
    TABLE.write_text("\n".join(lines) + "\n", encoding="utf-8")
    terminalreporter.section("faults")
    for line in lines:
        terminalreporter.line(line)
