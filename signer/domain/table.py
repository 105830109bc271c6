"""A spreadsheet as far as we care: rows of cells with text, each with the address that people see on their screen."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated

from pydantic import Field

from signer.domain.values import Frozen

MOST_ROWS = 2_000
"""Rows with data; the one with the headers is not counted."""
MOST_COLUMNS = 60
MOST_CELL = 1_000
"""Characters of one cell that are kept; a longer one is marked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Extent:
    """
    How much of a file is read: rows with data, and bytes once it is unpacked (XLSX).

    `has_lines`: JSON Lines are read as well, one object per vehicle.
    """

    rows: int = MOST_ROWS
    unpacked: int = 40_000_000
    has_lines: bool = False


class CellKind(StrEnum):
    """What the file said that a cell is: for text and numbers alike we keep what a person reads there."""

    TEXT = "text"
    NUMBER = "number"
    DAY = "day"
    TIME = "time"
    TRUTH = "truth"
    ERROR = "error"
    LONG = "long"


class Cell(Frozen):
    """One cell: a DAY is `YYYY-MM-DD`, a TIME that with a time of day, a TRUTH `true` or `false`."""

    text: str = ""
    kind: CellKind = CellKind.TEXT


class Row(Frozen):
    """
    One row that is not empty; `number` counts from 1, as on the screen. Cells at the end may be missing.

    0 is the header of JSON Lines, which stands in no line.
    """

    number: Annotated[int, Field(ge=0)]
    cells: Annotated[tuple[Cell, ...], Field(max_length=MOST_COLUMNS)]

    def cell(self, column: int) -> Cell:
        """Return the cell of a column, counted from 0; an empty one where there is none."""
        return self.cells[column] if column < len(self.cells) else Cell()


class Table(Frozen):
    """
    One sheet. `form` is xlsx, csv or jsonl, `others` the names of sheets that were not read.

    `counts_from_1904`: numbers that stand for days are counted from 1904-01-01, not from 1899-12-30.
    """

    form: str
    sheet: str = ""
    others: tuple[str, ...] = ()
    counts_from_1904: bool = False
    rows: tuple[Row, ...]


def letters(column: int) -> str:
    """Return the letters of a column counted from 0: A, Z, AA."""
    found, left = "", column + 1
    while left:
        left, place = divmod(left - 1, 26)
        found = chr(65 + place) + found
    return found


def column_of(text: str) -> int:
    """Return the column of its letters, counted from 0."""
    found = 0
    for char in text:
        found = found * 26 + ord(char) - 64
    return found - 1


def address(row: int, column: int) -> str:
    """Return where a cell is, as programs write it: row 5 of column 2 is `C5`."""
    return f"{letters(column)}{row}"
