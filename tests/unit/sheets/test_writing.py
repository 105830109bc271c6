"""What we write is read back cell by cell, and no program finds a formula in it."""

from __future__ import annotations

import csv
import io
import re
import zipfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from signer.sheets import task, writing
from signer.sheets.csv_text import guarded, unguarded
from signer.sheets.writing import Heading, Sheet

TEXT = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Cn"), exclude_characters="\ufeff")
    | st.sampled_from("=+-@'\t\r\n,;\""),
    max_size=30,
)
CELLS = TEXT.filter(lambda text: bool(text.strip()) and "\r" not in text and "_x" not in text.lower())
DANGEROUS = ["=1+1", "+1", "-1", "@SUM(1)", "\t=1", "\r=1", "'=1", "''=1", "=cmd|' /C calc'!A0"]


def sheet(rows: list[list[str]]) -> Sheet:
    return Sheet(
        name="车辆",
        headings=(Heading(title="车架号", hint="17 位"), Heading(title="VIN", choices=("a", "b"))),
        rows=tuple(map(tuple, rows)),
        notes=("说明",),
    )


@pytest.mark.parametrize("make", [writing.to_xlsx, writing.to_csv])
@given(rows=st.lists(st.tuples(CELLS, CELLS).map(list), min_size=1, max_size=4))
@settings(deadline=None, max_examples=40)
def test_reading_what_was_written_gives_the_same_cells(make: object, rows: list[list[str]]) -> None:
    assert callable(make)
    table = task.read(make(sheet(rows)))
    assert [[cell.text for cell in row.cells] for row in table.rows] == [["车架号", "VIN"], *rows]


@given(TEXT)
def test_a_guard_is_undone_exactly(text: str) -> None:
    assert unguarded(guarded(text)) == text
    assert guarded(text)[:1] not in tuple("=+-@\t\r") or not text


@pytest.mark.parametrize("typed", DANGEROUS)
def test_no_program_finds_a_formula(typed: str) -> None:
    made = writing.to_csv(sheet([[typed, typed]])).decode("utf-8-sig")
    for row in csv.reader(io.StringIO(made, newline="")):
        assert not any(cell.startswith(tuple("=+-@\t\r")) for cell in row)
    with zipfile.ZipFile(io.BytesIO(writing.to_xlsx(sheet([[typed, typed]])))) as whole:
        page = whole.read("xl/worksheets/sheet1.xml").decode()
    assert "<f>" not in page
    assert not re.search(r'<c [^>]*t="(str|b|e)"', page)


def test_a_workbook_has_a_frozen_header_a_comment_a_list_and_notes() -> None:
    with zipfile.ZipFile(io.BytesIO(writing.to_xlsx(sheet([["x", "y"]])))) as whole:
        page = whole.read("xl/worksheets/sheet1.xml").decode()
        assert 'state="frozen"' in page
        assert '<dataValidation type="list"' in page
        assert "17 位" in whole.read("xl/comments1.xml").decode()
        assert "说明" in whole.read("xl/sharedStrings.xml").decode()


def test_choices_too_long_for_a_list_stand_on_a_hidden_sheet_that_is_not_read() -> None:
    long = Sheet(name="x", headings=(Heading(title="a", choices=tuple(f"choice {turn}" for turn in range(90))),))
    table = task.read(writing.to_xlsx(long))
    assert (table.sheet, table.others) == ("x", ("lists",))


def test_the_same_sheet_is_the_same_bytes() -> None:
    assert writing.to_xlsx(sheet([["x", "y"]])) == writing.to_xlsx(sheet([["x", "y"]]))


def test_what_no_file_can_hold_is_replaced() -> None:
    table = task.read(writing.to_xlsx(sheet([["a\x01\ud800b", "z" * 50_000]])))
    assert table.rows[1].cell(0).text == "a\N{REPLACEMENT CHARACTER}\N{REPLACEMENT CHARACTER}b"
