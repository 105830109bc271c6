"""What the child does with a hostile spreadsheet: bytes in, a table out, or the rule that it breaks."""

from __future__ import annotations

import json
from collections.abc import Mapping

from pydantic import Field

from signer.domain.table import Table
from signer.domain.values import Frozen
from signer.sheets import csv_text, workbook
from signer.sheets.refusal import SheetRefused

_OLE = bytes.fromhex("d0cf11e0a1b11ae1")
_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")
_SIGNS = ((b"%PDF", "PDF"), (b"\x89PNG", "PNG"), (b"\xff\xd8\xff", "JPEG"), (b"\x1f\x8b", "gzip"), (b"Rar!", "RAR"))
"""How other files begin that people hand in by mistake."""


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
        return json.dumps({"rule": error.rule, "said": error.said}).encode()


def read(data: bytes) -> Table:
    """Return the table of a spreadsheet, whatever its name. SheetRefused."""
    if not data.strip():
        raise SheetRefused("sheet.empty")
    if data.startswith(_OLE):
        raise SheetRefused("sheet.encrypted" if _ENCRYPTED in data else "sheet.old")
    if data.startswith(b"PK"):
        return workbook.read(data)
    for sign, name in _SIGNS:
        if data.startswith(sign):
            raise SheetRefused("sheet.other", found=name)
    return csv_text.read(data)
