"""What the child does with a hostile spreadsheet: bytes in, a table out, or the rule that it breaks."""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from pydantic import Field

from signer.domain.table import Extent, Table
from signer.domain.values import Frozen
from signer.sheets import csv_text, json_lines, workbook
from signer.sheets.refusal import SheetRefused

if TYPE_CHECKING:
    from collections.abc import Iterator

    from signer.domain.table import Row

_OLE = bytes.fromhex("d0cf11e0a1b11ae1")
_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")
_SIGNS = ((b"%PDF", "PDF"), (b"\x89PNG", "PNG"), (b"\xff\xd8\xff", "JPEG"), (b"\x1f\x8b", "gzip"), (b"Rar!", "RAR"))
"""How other files begin that people hand in by mistake."""
USUAL: Final = Extent()


class Answer(Frozen):
    """What the child says: a table, or the id of a sheet rule and what fills its sentence."""

    table: Table | None = None
    rule: str = ""
    said: Mapping[str, str] = Field(default_factory=dict)


def child(_header: bytes, data: bytes) -> bytes:
    """Read one spreadsheet, as a task in a child."""
    try:
        return Answer(table=read(data)).model_dump_json(exclude_defaults=True).encode()
    except SheetRefused as error:
        return _refusal(error)


def stream(header: bytes, data: bytes) -> bytes:
    """
    Read one long spreadsheet, as a task in a child; the header is an `Extent` as JSON.

    The answer is lines of JSON, deflated: an `Answer` whose table has no rows, then a `Row` a line. Nobody has to hold
    them all at once, neither here nor there.
    """
    deflated = bytearray()
    packing = zlib.compressobj(level=1)
    try:
        table, rows = opened(data, Extent(**json.loads(header)))
        deflated += packing.compress(Answer(table=table).model_dump_json().encode() + b"\n")
        for row in rows:
            deflated += packing.compress(row.model_dump_json(exclude_defaults=True).encode() + b"\n")
    except SheetRefused as error:
        packing, deflated = zlib.compressobj(level=1), bytearray()
        deflated += packing.compress(_refusal(error) + b"\n")
    return bytes(deflated + packing.flush())


def _refusal(error: SheetRefused) -> bytes:
    return json.dumps({"rule": error.rule, "said": error.said}).encode()


def read(data: bytes) -> Table:
    """Return the table of a spreadsheet, whatever its name. SheetRefused."""
    table, rows = opened(data, USUAL)
    return table.model_copy(update={"rows": tuple(rows)})


def opened(data: bytes, extent: Extent) -> tuple[Table, Iterator[Row]]:
    """Return what a spreadsheet is, still without rows, and its rows one by one. SheetRefused, from those as well."""
    if not data.strip():
        raise SheetRefused("sheet.empty")
    if data.startswith(_OLE):
        raise SheetRefused("sheet.encrypted" if _ENCRYPTED in data else "sheet.old")
    if data.startswith(b"PK"):
        return workbook.read(data, extent)
    for sign, name in _SIGNS:
        if data.startswith(sign):
            raise SheetRefused("sheet.other", found=name)
    if extent.has_lines and json_lines.looks_like(data):
        return Table(form="jsonl", rows=()), json_lines.rows(data, extent)
    return Table(form="csv", rows=()), csv_text.rows(data, extent)
