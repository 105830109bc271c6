"""
Find a sheet's columns by their headers, in any order and under any of their names, and read what the cells say.

Nothing is guessed: a column that is not known is told, a code that Excel made a number of is refused, a day that
stands as Excel's number of days is read and told.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Literal

from signer.domain.sheet_rules import finding, refused
from signer.domain.table import MOST_CELL, CellKind, address, letters
from signer.errors import RuleViolation

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from signer.domain.table import Cell, Row, Table
    from signer.errors import Finding

Reads = Literal["text", "code", "day", "choice", "ignored"]
LOOKED_AT = 10
"""A header stands within so many rows that are not empty: a title may stand above it."""
_PUNCTUATION = re.compile(r"[\s*＊:：.。,，;；、_\-—/\\|()（）\[\]【】<>《》\"'“”‘’?？!！#＃]+")
_PARTS = re.compile(r"[/／|\n(（\[【]")
_LOST = re.compile(r"[0-9](?:\.[0-9]+)?[Ee]\+[0-9]{1,3}|[0-9]+\.0+")
_SERIAL = re.compile(r"([0-9]{5})(?:\.0+)?")
_NUMERIC = re.compile(r"([0-9]{4})[-/.年]\s*([0-9]{1,2})[-/.月]\s*([0-9]{1,2})日?(?:[ T]0{1,2}:00(?::00)?)?")
_COMPACT = re.compile(r"([0-9]{4})([0-9]{2})([0-9]{2})")
_SPELT = re.compile(r"([0-9]{1,2})[-. ]+([A-Za-z]{3,9})[-., ]+([0-9]{4})|([A-Za-z]{3,9})\.? ([0-9]{1,2}),? ([0-9]{4})")
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_EPOCH, _EPOCH_1904 = date(1899, 12, 30), date(1904, 1, 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """
    A column that a sheet may have: its field, its header in our template, other names that people give it.

    `choices` are the stored values with the words for each: Chinese, English, and others that are understood.
    `ignored` columns are known and not read: numbering, remarks, our own reasons.
    """

    name: str
    zh: str
    en: str
    aliases: tuple[str, ...] = ()
    reads: Reads = "text"
    is_required: bool = False
    choices: tuple[tuple[str, tuple[str, ...]], ...] = ()
    hint_zh: str = ""
    hint_en: str = ""
    example: str = ""

    @property
    def names(self) -> tuple[str, ...]:
        """Every name that it goes by."""
        return (self.zh, self.en, *self.aliases)

    def stored(self, typed: str) -> str:
        """Return the stored value of a choice's words, '' for none."""
        wanted = fold(typed)
        for value, words in self.choices:
            if wanted in (fold(value), *map(fold, words)):
                return value
        return ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """Where the columns of a sheet are: the header's row, each field's place, the titles as typed, what is odd."""

    row: int
    places: Mapping[str, int]
    titles: tuple[str, ...]
    findings: tuple[Finding, ...]

    def title(self, place: int) -> str:
        """Return a column's header as typed."""
        return self.titles[place] if place < len(self.titles) else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadRow:
    """One row: its number, the text of each field that the sheet has, and what is wrong with its cells."""

    number: int
    texts: Mapping[str, str]
    findings: tuple[Finding, ...]


@lru_cache(maxsize=4096)
def fold(text: str) -> str:
    """Return a header or a choice for comparison: width, case, blanks and punctuation do not count."""
    return _PUNCTUATION.sub("", unicodedata.normalize("NFKC", text)).casefold()


def find_header(table: Table, columns: tuple[Column, ...]) -> Header:
    """
    Return where the columns are.

    Raises RuleViolation, with all that is wrong at once: no header, a column that is missing or there twice.
    """
    known = {fold(name): column for column in columns for name in column.names}
    row, found = max(
        ((row, _matched(row, known)) for row in table.rows[:LOOKED_AT]),
        key=lambda each: (len({column.name for column in each[1].values()}), -each[0].number),
        default=(None, {}),
    )
    required = [column for column in columns if column.is_required]
    if row is None or not any(column.is_required for column in found.values()):
        wanted = ("、".join(column.zh for column in required[:3]), ", ".join(column.en for column in required[:3]))
        raise refused("sheet.no-header", wanted=wanted)
    header = _header(row, found)
    _refuse_missing(header, required, found)
    if table.rows[-1].number == row.number:
        raise refused("sheet.no-rows")
    return header


def _matched(row: Row, known: Mapping[str, Column]) -> dict[int, Column]:
    found: dict[int, Column] = {}
    for place, cell in enumerate(row.cells):
        candidates = (cell.text, *_PARTS.split(cell.text))
        column = next((known[fold(text)] for text in candidates if fold(text) in known), None)
        if column is not None:
            found[place] = column
    return found


def _header(row: Row, found: Mapping[int, Column]) -> Header:
    titles = tuple(" ".join(cell.text.split()) for cell in row.cells)
    unknown = [
        finding("sheet.column-unknown", letters(place), letter=letters(place), header=title)
        for place, title in enumerate(titles)
        if title and place not in found
    ]
    places = {column.name: place for place, column in reversed(list(found.items())) if column.reads != "ignored"}
    return Header(row=row.number, places=places, titles=titles, findings=tuple(unknown))


def _refuse_missing(header: Header, required: Iterable[Column], found: Mapping[int, Column]) -> None:
    wrong = [
        finding("sheet.column-missing", "", column=(column.zh, column.en))
        for column in required
        if column.name not in header.places
    ]
    for place, column in found.items():
        first = header.places.get(column.name, place)
        if first != place:
            told = {"first": letters(first), "second": letters(place)}
            wrong.append(finding("sheet.column-twice", letters(place), column=(column.zh, column.en), **told))
    if wrong:
        raise RuleViolation(tuple(wrong))


def read_rows(table: Table, header: Header, columns: tuple[Column, ...]) -> tuple[ReadRow, ...]:
    """Return the rows below a header; one in which none of the known columns says anything is left out."""
    wanted = [(column, header.places[column.name]) for column in columns if column.name in header.places]
    rows = (
        _read_row(row, wanted, counts_from_1904=table.counts_from_1904)
        for row in table.rows
        if row.number > header.row and any(row.cell(place).text.strip() for _, place in wanted)
    )
    return tuple(rows)


def _read_row(row: Row, wanted: Iterable[tuple[Column, int]], *, counts_from_1904: bool) -> ReadRow:
    texts: dict[str, str] = {}
    noted: list[Finding] = []
    for column, place in wanted:
        text, found = read_cell(
            row.cell(place), column, at=address(row.number, place), counts_from_1904=counts_from_1904
        )
        texts[column.name] = text
        noted.extend(found)
    return ReadRow(number=row.number, texts=texts, findings=tuple(noted))


def read_cell(
    cell: Cell, column: Column, *, at: str, counts_from_1904: bool = False
) -> tuple[str, tuple[Finding, ...]]:
    """Return what a cell says for a column ('' if it cannot be taken), and what is to be told about it."""
    if cell.kind is CellKind.ERROR:
        return "", (finding("cell.error", at),)
    if cell.kind is CellKind.LONG:
        return "", (finding("cell.long", at, most=f"{MOST_CELL}"),)
    if not cell.text.strip():
        return "", ()
    if column.reads == "day":
        return _day(cell, at, counts_from_1904=counts_from_1904)
    if column.reads == "code":
        return _code(cell, at)
    if column.reads == "choice":
        return _choice(cell, column, at)
    if cell.kind in (CellKind.DAY, CellKind.TIME):
        return "", (finding("cell.number-lost", at, typed=cell.text),)
    return cell.text, ()


def _code(cell: Cell, at: str) -> tuple[str, tuple[Finding, ...]]:
    text = cell.text.strip()
    is_odd = cell.kind is CellKind.NUMBER and not text.isdecimal()
    if is_odd or cell.kind in (CellKind.DAY, CellKind.TIME, CellKind.TRUTH) or _LOST.fullmatch(text):
        return "", (finding("cell.number-lost", at, typed=text),)
    if cell.kind is CellKind.NUMBER:
        return text, (finding("cell.number", at, typed=text),)
    return cell.text, ()


def _choice(cell: Cell, column: Column, at: str) -> tuple[str, tuple[Finding, ...]]:
    if stored := column.stored(cell.text):
        return stored, ()
    zh, en = ("、".join(words[0] for _, words in column.choices), ", ".join(words[1] for _, words in column.choices))
    return "", (finding("cell.choice", at, typed=cell.text, known=(zh, en)),)


def _day(cell: Cell, at: str, *, counts_from_1904: bool) -> tuple[str, tuple[Finding, ...]]:
    """Return a day as `YYYY-MM-DD`; what is no day stays as typed, for the rules to name."""
    text = unicodedata.normalize("NFKC", cell.text).strip()
    if cell.kind is CellKind.TIME:
        return text[:10], ()
    if serial := _SERIAL.fullmatch(text):
        start = _EPOCH_1904 if counts_from_1904 else _EPOCH
        day = (start + timedelta(days=int(serial[1]))).isoformat()
        return day, (finding("cell.serial-day", at, typed=text, day=day),)
    return as_day(text), ()


def as_day(text: str) -> str:
    """Return a day as people write it (2026/3/1, 2026年3月1日, 1 Mar 2026) as `YYYY-MM-DD`; unchanged what is none."""
    if found := (_NUMERIC.fullmatch(text) or _COMPACT.fullmatch(text)):
        year, month, day = map(int, found.groups())
    elif found := _SPELT.fullmatch(text):
        name, typed_day, typed_year = (found[2], found[1], found[3]) if found[2] else found.group(4, 5, 6)
        if name[:3].lower() not in _MONTHS:
            return text
        year, month, day = int(typed_year), _MONTHS.index(name[:3].lower()) + 1, int(typed_day)
    else:
        return text
    try:
        return date(year, month, day).isoformat()
    except ValueError:
        return text
