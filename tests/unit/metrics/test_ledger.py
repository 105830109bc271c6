"""What processes count is added up, whether they live or not, and read as Prometheus reads it."""

from __future__ import annotations

import re
import stat
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from signer.metrics import CATALOGUE, Figure
from signer.metrics import ledger as ledgers
from signer.metrics.catalogue import DISK_FREE, REFUSED, REQUEST_SECONDS, VERDICTS, WAITING
from signer.metrics.ledger import Ledger
from signer.metrics.text import text

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_LINE = re.compile(r'[a-z_]+(\{([a-z]+="(\\.|[^"\\\n])*"(,|(?=\})))*\})? -?[0-9.e+]+')


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    made = Ledger()
    made.begin(tmp_path / "run", "web")
    yield made
    made.end()


def told(ledger: Ledger, name: str, *figures: Figure) -> dict[str, float]:
    lines = text(ledger.gather(), figures).splitlines()
    pairs = (line.rpartition(" ") for line in lines if re.match(rf"{name}[ {{]", line))
    return {key.removeprefix(name): float(value) for key, _, value in pairs}


def test_a_process_that_ended_keeps_its_count_and_a_living_one_is_read_while_it_counts(
    tmp_path: Path, ledger: Ledger
) -> None:
    other = Ledger()
    other.begin(tmp_path / "run", "worker")
    ledger.add(VERDICTS, ("VALID", "file"), 1)
    other.add(VERDICTS, ("VALID", "file"), 2)
    assert told(ledger, "signer_verdicts_total") == {'{code="VALID",of="file"}': 3}
    other.add(VERDICTS, ("ALTERED", "file"), 1)
    other.end()
    expected = {'{code="ALTERED",of="file"}': 1, '{code="VALID",of="file"}': 3}
    for _ in range(2):
        assert told(ledger, "signer_verdicts_total") == expected
    assert len(list((tmp_path / "run").glob("*.metrics"))) == 1


def test_a_process_that_was_killed_loses_nothing(tmp_path: Path, ledger: Ledger) -> None:
    program = (
        "import os, signal, sys, pathlib; from signer.metrics.ledger import Ledger; "
        "from signer.metrics.catalogue import REFUSED; own = Ledger(); own.begin(pathlib.Path(sys.argv[1]), 'web'); "
        "own.add(REFUSED, (), 5); os.kill(os.getpid(), signal.SIGKILL)"
    )
    ended = subprocess.run([sys.executable, "-c", program, str(tmp_path / "run")], check=False)
    assert ended.returncode == -9
    ledger.add(REFUSED, (), 1)
    assert told(ledger, "signer_refused_total") == {"": 6}


def test_a_gauge_is_told_of_each_living_process_and_of_no_other(tmp_path: Path, ledger: Ledger) -> None:
    other = Ledger()
    other.begin(tmp_path / "run", "worker")
    for one in (ledger, other):
        one.add(WAITING, (), 2)
    ledger.add(WAITING, (), -1)
    assert sorted(told(ledger, "signer_waiting").values()) == [1, 2]
    other.end()
    assert list(told(ledger, "signer_waiting").values()) == [1]


def test_buckets_add_up_to_the_count(ledger: Ledger) -> None:
    for seconds in (0.001, 0.005, 0.3, 99.0):
        ledger.add(REQUEST_SECONDS, ("api",), seconds)
    buckets = told(ledger, "signer_http_request_seconds_bucket")
    assert list(buckets.values()) == sorted(buckets.values())
    assert buckets['{door="api",le="0.005"}'] == 2
    assert buckets['{door="api",le="+Inf"}'] == 4 == told(ledger, "signer_http_request_seconds_count")['{door="api"}']
    assert told(ledger, "signer_http_request_seconds_sum")['{door="api"}'] == pytest.approx(99.306)


def test_every_line_is_one_that_prometheus_reads_whatever_a_label_says(ledger: Ledger) -> None:
    ledger.add(VERDICTS, ('quote " back \\ line \n', "file"), 1)
    page = text(ledger.gather(), (Figure(DISK_FREE, ("data folder",), 1e12),))
    samples = [line for line in page.splitlines() if not line.startswith("#")]
    assert samples
    assert [line for line in samples if not _LINE.fullmatch(line)] == []
    assert all(f"# TYPE {metric.name} {metric.kind}\n" in page for metric in CATALOGUE)


def test_only_we_read_the_files(tmp_path: Path, ledger: Ledger) -> None:
    ledger.add(REFUSED, (), 1)
    ledger.gather()
    other = Ledger()
    other.begin(tmp_path / "run", "cli")
    other.add(REFUSED, (), 1)
    other.end()
    ledger.gather()
    folder = tmp_path / "run"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {
        path.name: stat.S_IMODE(path.stat().st_mode) & 0o077 for path in folder.iterdir() if path.stat().st_mode & 0o077
    } == {}
    assert (folder / "ended.json").is_file()


def test_where_nothing_can_be_kept_counting_goes_on(tmp_path: Path) -> None:
    (tmp_path / "run").write_text("a file is in the way")
    own = Ledger()
    own.begin(tmp_path / "run", "web")
    own.add(REFUSED, (), 1)
    assert told(own, "signer_refused_total") == {"": 1}


def test_a_damaged_file_of_another_hides_nothing_of_ours(tmp_path: Path, ledger: Ledger) -> None:
    ledger.add(REFUSED, (), 1)
    (tmp_path / "run" / "web-1-0.metrics").write_bytes(b"\0" * 100)
    (tmp_path / "run" / "ended.json").write_text("[")
    assert told(ledger, "signer_refused_total") == {"": 1}


def test_beyond_its_capacity_a_process_counts_no_new_series_and_goes_on(ledger: Ledger) -> None:
    for place in range(ledgers.CAPACITY // 32):
        ledger.add(VERDICTS, (f"{place:020}", "file"), 1)
    ledger.add(VERDICTS, (f"{0:020}", "file"), 1)
    found = told(ledger, "signer_verdicts_total")
    assert found[f'{{code="{0:020}",of="file"}}'] == 2
    assert len(found) < ledgers.CAPACITY // 32


def test_labels_are_those_of_the_catalogue(ledger: Ledger) -> None:
    with pytest.raises(ValueError, match="has the labels"):
        ledger.add(VERDICTS, ("VALID",), 1)
