"""However much is wrong with a file, faults are told before warnings, by cell, once, and all of it is counted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from signer.domain import batch_findings
from signer.domain.batch_findings import Telling, placed_in_file
from signer.domain.confirmation import DraftVehicle
from signer.domain.importing import MOST_SAID, SheetRow
from signer.errors import Finding

if TYPE_CHECKING:
    import pytest

PLACES = {"vin": 0, "country": 1, "energy": 2}
TITLES = ("VIN", "country", "energy")


def found(pointer: str, rule: str = "vin.check-digit", severity: str = "violation") -> Finding:
    return Finding(rule=rule, severity=severity, pointer=pointer, zh="", en="", source="")  # type: ignore[arg-type]


def row(number: int, **vehicle: str) -> SheetRow:
    return SheetRow(row=number, country="BR", vehicle=DraftVehicle(**vehicle))


ROWS = (row(5, vin="A"), row(9, vin="B", energy="battery-electric"))


def test_faults_are_kept_before_warnings_and_all_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batch_findings, "MOST_SAID", 30)
    telling = Telling(TITLES, PLACES)
    for number in range(1, 41):
        telling.note_rules([found(f"A{number}", severity="warning")], [row(number)])
    for number in range(1, 26):
        telling.note_rules([found(f"A{number}")], [row(number)])
    report = telling.report()
    assert report.count == 65
    assert len(report.said) == 30
    assert sum(one.severity == "violation" for one in report.said) == 25
    assert [(one.row, one.column) for one in report.said] == sorted((one.row, one.column) for one in report.said)
    assert MOST_SAID == 3_000


@given(st.lists(st.sampled_from(["", "A5", "B9", "C"]), max_size=20))
def test_what_is_about_the_whole_file_is_told_once_and_only_violations_make_it_faulty(pointers: list[str]) -> None:
    for severity in ("violation", "warning"):
        telling = Telling(TITLES, PLACES)
        for pointer in pointers:
            telling.note_rules([found(pointer, severity=severity)], ROWS)
        assert telling.is_faulty is (severity == "violation" and bool(pointers))
        said = [one.place for one in telling.report().said]
        assert said.count("") == min(1, pointers.count(""))
        assert telling.report().count == len(said)


def test_a_cell_that_could_not_be_read_is_not_told_to_be_empty_as_well() -> None:
    telling = Telling(TITLES, PLACES)
    telling.note_cells([found("A5", "cell.number-lost")], {5: ["1.2E+17"]})
    telling.note_rules([found("A5", "vin.missing"), found("A9", "vin.missing")], ROWS)
    assert [(one.place, one.rule, one.typed) for one in telling.report().said] == [
        ("A5", "cell.number-lost", "1.2E+17"),
        ("A9", "vin.missing", "B"),
    ]


def test_pointers_into_a_draft_become_cells_of_the_file() -> None:
    given_ = (
        found("/vehicles/1/vin"),
        found("/destination/country", "country.unknown"),
        found("/outlets", "outlet.none"),
        found("/outlets", "outlet.stale", "warning"),
        found("/commitment/text_zh", "text.missing"),
        found("/vehicles", "issuer.several"),
        found("", "seal.test", "notice"),
        found("/commitment/battery_service", "commitment.battery", "warning"),
    )
    assert [(one.pointer, one.rule) for one in placed_in_file(given_, ROWS, PLACES)] == [
        ("A9", "vin.check-digit"),
        ("B5", "country.unknown"),
        ("B9", "country.unknown"),
        ("B5", "outlet.none"),
        ("B9", "outlet.none"),
        ("", "outlet.stale"),
        ("", "text.missing"),
        ("C9", "commitment.battery"),
    ]
