"""
JSON Lines: one object per vehicle, under the names of a draft's fields; each line is a row, under a header of ours.

A value is text, true, false or null: a number would lose the zeros in front of a code.
Source: RFC 8259; https://jsonlines.org.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, TypeAlias

from signer.domain import json_text
from signer.domain.table import MOST_COLUMNS, Cell, CellKind, Row
from signer.errors import InvalidInput, TooLarge
from signer.sheets.csv_text import cell_of, decoded
from signer.sheets.refusal import SheetRefused

if TYPE_CHECKING:
    from collections.abc import Iterator

    from signer.domain.json_text import Json
    from signer.domain.table import Extent

Value: TypeAlias = str | bool
_MOST_LINE = 100_000
_MOST_TOLD = 10
"""So many lines that are broken are named."""
_SURROGATE = re.compile("[\ud800-\udfff]")
_TRUTHS = {True: "true", False: "false"}


def looks_like(data: bytes) -> bool:
    """Tell whether a file begins as JSON Lines do."""
    return data[:64].removeprefix(b"\xef\xbb\xbf").lstrip()[:1] == b"{"


def rows(data: bytes, extent: Extent) -> Iterator[Row]:
    """Yield a header (row 0) and a row for each line that is not blank. SheetRefused."""
    header: dict[str, int] = {}
    found: list[tuple[int, list[Value]]] = []
    broken: list[tuple[int, str]] = []
    for number, line in enumerate(decoded(data).split("\n"), 1):
        if not line.strip():
            continue
        try:
            found.append((number, _placed(_object(line), header, number)))
        except InvalidInput as error:
            broken.append((number, error.reason))
        if len(found) + len(broken) > extent.rows:
            raise SheetRefused("sheet.rows", most=f"{extent.rows}", row=f"{number}")
    if broken:
        told = ", ".join(str(number) for number, _ in broken[:_MOST_TOLD]) + (", …" if broken[_MOST_TOLD:] else "")
        raise SheetRefused("sheet.line", line=told, reason=broken[0][1])
    yield Row(number=0, cells=tuple(map(cell_of, map(_plain, header))))
    for number, values in found:
        yield Row(number=number, cells=tuple(map(_cell, values)))


def _object(line: str) -> dict[str, Json]:
    try:
        value = json_text.load(line.encode(), most_bytes=_MOST_LINE)
    except TooLarge as error:
        raise InvalidInput("", f"longer than {_MOST_LINE} bytes") from error
    if not isinstance(value, dict):
        raise InvalidInput("", "not an object")
    return value


def _placed(values: dict[str, Json], header: dict[str, int], number: int) -> list[Value]:
    """Return an object's values in the header's order, to which fields that are new are added."""
    texts: list[Value] = [""] * len(header)
    for name, value in values.items():
        if value is None:
            continue
        if not isinstance(value, str | bool):
            raise SheetRefused("sheet.value", line=f"{number}", field=name[:100])
        if name not in header:
            if len(header) >= MOST_COLUMNS:
                raise SheetRefused("sheet.fields", line=f"{number}", most=f"{MOST_COLUMNS}")
            header[name] = len(header)
            texts.append("")
        texts[header[name]] = value
    return texts


def _cell(value: Value) -> Cell:
    if isinstance(value, bool):
        return Cell(text=_TRUTHS[value], kind=CellKind.TRUTH)
    return cell_of(_plain(value))


def _plain(text: str) -> str:
    """Return text without lone surrogates, which no encoding has: what stands for them is refused by the fonts."""
    return _SURROGATE.sub("\N{REPLACEMENT CHARACTER}", text)
