"""`signer copies` in processes of its own, and `signer verify` of a scan."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

import pytest
import terminal
from world import KAZAKHSTAN, YUNZHOU, World, sample

if TYPE_CHECKING:
    import subprocess
    from pathlib import Path

SCAN = b"\xff\xd8\xff\xe0 a photograph of the chopped sheet"


def signer(world: World, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return terminal.run(*arguments, told=world.environment)


def verdicts(world: World, *arguments: str | Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in signer(world, "verify", "--json", *arguments).stdout.splitlines()]


@pytest.fixture
def number(live_world: World) -> str:
    issued = live_world.issue(sample(KAZAKHSTAN, today=live_world.at.date()))
    return str(issued.number)


def test_a_scan_is_handed_in_compared_verified_and_retracted(live_world: World, number: str, tmp_path: Path) -> None:
    scan, mine = tmp_path / "scan.jpg", ("--as", YUNZHOU)
    scan.write_bytes(SCAN)
    digest = hashlib.sha256(SCAN).hexdigest()
    handed = signer(live_world, "copies", "file", number, scan, *mine, "--by", "chen.sample")
    assert (handed.returncode, digest in handed.stdout) == (0, True), handed.stderr
    assert [verdict["reason"] for verdict in verdicts(live_world, scan)] == ["BAD_PICTURE"]
    alone = signer(live_world, "copies", "compare", number, digest, *mine, "--by", "chen.sample")
    assert (alone.returncode, "[not-permitted]" in alone.stderr) == (1, True)
    seen = signer(live_world, "copies", "fetch", number, digest, *mine, "-o", tmp_path / "seen.jpg")
    assert (seen.returncode, (tmp_path / "seen.jpg").read_bytes()) == (0, SCAN)
    filed = signer(live_world, "copies", "compare", number, digest, *mine, "--by", "lin.sample")
    assert filed.returncode == 0, filed.stderr
    listed = signer(live_world, "copies", "list", number, *mine).stdout
    assert listed == f"{digest} jpeg {len(SCAN)} filed (chen.sample, lin.sample)\n"
    (verdict,) = verdicts(live_world, scan)
    assert (verdict["code"], verdict["number"], verdict["file"]) == ("OFFICIAL_COPY", number, str(scan))
    assert signer(live_world, "verify", scan).returncode == 3
    assert signer(live_world, "verify", scan, "--allow-test").returncode == 0
    people = ("--by", "chen.sample", "--second", "lin.sample")
    assert signer(live_world, "copies", "retract", number, digest, *mine, *people).returncode == 0
    assert [verdict["code"] for verdict in verdicts(live_world, scan)] == ["UNREADABLE"]


def test_the_print_form_is_written_and_says_of_itself_that_it_is_unsealed(
    live_world: World, number: str, tmp_path: Path
) -> None:
    form = tmp_path / "form.pdf"
    done = signer(live_world, "copies", "print-form", number, "--as", YUNZHOU, "-o", form)
    assert (done.returncode, done.stdout.strip()) == (0, str(form)), done.stderr
    assert [(verdict["code"], verdict["number"]) for verdict in verdicts(live_world, form)] == [("UNSEALED", number)]
    again = signer(live_world, "copies", "file", number, form, "--as", YUNZHOU, "--by", "chen.sample")
    assert (again.returncode, "print form itself" in again.stderr) == (1, True)
    assert (
        signer(live_world, "copies", "compare", number, "12ab", "--as", YUNZHOU, "--by", "lin.sample").returncode == 1
    )
