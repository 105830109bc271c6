"""The migrations are one straight line: two that follow the same one would leave it to chance which is run."""

from __future__ import annotations

import re
from pathlib import Path

VERSIONS = Path(__file__).resolve().parents[3] / "signer" / "register" / "migrations" / "versions"


def test_each_migration_follows_the_one_before_it_and_no_other() -> None:
    found = []
    for path in sorted(VERSIONS.glob("[0-9]*.py")):
        said = dict(
            re.findall(r'^(revision|down_revision) = "?([0-9A-Za-z]+)"?$', path.read_text("utf-8"), re.MULTILINE)
        )
        found.append((path.name[:4], said["revision"], said["down_revision"]))
    numbers = [f"{turn:04d}" for turn in range(1, len(found) + 1)]
    assert found == list(zip(numbers, numbers, ["None", *numbers], strict=False))
