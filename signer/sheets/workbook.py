"""
XLSX: unpacked by us within limits, checked, packed anew without anything that is not needed, and only then parsed.

What the parser sees is thus no bomb, has no second file of one name, no macro, no declaration of entities and no link.
Source: ECMA-376, parts 1 and 2.
"""

from __future__ import annotations

import re
import zipfile
import zlib
from contextlib import suppress
from datetime import date, datetime, time, timedelta
from io import BytesIO
from typing import TYPE_CHECKING, Final

import python_calamine

from signer.domain.table import MOST_COLUMNS, Cell, CellKind, Row, Table, column_of, letters
from signer.sheets.csv_text import cell_of
from signer.sheets.refusal import SheetRefused

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from typing import TypeAlias

    from signer.domain.table import Extent

    Value: TypeAlias = int | float | str | bool | time | date | datetime | timedelta

MOST_PARTS = 500
MOST_PART_NAME = 200
_KEPT = (".xml", ".rels")
_DECLARATION = re.compile(rb"<!(DOCTYPE|ENTITY)", re.IGNORECASE)
_ENCODING = re.compile(rb"""<\?xml[^>]*encoding=["'](?!utf-8["'])""", re.IGNORECASE)
_1904 = re.compile(rb"""date1904=["'](1|true)["']""")
_CELL = re.compile(rb"""<c\s[^<>]*?\br=["']([A-Z]{1,3})([0-9]{1,7})["'][^<>]*(?<!/)>""")
_ERROR = re.compile(rb"""<c\s(?=[^<>]*\bt=["']e["'])[^<>]*?\br=["']([A-Z]{1,3})([0-9]{1,7})["']""")
_WORKSHEET = re.compile(r"xl/worksheets/[^/]+\.xml", re.IGNORECASE)
_MOST_EMPTY: Final = 18_000
"""Rows without anything, among those that have data: the parser makes room for them."""
_SAFE_WHOLE: Final = 10**15
"""Excel keeps fifteen digits; what it shows of a longer number is not what was typed."""


def read(data: bytes, extent: Extent) -> tuple[Table, Iterator[Row]]:
    """Return what the first visible sheet of a workbook is, still without rows, and its rows. SheetRefused."""
    parts = _parts(data, most=extent.unpacked)
    for content in parts.values():
        if _DECLARATION.search(content):
            raise SheetRefused("sheet.entities")
        if b"\0" in content or _ENCODING.match(content):
            raise SheetRefused("sheet.damaged")
    _refuse_vast(parts, extent)
    try:
        with python_calamine.load_workbook(BytesIO(_packed(parts))) as book:
            return _table(book, parts, extent)
    except python_calamine.PasswordError as error:
        raise SheetRefused("sheet.encrypted") from error
    except python_calamine.CalamineError as error:
        raise SheetRefused("sheet.damaged") from error


def _parts(data: bytes, *, most: int) -> dict[str, bytes]:
    """Return the parts that the parser needs, unpacked. SheetRefused for what is no XLSX, or a bomb."""
    try:
        with zipfile.ZipFile(BytesIO(data)) as whole:
            entries = whole.infolist()
            _refuse_kind([entry.filename for entry in entries], is_locked=any(one.flag_bits & 1 for one in entries))
            left, found = most, {}
            for entry in entries:
                if entry.filename.lower().endswith(_KEPT):
                    with whole.open(entry) as part:
                        found[entry.filename] = part.read(left + 1)
                    left -= len(found[entry.filename])
                    if left < 0:
                        raise SheetRefused("sheet.bomb")
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, EOFError, OSError, ValueError, RuntimeError) as error:
        raise SheetRefused("sheet.damaged") from error
    return found


def _refuse_kind(names: list[str], *, is_locked: bool) -> None:
    folded = [name.lower() for name in names]
    if len(folded) > MOST_PARTS or any(len(name) > MOST_PART_NAME for name in folded):
        raise SheetRefused("sheet.bomb")
    if is_locked:
        raise SheetRefused("sheet.encrypted")
    if len(set(folded)) != len(folded):
        raise SheetRefused("sheet.damaged")
    if any("vbaproject" in name or "macrosheets/" in name for name in folded):
        raise SheetRefused("sheet.macros")
    if "xl/workbook.xml" not in folded:
        kinds = {"word/document.xml": "Word", "ppt/presentation.xml": "PowerPoint", "xl/workbook.bin": "XLSB"}
        kinds |= {"content.xml": "ODS / ODT"}
        found = next((kind for name, kind in kinds.items() if name in folded), "ZIP")
        raise SheetRefused("sheet.other", found=found)


def _refuse_vast(parts: Mapping[str, bytes], extent: Extent) -> None:
    """Refuse cells far away before the parser makes room for everything between them and the first."""
    for name, content in parts.items():
        if not _WORKSHEET.fullmatch(name):
            continue
        for found in _CELL.finditer(content):
            row, column = int(found[2]), column_of(found[1].decode())
            if row > min(10 * extent.rows, extent.rows + _MOST_EMPTY):
                raise SheetRefused("sheet.rows", most=f"{extent.rows}", row=f"{row}")
            if column >= 4 * MOST_COLUMNS:
                raise SheetRefused("sheet.columns", most=f"{MOST_COLUMNS}", column=letters(column))


def _packed(parts: Mapping[str, bytes]) -> bytes:
    target = BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as whole:
        for name, content in parts.items():
            whole.writestr(name, content)
    return target.getvalue()


def _table(
    book: python_calamine.CalamineWorkbook, parts: Mapping[str, bytes], extent: Extent
) -> tuple[Table, Iterator[Row]]:
    usual = python_calamine.SheetTypeEnum.WorkSheet
    names = [each.name for each in book.sheets_metadata if each.typ == usual]
    visible = python_calamine.SheetVisibleEnum.Visible
    shown = [each.name for each in book.sheets_metadata if each.typ == usual and each.visible == visible]
    if not shown:
        raise SheetRefused("sheet.empty")
    name = shown[0]
    values = book.get_sheet_by_name(name).to_python(skip_empty_area=False)
    told = Table(
        form="xlsx",
        sheet=name[:100],
        others=tuple(each[:100] for each in names if each != name)[:20],
        counts_from_1904=any(
            part.lower() == "xl/workbook.xml" and _1904.search(content) for part, content in parts.items()
        ),
        rows=(),
    )
    return told, _rows(values, _errors(parts) if len(names) == 1 else _errors_of_first(parts), extent)


def _errors(parts: Mapping[str, bytes]) -> frozenset[tuple[int, int]]:
    """Return where cells hold errors of formulas: the parser says that these are empty."""
    sheets = [content for name, content in parts.items() if _WORKSHEET.fullmatch(name)]
    return frozenset(
        (int(found[2]), column_of(found[1].decode())) for content in sheets for found in _ERROR.finditer(content)
    )


def _errors_of_first(parts: Mapping[str, bytes]) -> frozenset[tuple[int, int]]:
    first = {name: content for name, content in parts.items() if name.lower().endswith("/sheet1.xml")}
    return _errors(first)


def _rows(values: Iterable[list[Value]], errors: frozenset[tuple[int, int]], extent: Extent) -> Iterator[Row]:
    count = 0
    for number, fields in enumerate(values, 1):
        cells = [_cell(value, is_error=(number, column) in errors) for column, value in enumerate(fields)]
        while cells and not cells[-1].text.strip():
            cells.pop()
        if len(cells) > MOST_COLUMNS:
            raise SheetRefused("sheet.columns", most=f"{MOST_COLUMNS}", column=letters(len(cells) - 1))
        count += bool(cells)
        if count > extent.rows + 1:
            raise SheetRefused("sheet.rows", most=f"{extent.rows}", row=f"{number}")
        if cells:
            yield Row(number=number, cells=tuple(cells))


def _cell(value: Value, *, is_error: bool) -> Cell:
    if is_error and value == "":
        return Cell(text="#ERROR", kind=CellKind.ERROR)
    if isinstance(value, str):
        return cell_of(value)
    if isinstance(value, bool):
        return Cell(text=str(value).lower(), kind=CellKind.TRUTH)
    if isinstance(value, datetime):
        is_day = value.time() == time()
        text = value.date().isoformat() if is_day else value.isoformat(" ", "seconds")
        return Cell(text=text, kind=CellKind.DAY if is_day else CellKind.TIME)
    if isinstance(value, date):
        return Cell(text=value.isoformat(), kind=CellKind.DAY)
    if isinstance(value, time | timedelta):
        return Cell(text=str(value), kind=CellKind.TIME)
    return Cell(text=number_text(value), kind=CellKind.NUMBER)


def number_text(value: float) -> str:
    """Return a number as people read it: whole ones without a point, huge ones as Excel shows them."""
    with suppress(OverflowError, ValueError):
        if abs(value) < _SAFE_WHOLE and value == int(value):
            return str(int(value))
    return f"{value:.15g}".upper()
