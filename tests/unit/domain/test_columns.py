"""Columns are found by any of their names in any order; what a cell says is never guessed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signer.domain.columns import Column, as_day, find_header, fold, read_cell, read_rows
from signer.domain.table import Cell, CellKind, Row, Table
from signer.domain.vehicle_columns import PRODUCTION_COLUMNS, REASON, VEHICLE_COLUMNS
from signer.errors import RuleViolation

CODE = Column(name="code", zh="编号", en="code", reads="code")
DAY = Column(name="day", zh="日期", en="day", reads="day")
ENERGY = next(column for column in VEHICLE_COLUMNS if column.name == "energy")
READ = [column for column in VEHICLE_COLUMNS if column.reads != "ignored"]


def table(*rows: list[str], counts_from_1904: bool = False) -> Table:
    made = tuple(Row(number=number, cells=tuple(Cell(text=text) for text in row)) for number, row in enumerate(rows, 1))
    return Table(form="csv", rows=made, counts_from_1904=counts_from_1904)


def rules(error: RuleViolation) -> list[str]:
    return [found.rule for found in error.violations]


@pytest.mark.parametrize("columns", [VEHICLE_COLUMNS, PRODUCTION_COLUMNS])
def test_no_name_means_two_columns(columns: tuple[Column, ...]) -> None:
    seen: dict[str, str] = {}
    for column in columns:
        for name in column.names:
            assert fold(name), (column.name, name)
            assert seen.setdefault(fold(name), column.name) == column.name, name


@given(st.permutations(READ), st.data())
def test_any_order_and_any_name_means_the_same(order: list[Column], data: st.DataObject) -> None:
    titles = [data.draw(st.sampled_from(column.names)) for column in order]
    header = find_header(table(titles, ["x"] * len(order)), VEHICLE_COLUMNS)
    assert {name: order[place].name for name, place in header.places.items()} == {
        column.name: column.name for column in READ
    }
    assert header.findings == ()


@pytest.mark.parametrize(
    "title", ["车架号/VIN", "* 车架号 ：", "车辆识别代号（VIN）", "ＶＩＮ", "vin", "VIN\n17 位", "车 架 号"]
)
def test_headers_are_known_as_people_write_them(title: str) -> None:
    typed = [title, "品牌", "型号", "注册日期", "制造厂名称"]
    assert find_header(table(typed, ["x"]), VEHICLE_COLUMNS).places["vin"] == 0


def test_a_title_above_the_header_and_rows_below_keep_their_numbers() -> None:
    typed = ["序号", "VIN", "型号", "备注"]
    header = find_header(table(["生产清单"], typed, ["1", "A", "B", "x"], ["2", "", "", "y"]), PRODUCTION_COLUMNS)
    assert header.row == 2
    (row,) = read_rows(table(["生产清单"], typed, ["1", "A", "B", "x"], ["2", "", "", "y"]), header, PRODUCTION_COLUMNS)
    assert (row.number, dict(row.texts)) == (3, {"vin": "A", "model": "B"})


def test_an_unknown_column_is_told_with_its_letter_and_header() -> None:
    (found,) = find_header(table(["VIN", "库位", "型号"], ["x", "y", "z"]), PRODUCTION_COLUMNS).findings
    assert (found.rule, found.pointer, found.severity) == ("sheet.column-unknown", "B", "warning")
    assert "库位" in found.zh


def test_our_own_column_of_reasons_is_known_when_it_comes_again() -> None:
    for name in (REASON.zh, REASON.en):
        assert find_header(table(["VIN", "型号", name], ["x", "y", "z"]), PRODUCTION_COLUMNS).findings == ()


def test_a_missing_column_and_one_that_is_there_twice_are_told_at_once() -> None:
    with pytest.raises(RuleViolation) as caught:
        find_header(table(["VIN", "车架号", "品牌"], ["x", "y", "z"]), VEHICLE_COLUMNS)
    assert sorted(rules(caught.value)) == ["sheet.column-missing"] * 3 + ["sheet.column-twice"]


@pytest.mark.parametrize(
    ("rows", "rule"), [([["a", "b"], ["c", "d"]], "sheet.no-header"), ([["VIN", "型号"]], "sheet.no-rows")]
)
def test_without_header_or_rows_nothing_is_read(rows: list[list[str]], rule: str) -> None:
    with pytest.raises(RuleViolation) as caught:
        find_header(table(*rows), PRODUCTION_COLUMNS)
    assert rules(caught.value) == [rule]


@pytest.mark.parametrize(
    ("typed", "day"),
    [
        ("2026/3/1", "2026-03-01"),
        ("2026-3-1", "2026-03-01"),
        ("2026.03.01", "2026-03-01"),
        ("2026年3月1日", "2026-03-01"),
        ("2026年3月1", "2026-03-01"),
        ("20260301", "2026-03-01"),
        ("2026-03-01 00:00:00", "2026-03-01"),
        ("1-Mar-2026", "2026-03-01"),
        ("March 1, 2026", "2026-03-01"),
        ("2026/2/30", "2026/2/30"),
        ("1/3/2026", "1/3/2026"),
        ("26/3/1", "26/3/1"),
        ("2026-03-01 13:00", "2026-03-01 13:00"),
        ("1 Foo 2026", "1 Foo 2026"),
        ("", ""),
    ],
)
def test_days_are_read_as_people_write_them_and_none_is_guessed(typed: str, day: str) -> None:
    assert as_day(typed) == day


@given(st.dates())
def test_every_day_stays_itself(day: object) -> None:
    assert as_day(str(day)) == str(day)


@pytest.mark.parametrize(
    ("cell", "column", "text", "rule"),
    [
        (Cell(text="A1"), CODE, "A1", ""),
        (Cell(text="0012"), CODE, "0012", ""),
        (Cell(text="12", kind=CellKind.NUMBER), CODE, "12", "cell.number"),
        (Cell(text="1.2E+17", kind=CellKind.NUMBER), CODE, "", "cell.number-lost"),
        (Cell(text="1.2E+17"), CODE, "", "cell.number-lost"),
        (Cell(text="123456.0"), CODE, "", "cell.number-lost"),
        (Cell(text="12E45"), CODE, "12E45", ""),
        (Cell(text="2026-03-01", kind=CellKind.DAY), CODE, "", "cell.number-lost"),
        (Cell(text="46266", kind=CellKind.NUMBER), DAY, "2026-09-01", "cell.serial-day"),
        (Cell(text="46266"), DAY, "2026-09-01", "cell.serial-day"),
        (Cell(text="2026-09-01", kind=CellKind.DAY), DAY, "2026-09-01", ""),
        (Cell(text="2026-09-01 08:30:00", kind=CellKind.TIME), DAY, "2026-09-01", ""),
        (Cell(text="46266.5", kind=CellKind.NUMBER), DAY, "46266.5", ""),
        (Cell(text="纯电"), ENERGY, "battery-electric", ""),
        (Cell(text="Battery-Electric"), ENERGY, "battery-electric", ""),
        (Cell(text="wood"), ENERGY, "", "cell.choice"),
        (Cell(text="#ERROR", kind=CellKind.ERROR), CODE, "", "cell.error"),
        (Cell(text="x" * 1000, kind=CellKind.LONG), CODE, "", "cell.long"),
        (Cell(text="=1+1"), CODE, "=1+1", ""),
    ],
)
def test_what_a_cell_says(cell: Cell, column: Column, text: str, rule: str) -> None:
    read, found = read_cell(cell, column, at="B2")
    assert (read, [each.rule for each in found]) == (text, [rule] if rule else [])
    assert all(each.pointer == "B2" for each in found)


def test_a_workbook_that_counts_from_1904_has_other_numbers_for_the_same_days() -> None:
    text, _ = read_cell(Cell(text="44804", kind=CellKind.NUMBER), DAY, at="A2", counts_from_1904=True)
    assert text == "2026-09-01"
