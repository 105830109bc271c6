"""Long files are read as text within limits of their own, and JSON Lines are rows like any other."""

from __future__ import annotations

import io
import json
import zipfile
import zlib
from contextlib import suppress
from typing import TYPE_CHECKING

import many_vehicles
import pytest
from hypothesis import given
from hypothesis import strategies as st

from signer import sandbox
from signer.domain.columns import find_header, fold
from signer.domain.confirmation import DraftVehicle
from signer.domain.table import MOST_COLUMNS, CellKind, Extent
from signer.domain.vehicle_columns import VEHICLE_COLUMNS
from signer.errors import RuleViolation
from signer.sheets import json_lines, reading, task
from signer.sheets.refusal import SheetRefused

if TYPE_CHECKING:
    from signer.domain.table import Row

SMALL = Extent(rows=10, has_lines=True)


def refusal(data: bytes, *, extent: Extent = SMALL) -> tuple[str, str]:
    with pytest.raises(RuleViolation) as caught:
        list(reading.stream(data, extent=extent)[1])
    (found,) = caught.value.violations
    assert found.zh
    return found.rule, found.en


def rows(data: bytes) -> list[Row]:
    return list(reading.stream(data, extent=SMALL)[1])


def texts(found: list[Row]) -> list[list[str]]:
    return [[cell.text for cell in row.cells] for row in found]


@pytest.mark.parametrize("encode", [many_vehicles.as_csv, many_vehicles.as_xlsx, many_vehicles.as_lines])
def test_a_long_file_says_the_same_in_every_form(encode: object) -> None:
    made = many_vehicles.vehicles(3)
    found = rows(encode(made))  # type: ignore[operator]
    assert texts(found)[1:] == [list(map(str, one.values())) for one in made]


@pytest.mark.parametrize("encode", [many_vehicles.as_csv, many_vehicles.as_xlsx, many_vehicles.as_lines])
def test_one_vehicle_more_than_is_read_is_refused_and_so_many_are_not(encode: object) -> None:
    assert len(rows(encode(many_vehicles.vehicles(10)))) == 11  # type: ignore[operator]
    rule, words = refusal(encode(many_vehicles.vehicles(11)))  # type: ignore[operator]
    assert rule == "sheet.rows"
    assert "more than 10 rows" in words


def test_fields_of_a_vehicle_are_headers_under_their_own_names() -> None:
    known = {fold(name): column.name for column in VEHICLE_COLUMNS for name in column.names}
    fields = {*DraftVehicle.model_fields, "country", "port", "buyer", "exporter", "contract", "application_planned_on"}
    assert all(known[fold(name)] == name for name in fields - {"outlets"})


def test_lines_keep_their_numbers_and_fields_come_in_any_order() -> None:
    data = '{"vin": "A", "brand": "云舟"}\n\n{"model": "M", "modified": true, "vin": "B", "brand": null}\r\n'
    found = rows(b"\xef\xbb\xbf" + data.encode())
    assert [row.number for row in found] == [0, 1, 3]
    assert texts(found) == [["vin", "brand", "model", "modified"], ["A", "云舟"], ["B", "", "M", "true"]]
    assert found[2].cell(3).kind is CellKind.TRUTH


def test_lines_in_gb18030_and_with_lone_surrogates_are_text() -> None:
    assert texts(rows('{"brand": "云舟"}'.encode("gb18030")))[1] == ["云舟"]
    assert texts(rows(b'{"brand": "a\\ud800"}'))[1] == ["a\N{REPLACEMENT CHARACTER}"]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ('{"vin": "A"', "not JSON"),
        ('{"vin": "A", "vin": "B"}', "stands twice"),
        ('["A"]', "not an object"),
        ('{"a": ' + "[" * 99 + "]" * 99 + "}", "nested deeper"),
        ('{"a": 1.5}', "not a whole number"),
        ('{"a": NaN}', "not a JSON number"),
        ('{"a": "' + "x" * 100_001 + '"}', "longer than"),
    ],
)
def test_a_broken_line_is_told_by_its_number_in_both_languages(line: str, reason: str) -> None:
    rule, words = refusal(('{"vin": "A"}\n' + line + "\n{}\n" + line).encode())
    assert rule == "sheet.line"
    assert words.startswith("Line 2, 4 is")
    assert reason in words
    with pytest.raises(RuleViolation) as caught:
        reading.stream(('{"vin": "A"}\n' + line).encode(), extent=SMALL)
    told = caught.value.violations[0].zh
    assert told.startswith("第 2 行")
    assert not any(word in told for word in ("not ", "twice", "deeper", "longer"))


def test_a_number_where_text_belongs_is_refused_because_zeros_in_front_would_be_lost() -> None:
    assert refusal(b'{"vin": "A", "certificate_no": 12}')[0] == "sheet.value"


def test_more_fields_than_columns_are_refused() -> None:
    whole = {f"f{turn}": "x" for turn in range(MOST_COLUMNS + 1)}
    assert refusal(json.dumps(whole).encode())[0] == "sheet.fields"


def test_json_lines_make_a_batch_and_no_import() -> None:
    with pytest.raises(SheetRefused):
        list(json_lines.rows(b"{", Extent()))
    assert reading.read(b'{"vin": "A"}\n').form == "csv"


def test_a_long_bomb_is_refused_before_it_is_unpacked() -> None:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as whole:
        whole.writestr("xl/workbook.xml", b"<workbook/>")
        whole.writestr("xl/worksheets/sheet1.xml", bytes(2_000_000))
    assert refusal(target.getvalue(), extent=Extent(rows=10, unpacked=1_000_000))[0] == "sheet.bomb"
    assert refusal(bytes(reading.MOST_LONG_BYTES + 1))[0] == "sheet.too-large"


def test_a_child_that_dies_or_is_slow_is_answered_by_a_rule() -> None:
    data = many_vehicles.as_csv(many_vehicles.vehicles(10))
    with pytest.raises(RuleViolation):
        reading.stream(data, extent=SMALL, limits=sandbox.Limits(output_bytes=100))


def test_a_small_file_that_says_very_much_is_read_no_further(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "_MOST_SAID", 500_000)
    data = many_vehicles.as_lines(many_vehicles.vehicles(10, brand="x" * 900))
    assert len(rows(data)) == 11
    assert refusal(many_vehicles.as_lines(many_vehicles.vehicles(400, brand="x" * 999)), extent=reading.LONG)[0] == (
        "sheet.bomb"
    )


@given(st.binary(max_size=300))
def test_whatever_a_child_says_is_lines_or_refused(said: bytes) -> None:
    for answer in (said, zlib.compress(said), zlib.compress(said)[:-2]):
        with suppress(RuleViolation):
            assert all(isinstance(line, bytes) for line in reading._lines(answer))


def test_a_header_of_lines_is_found_though_it_stands_in_no_line() -> None:
    table, found = task.opened(many_vehicles.as_lines(many_vehicles.vehicles(2)), SMALL)
    header = find_header(table.model_copy(update={"rows": tuple(found)}), VEHICLE_COLUMNS)
    assert header.row == 0
    assert not header.findings
    assert set(header.places) == set(many_vehicles.HEADINGS)
