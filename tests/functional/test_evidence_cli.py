"""`signer evidence` in a process of its own."""

from __future__ import annotations

import zipfile
from typing import TYPE_CHECKING

import terminal
from world import BEICHEN, KAZAKHSTAN, YUNZHOU, World, sample

if TYPE_CHECKING:
    from pathlib import Path


def test_a_bundle_is_written_whose_parts_the_other_commands_find_genuine(live_world: World, tmp_path: Path) -> None:
    issued = live_world.issue(sample(KAZAKHSTAN, today=live_world.at.date()))
    told, number = live_world.environment, str(issued.number)
    done = terminal.run("evidence", number, "--as", YUNZHOU, "--out", tmp_path, told=told)
    assert (done.returncode, done.stdout.strip()) == (0, str(tmp_path / f"{number}-evidence.zip")), done.stderr
    with zipfile.ZipFile(tmp_path / f"{number}-evidence.zip") as archive:
        archive.extractall(tmp_path)
    receipt = terminal.run("receipt", tmp_path / "receipt.jwt", told=told)
    assert (receipt.returncode, number in receipt.stdout) == (0, True), receipt.stdout
    assert (tmp_path / f"{number}.pdf").read_bytes() == issued.pdf
    other = terminal.run("evidence", number, "--as", BEICHEN, "--out", tmp_path / "none", told=told)
    assert (other.returncode, "[not-found]" in other.stderr) == (1, True)
