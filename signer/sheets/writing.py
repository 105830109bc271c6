"""
Write spreadsheets that people fill in or mend: every cell is text, and none is ever a formula.

What `reading` reads of a file made here are the same cells, in both forms. XLSX needs no guard: its cells say that they
are text. A CSV cell that a program would take for a formula gets an apostrophe in front (OWASP, CSV injection).
"""

from __future__ import annotations

import csv
import importlib
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from io import BytesIO, StringIO
from typing import TYPE_CHECKING, Final

from signer.sheets.csv_text import guarded

if TYPE_CHECKING:
    from collections.abc import Mapping

    import xlsxwriter
    from xlsxwriter.format import Format
    from xlsxwriter.worksheet import Worksheet

XLSX: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
CSV: Final = "text/csv; charset=utf-8"
_MOST_CELL = 32_000
_MOST_ROWS = 3_000
_MOST_LIST = 255
_MOST_HINT = 1_000
_MADE = datetime(2026, 1, 1, tzinfo=UTC)
"""Files of the same content are the same bytes."""
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_SHEET_NAME = re.compile(r"[\[\]:*?/\\']")


@dataclass(frozen=True, slots=True, kw_only=True)
class Heading:
    """
    A column: its name in the first row, and what helps to fill it in.

    `hint` is the header's comment, `choices` a list to choose from, `width` in characters.
    """

    title: str
    hint: str = ""
    choices: tuple[str, ...] = ()
    width: int = 18
    is_required: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """
    What is written: rows of text below headings; `notes` explain, on a sheet of their own (XLSX alone).

    `remarks` are comments on single cells, by row and column, each counted from 0 without the header: what is wrong.
    """

    name: str
    headings: tuple[Heading, ...]
    rows: tuple[tuple[str, ...], ...] = ()
    notes_name: str = "Notes"
    notes: tuple[str, ...] = ()
    remarks: Mapping[tuple[int, int], str] | None = None


def to_csv(sheet: Sheet) -> bytes:
    """Return a sheet as CSV in UTF-8 with its mark, so that Excel reads it as such."""
    target = StringIO(newline="")
    writer = csv.writer(target, quoting=csv.QUOTE_MINIMAL)
    writer.writerow([guarded(_plain(heading.title)) for heading in sheet.headings])
    writer.writerows([guarded(_plain(text)) for text in row] or [""] for row in sheet.rows)
    return target.getvalue().encode("utf-8-sig")


def to_xlsx(*sheets: Sheet) -> bytes:
    """
    Return sheets as one Excel workbook: frozen headers, columns formatted as text, notes on a sheet behind their own.

    Of several sheets none may offer choices.
    """
    target = BytesIO()
    writer = importlib.import_module("xlsxwriter")  # when it is needed: few processes write a workbook
    with writer.Workbook(target, {"in_memory": True, "strings_to_urls": False}) as book:
        book.set_properties({"created": _MADE, "title": sheets[0].name})
        text = book.add_format({"num_format": "@", "valign": "top"})
        wrong = book.add_format({"num_format": "@", "valign": "top", "bg_color": "#FFE1DC", "bold": True})
        head = {"bold": True, "num_format": "@", "text_wrap": True, "valign": "top", "border": 1}
        titles = book.add_format(head | {"bg_color": "#E4ECF5"})
        for sheet in sheets:
            page = book.add_worksheet(_sheet_name(sheet.name))
            _write_header(page, sheet, titles, text)
            if sheet.notes:
                _write_notes(book.add_worksheet(_sheet_name(sheet.notes_name)), sheet.notes, book)
            _offer(book, page, sheet)
            _write_rows(page, sheet, text, wrong)
    return target.getvalue()


def _write_header(page: Worksheet, sheet: Sheet, head: Format, text: Format) -> None:
    page.freeze_panes(1, 0)
    for column, heading in enumerate(sheet.headings):
        page.set_column(column, column, heading.width, text)
        page.write_string(0, column, _plain(heading.title), head)
        if heading.hint:
            page.write_comment(0, column, _plain(heading.hint)[:_MOST_HINT], {"x_scale": 2, "author": ""})


def _write_rows(page: Worksheet, sheet: Sheet, text: Format, wrong: Format) -> None:
    remarks = sheet.remarks or {}
    for row, cells in enumerate(sheet.rows):
        for column, cell in enumerate(cells):
            remark = remarks.get((row, column))
            if cell or remark:
                page.write_string(row + 1, column, _plain(cell), wrong if remark else text)
            if remark:
                page.write_comment(row + 1, column, _plain(remark)[:_MOST_HINT], {"x_scale": 2, "author": ""})


def _write_notes(page: Worksheet, notes: tuple[str, ...], book: xlsxwriter.Workbook) -> None:
    page.set_column(0, 0, 110)
    wrapped = book.add_format({"text_wrap": True, "valign": "top", "num_format": "@"})
    for row, note in enumerate(notes):
        page.write_string(row, 0, _plain(note), wrapped)


def _offer(book: xlsxwriter.Workbook, page: Worksheet, sheet: Sheet) -> None:
    """Offer choices in their columns; other words may be typed, and are judged when the sheet is handed in."""
    lists: Worksheet | None = None
    for column, heading in enumerate(sheet.headings):
        if not heading.choices:
            continue
        source: list[str] | str = list(heading.choices)
        if len(",".join(heading.choices)) > _MOST_LIST or any("," in choice for choice in heading.choices):
            if lists is None:
                lists = book.add_worksheet("lists")
                lists.hide()
            for row, choice in enumerate(heading.choices):
                lists.write_string(row, column, _plain(choice))
            source = f"=lists!{_absolute(column, len(heading.choices))}"
        rule = {"validate": "list", "source": source, "error_type": "information", "ignore_blank": True}
        page.data_validation(1, column, _MOST_ROWS, column, rule)


def _absolute(column: int, rows: int) -> str:
    name = importlib.import_module("xlsxwriter.utility").xl_col_to_name(column, col_abs=True)
    return f"{name}$1:{name}${rows}"


def _plain(text: str) -> str:
    return _CONTROL.sub("\N{REPLACEMENT CHARACTER}", text)[:_MOST_CELL]


def _sheet_name(name: str) -> str:
    return _SHEET_NAME.sub(" ", _plain(name))[:31].strip() or "Sheet"
