"""CSV: comma, semicolon or tab; UTF-8 with or without its mark, or GB18030; rows as Excel counts them."""

from __future__ import annotations

import codecs
import csv
import re
from io import StringIO
from typing import TYPE_CHECKING

from signer.domain.table import MOST_CELL, MOST_COLUMNS, Cell, CellKind, Row, letters
from signer.sheets.refusal import SheetRefused

if TYPE_CHECKING:
    from collections.abc import Iterator

    from signer.domain.table import Extent

_DELIMITERS = ",;\t"
_NAMED = re.compile(r"sep=([,;\t])\r?\n", re.IGNORECASE)
_QUOTED = re.compile(r'"[^"]*"')
_GUARDED = re.compile(r"'+[=+\-@\t\r]")
_MOST_FIELD = 1_000_000
_CODECS = (codecs.lookup("utf-8-sig"), codecs.lookup("gb18030"))
"""Loaded with the module: behind its walls a child can load no code."""


def rows(data: bytes, extent: Extent) -> Iterator[Row]:
    """Yield the rows of a CSV file that are not empty. SheetRefused."""
    text = decoded(data)
    if re.match(r"\s*<(\?xml|!doctype|html|table|head|meta|workbook)", text, re.IGNORECASE):
        raise SheetRefused("sheet.other", found="HTML / XML")
    if named := _NAMED.match(text):
        text = text[named.end() :]
    csv.field_size_limit(_MOST_FIELD)
    reader = csv.reader(StringIO(text, newline=""), delimiter=named[1] if named else _delimiter(text), strict=True)
    number = count = 0
    try:
        for number, fields in enumerate(reader, 1):
            cells = _cells(fields)
            count += bool(cells)
            if count > extent.rows + 1 or number > 10 * extent.rows:
                raise SheetRefused("sheet.rows", most=f"{extent.rows}", row=f"{number}")
            if cells:
                yield Row(number=number, cells=cells)
    except csv.Error as error:
        raise SheetRefused("sheet.quotes", row=f"{number + 1}") from error


def guarded(text: str) -> str:
    """Return text as it stands in a CSV cell that no program takes for a formula; `unguarded` undoes exactly this."""
    return f"'{text}" if re.match(r"'*[=+\-@\t\r]", text) else text


def unguarded(text: str) -> str:
    """Return text without the apostrophe that keeps a cell from being a formula."""
    return text[1:] if _GUARDED.match(text) else text


def decoded(data: bytes) -> str:
    """Return the text of a file in UTF-8, with or without its mark, or in GB18030. SheetRefused."""
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise SheetRefused("sheet.encoding")
    if b"\0" in data:
        raise SheetRefused("sheet.nul")
    for codec in _CODECS:
        try:
            return codec.decode(data)[0]
        except UnicodeDecodeError:
            continue
    raise SheetRefused("sheet.encoding")


def _delimiter(text: str) -> str:
    """Return what parts the columns of the first line: whichever of the three it has most often outside quotes."""
    first = next((line for line in text.splitlines()[:50] if line.strip()), "")
    bare = _QUOTED.sub("", first)
    return max(_DELIMITERS, key=lambda each: (bare.count(each), each == ","))


def _cells(fields: list[str]) -> tuple[Cell, ...]:
    texts = [unguarded(field) for field in fields]
    while texts and not texts[-1].strip():
        texts.pop()
    if len(texts) > MOST_COLUMNS:
        raise SheetRefused("sheet.columns", most=f"{MOST_COLUMNS}", column=letters(len(texts) - 1))
    return tuple(map(cell_of, texts))


def cell_of(text: str) -> Cell:
    """Return the cell of a text, marked and cut when it is too long."""
    if len(text) > MOST_CELL:
        return Cell(text=text[:MOST_CELL], kind=CellKind.LONG)
    return Cell(text=text)
