"""The page of faults names tests that are there."""

from __future__ import annotations

import re

from world import ROOT

PAGE = ROOT / "docs" / "reference" / "faults.md"


def test_every_fault_names_a_test_that_is_there() -> None:
    rows = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("| ")]
    named = 0
    for row in rows:
        place = ""
        for path, name in re.findall(r"`([\w/.]*)::(\w+)`", row):
            place = path or place
            assert f"def {name}(" in (ROOT / place).read_text(encoding="utf-8"), row
            named += 1
        assert place or row.startswith("| fault "), f"no test: {row}"
    assert named > 40
