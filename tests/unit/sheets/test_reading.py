"""A spreadsheet is read as text within limits: what is hostile, locked, huge or no sheet at all is refused by name."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from datetime import datetime
from typing import TYPE_CHECKING, Any

import pytest
import xlsxwriter

from signer import sandbox
from signer.domain.table import MOST_CELL, MOST_COLUMNS, MOST_ROWS, CellKind, address, column_of, letters
from signer.errors import RuleViolation
from signer.sheets import reading, task
from signer.sheets.refusal import SheetRefused

if TYPE_CHECKING:
    from collections.abc import Callable


def workbook(fill: Callable[[Any, Any], object], **options: Any) -> bytes:
    target = io.BytesIO()
    with xlsxwriter.Workbook(target, {"in_memory": True, **options}) as book:
        fill(book, book.add_worksheet())
    return target.getvalue()


def plain(book: Any, page: Any) -> None:
    page.write_string(0, 0, "VIN")
    page.write_string(1, 0, "L0YSAMPLE")


def repacked(data: bytes, **changed: bytes) -> bytes:
    """Return a workbook with some parts changed or added; names have `__` for `/` and `_dot_` for `.`."""
    named = {name.replace("__", "/").replace("_dot_", "."): content for name, content in changed.items()}
    target = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            new.writestr(name, named.pop(name, None) or old.read(name))
        for name, content in named.items():
            new.writestr(name, content)
    return target.getvalue()


def rule_of(data: bytes) -> str:
    with pytest.raises(RuleViolation) as caught:
        reading.read(data)
    (found,) = caught.value.violations
    assert found.zh
    assert found.en
    return found.rule


def texts(data: bytes) -> list[list[str]]:
    return [[cell.text for cell in row.cells] for row in task.read(data).rows]


def test_columns_have_the_letters_of_the_screen() -> None:
    assert [letters(column) for column in (0, 25, 26, 701, 702)] == ["A", "Z", "AA", "ZZ", "AAA"]
    assert all(column_of(letters(column)) == column for column in range(1500))
    assert address(5, 2) == "C5"


def test_cells_say_what_they_are_and_rows_keep_their_numbers() -> None:
    def fill(book: Any, page: Any) -> None:
        page.write_string(2, 1, "=HYPERLINK(1)")
        page.write_number(2, 2, 46266)
        page.write_number(3, 0, 1.2e17)
        page.write_datetime(3, 1, datetime.fromisoformat("2026-09-01"), book.add_format({"num_format": "yyyy/m/d"}))
        page.write_datetime(
            3, 2, datetime.fromisoformat("2026-09-01T08:30"), book.add_format({"num_format": "yyyy/m/d h:mm"})
        )
        page.write_boolean(3, 3, True)
        page.write_formula(3, 4, "=1/0", None, "#DIV/0!")

    table = reading.read(workbook(fill))
    assert [row.number for row in table.rows] == [3, 4]
    assert [(cell.text, cell.kind) for row in table.rows for cell in row.cells] == [
        ("", CellKind.TEXT),
        ("=HYPERLINK(1)", CellKind.TEXT),
        ("46266", CellKind.NUMBER),
        ("1.2E+17", CellKind.NUMBER),
        ("2026-09-01", CellKind.DAY),
        ("2026-09-01 08:30:00", CellKind.TIME),
        ("true", CellKind.TRUTH),
        ("#ERROR", CellKind.ERROR),
    ]


def test_days_of_a_workbook_that_counts_from_1904_are_the_days_shown() -> None:
    def fill(book: Any, page: Any) -> None:
        page.write_datetime(0, 0, datetime.fromisoformat("2026-09-01"), book.add_format({"num_format": "yyyy-mm-dd"}))

    table = task.read(workbook(fill, date_1904=True))
    assert table.counts_from_1904
    assert table.rows[0].cell(0).text == "2026-09-01"
    assert table.rows[0].cell(9).text == ""


def test_only_the_first_visible_sheet_is_read_and_the_others_are_named() -> None:
    def fill(book: Any, page: Any) -> None:
        page.write_string(0, 0, "hidden")
        second = book.add_worksheet("车辆")
        second.write_string(0, 0, "seen")
        second.activate()
        page.hide()

    table = task.read(workbook(fill))
    assert (table.sheet, table.rows[0].cell(0).text, table.others) == ("车辆", "seen", ("Sheet1",))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_csv_in_each_encoding_and_with_each_delimiter_is_the_same(encoding: str, delimiter: str) -> None:
    rows = [["车架号", "品牌"], ["A", '"云舟\n二行"'], ["", ""], ["B", "'=1+1"]]
    text = "\r\n".join(delimiter.join(row) for row in rows)
    table = reading.read(text.encode(encoding))
    assert [row.number for row in table.rows] == [1, 2, 4]
    assert [[cell.text for cell in row.cells] for row in table.rows] == [
        ["车架号", "品牌"],
        ["A", "云舟\n二行"],
        ["B", "=1+1"],
    ]


def test_a_line_that_names_the_delimiter_is_no_row() -> None:
    assert texts(b"sep=;\r\na,b;c\r\n") == [["a,b", "c"]]


def test_a_cell_of_five_thousand_characters_is_cut_and_says_so() -> None:
    cell = task.read(b"a," + b"x" * 5000).rows[0].cell(1)
    assert (len(cell.text), cell.kind) == (MOST_CELL, CellKind.LONG)


@pytest.mark.parametrize(
    ("data", "rule"),
    [
        (b"", "sheet.empty"),
        (b" \r\n ", "sheet.empty"),
        (b",,\n,,", "sheet.empty"),
        (b"a,b\0c", "sheet.nul"),
        ("车架号".encode("utf-16"), "sheet.encoding"),
        (b"a,\xff\xff", "sheet.encoding"),
        (b'a,b\n"open,1\n', "sheet.quotes"),
        (b"%PDF-1.7", "sheet.other"),
        (b"<html><table><tr><td>VIN</td></tr></table></html>", "sheet.other"),
        (b'<?xml version="1.0"?><Workbook/>', "sheet.other"),
        (bytes.fromhex("d0cf11e0a1b11ae1") + b"Workbook", "sheet.old"),
        (bytes.fromhex("d0cf11e0a1b11ae1") + "EncryptedPackage".encode("utf-16-le"), "sheet.encrypted"),
        (b"PK\x03\x04 and nothing more", "sheet.damaged"),
        (b"\n".join([b"x"] * (MOST_ROWS + 2)), "sheet.rows"),
        (b",".join([b"x"] * (MOST_COLUMNS + 1)), "sheet.columns"),
        (b"x" * (reading.MOST_BYTES + 1), "sheet.too-large"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_cannot_be_read_is_refused_by_a_rule_that_says_what_to_do(data: bytes, rule: str) -> None:
    assert rule_of(data) == rule


def test_exactly_as_many_rows_and_columns_as_allowed_are_read() -> None:
    assert len(task.read(b"\n".join([b"x"] * (MOST_ROWS + 1))).rows) == MOST_ROWS + 1
    assert len(task.read(b",".join([b"x"] * MOST_COLUMNS)).rows[0].cells) == MOST_COLUMNS


def test_a_bomb_is_not_unpacked() -> None:
    bomb = b"<worksheet>" + b" " * 60_000_000
    assert rule_of(repacked(workbook(plain), xl__worksheets__sheet1_dot_xml=bomb)) == "sheet.bomb"


def test_a_bomb_that_lies_about_its_size_is_not_unpacked() -> None:
    """The directory says ten bytes; the stream goes on for 60 MB. Nothing but what was read reaches the parser."""
    data = bytearray(repacked(workbook(plain), xl__sharedStrings_dot_xml=b"<sst>" + b" " * 60_000_000))
    place = data.rindex(b"xl/sharedStrings.xml") - 46
    assert data[place : place + 4] == b"PK\x01\x02"
    data[place + 16 : place + 20] = struct.pack("<I", zlib.crc32(b"<sst>     "))
    data[place + 24 : place + 28] = struct.pack("<I", 10)
    assert rule_of(bytes(data)) == "sheet.damaged"


def test_ten_thousand_parts_are_a_bomb() -> None:
    more = {f"xl__media__{turn}_dot_xml": b"x" for turn in range(600)}
    assert rule_of(repacked(workbook(plain), **more)) == "sheet.bomb"


@pytest.mark.parametrize(
    "declared",
    [
        b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><sst><si><t>&a;</t></si></sst>',
        b'<!DOCTYPE z [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]><sst><si><t>&b;</t></si></sst>',
    ],
    ids=["xxe", "billion-laughs"],
)
def test_entities_are_never_declared(declared: bytes) -> None:
    assert rule_of(repacked(workbook(plain), xl__sharedStrings_dot_xml=declared)) == "sheet.entities"


def test_a_declaration_cannot_hide_in_another_encoding() -> None:
    hidden = '<?xml version="1.0" encoding="UTF-16"?><!DOCTYPE x [<!ENTITY a "b">]><sst/>'.encode("utf-16")
    assert rule_of(repacked(workbook(plain), xl__sharedStrings_dot_xml=hidden)) == "sheet.damaged"
    other = b'<?xml version="1.0" encoding="UTF-7"?><sst/>'
    assert rule_of(repacked(workbook(plain), xl__sharedStrings_dot_xml=other)) == "sheet.damaged"


def test_macros_are_refused_and_so_are_other_documents() -> None:
    assert rule_of(repacked(workbook(plain), xl__vbaProject_dot_bin=b"x")) == "sheet.macros"
    for name, content in (("word/document.xml", b"<x/>"), ("content.xml", b"<x/>"), ("readme.txt", b"x")):
        target = io.BytesIO()
        with zipfile.ZipFile(target, "w") as whole:
            whole.writestr(name, content)
        assert rule_of(target.getvalue()) == "sheet.other"


def test_two_parts_of_one_name_are_refused() -> None:
    target = io.BytesIO(workbook(plain))
    with pytest.warns(UserWarning, match="Duplicate"), zipfile.ZipFile(target, "a") as whole:
        whole.writestr("xl/workbook.xml", b"<workbook/>")
    assert rule_of(target.getvalue()) == "sheet.damaged"


def test_a_cell_at_the_end_of_the_world_costs_nothing() -> None:
    assert rule_of(workbook(lambda _, page: page.write_string(1_000_000, 0, "x"))) == "sheet.rows"
    assert rule_of(workbook(lambda _, page: page.write_string(0, 16_000, "x"))) == "sheet.columns"
    assert rule_of(workbook(lambda _, page: page.write_string(0, MOST_COLUMNS, "x"))) == "sheet.columns"


def test_formatted_but_empty_cells_far_away_do_no_harm() -> None:
    def fill(book: Any, page: Any) -> None:
        plain(book, page)
        page.write_blank(1_000_000, 16_000, None, book.add_format({"bold": True}))

    assert texts(workbook(fill)) == [["VIN"], ["L0YSAMPLE"]]


def test_what_the_child_refuses_is_a_known_rule() -> None:
    with pytest.raises(SheetRefused, match=r"sheet\.empty"):
        task.read(b"")


@pytest.mark.parametrize(
    ("limits", "rule"),
    [
        (sandbox.Limits(wall_s=0.0), "sheet.bomb"),
        (sandbox.Limits(output_bytes=10), "sheet.bomb"),
        (sandbox.Limits(memory_bytes=1), "sheet.damaged"),
    ],
)
def test_a_child_that_gives_no_answer_is_answered_by_a_rule(limits: sandbox.Limits, rule: str) -> None:
    with pytest.raises(RuleViolation) as caught:
        reading.read(b"a,b\n" * 1_000_000, limits=limits)
    assert [found.rule for found in caught.value.violations] == [rule]


def test_a_small_file_that_says_one_long_text_a_hundred_thousand_times_is_not_taken() -> None:
    def fill(_: Any, page: Any) -> None:
        for row in range(MOST_ROWS):
            for column in range(MOST_COLUMNS):
                page.write_string(row, column, "x" * MOST_CELL)

    data = workbook(fill)
    assert len(data) < reading.MOST_BYTES
    assert rule_of(data) == "sheet.bomb"
