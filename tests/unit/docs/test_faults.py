"""Pages that say what is shown by a test name tests that are there."""

from __future__ import annotations

import re

import pytest
from world import ROOT

PAGES = {"reference/faults.md": 40, "reference/doctor.md": 30, "explanation/threat-model.md": 30}
CASES = re.compile(r"(?<=[` \]])\[([^\]]+)\](?!\()")


@pytest.mark.parametrize("page", PAGES)
def test_every_row_names_a_test_that_is_there(page: str) -> None:
    rows = [line for line in (ROOT / "docs" / page).read_text(encoding="utf-8").splitlines() if line.startswith("| ")]
    named = 0
    for row in rows:
        place = ""
        for path, name in re.findall(r"`([\w/.]*)::(\w+)`", row):
            place = path or place
            text = (ROOT / place).read_text(encoding="utf-8")
            assert f"def {name}(" in text, row
            named += 1
        sources = [(ROOT / one).read_text(encoding="utf-8") for one in re.findall(r"`(tests/[\w/.]*)::", row)]
        assert [case for case in CASES.findall(row) if not any(f'"{case}"' in source for source in sources)] == [], row
        assert place or "shown by" in row or "shown by" not in text_before(page, row), row
    assert named >= PAGES[page]


def test_every_fault_that_the_doctor_is_shown_has_a_row() -> None:
    page = (ROOT / "docs" / "reference" / "doctor.md").read_text(encoding="utf-8")
    told = set(CASES.findall(page))
    for test, begin in (("test_doctor.py", r'^    \(\s*"([^"]+)"'), ("test_doctor_of_keys.py", r'^    "([^"]+)": \(_')):
        text = (ROOT / "tests" / "integration" / test).read_text(encoding="utf-8")
        caused = set(
            re.findall(
                begin, text[text.index("\nFAULTS") : text.index("\n@pytest", text.index("\nFAULTS"))], re.MULTILINE
            )
        )
        assert len(caused) >= 4
        assert caused <= told, caused - told


def text_before(page: str, row: str) -> str:
    """Return the head of the table that a row stands in."""
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    return text[: text.index(row)].rpartition("\n\n")[2].partition("\n")[0]
