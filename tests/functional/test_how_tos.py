"""How-tos for systems, run command by command as one script each: what a reader types is what is tested."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
from contextlib import closing, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import terminal

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
HOW_TOS = ROOT / "docs" / "how-to"
_PATIENCE_S = 300


def run(name: str, folder: Path) -> Iterator[str]:
    """Run the blocks of a how-to in a folder, and return what was printed."""
    blocks = re.findall(r"^```sh\n(.*?)^```$", (HOW_TOS / name).read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    with closing(socket.socket()) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    kept = {name: value for name, value in os.environ.items() if not name.upper().startswith("SIGNER_")}
    own = os.pathsep.join((str(terminal.on_path()), str(Path(sys.executable).parent), os.environ["PATH"]))
    environment = {**kept, "PATH": own, "PORT": str(port), "LC_ALL": "C.UTF-8"}
    script = "set -eu\n" + "\n".join(blocks)
    started = subprocess.Popen(
        ["sh", "-c", script],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        told, _ = started.communicate(timeout=_PATIENCE_S)
        assert started.returncode == 0, told
        yield told
    finally:
        with suppress(ProcessLookupError):  # what a script that failed left running
            os.killpg(started.pid, signal.SIGTERM)


@pytest.fixture
def erp(tmp_path: Path) -> Iterator[str]:
    yield from run("issue-from-an-erp.md", tmp_path)


@pytest.fixture
def customs(tmp_path: Path) -> Iterator[str]:
    yield from run("verify-from-customs.md", tmp_path)


@pytest.fixture
def batch(tmp_path: Path) -> Iterator[str]:
    yield from run("issue-ten-thousand.md", tmp_path)


def test_a_file_is_refused_by_its_cells_then_approved_by_one_word_sealed_and_fetched(batch: str) -> None:
    assert re.findall(r"^  ([A-Z]\d+) \((\w+)\) .*\[([a-z.-]+)\]$", batch, re.MULTILINE) == [
        ("A3", "vin", "vin.check-digit"),
        ("E3", "country", "outlet.none"),
    ]
    assert "6 vehicles, 3 confirmations" in batch
    assert re.search(r"^batch [0-9a-f]{16}: done, 3 sealed, 0 failed of 3$", batch, re.MULTILINE)
    assert len(re.findall(r"^\S+\.pdf +1980", batch, re.MULTILINE)) == 3
    assert "manifest.csv" in batch


def test_an_erp_issues_a_batch_and_an_oa_approves_it(erp: str) -> None:
    assert re.findall(r'^"state":"([a-z]+)"$', erp, re.MULTILINE) == ["waiting"] * 3 + ["issued"] * 3
    assert "the same answer" in erp
    assert {"vin.check-digit", "outlet.none"} <= set(re.findall(r'"code":"([a-z.-]+)"', erp))
    assert len(set(re.findall(r"^L0YSA3B\w+\.pdf: VALID TEST (\S+)$", erp, re.MULTILINE))) == 3
    assert re.search(r"^one\.json: waiting, approval [0-9a-f]{16}, ", erp, re.MULTILINE)


def test_a_customs_system_verifies_checks_licences_keeps_receipts_and_fetches_bundles(customs: str) -> None:
    assert re.findall(r'^"(?:outcome|code)":"(\w+)"$', customs, re.MULTILINE) == [
        *("pass", "VALID", "ALTERED", "NOT_COVERED"),
        "pass",
    ]
    assert re.search(r"^L0YSA3B29T0000101,matched,", customs, re.MULTILINE)
    assert re.findall(r"^(200|304)$", customs, re.MULTILINE) == ["200", "304"]
    assert re.search(r"^papers/\S+\.pdf: VALID TEST ", customs, re.MULTILINE)
