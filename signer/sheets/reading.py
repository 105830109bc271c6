"""
Read a spreadsheet that anybody may have made: bytes and nothing else in, a bounded table out.

The file is parsed in a child behind walls; a child that gives no answer is answered by a rule as well.
"""

from __future__ import annotations

import json
import zlib
from dataclasses import asdict
from typing import TYPE_CHECKING, Final

from pydantic import ValidationError

from signer import sandbox
from signer.domain.batch import MOST_VEHICLES
from signer.domain.drafting import in_chinese
from signer.domain.sheet_rules import refused
from signer.domain.table import Extent, Row
from signer.sheets.task import Answer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from signer.domain.table import Table

MOST_BYTES: Final = 10_000_000
LIMITS: Final = sandbox.Limits(output_bytes=16_000_000, memory_bytes=1 << 30, cpu_s=4)
MOST_LONG_BYTES: Final = 30_000_000
LONG: Final = Extent(rows=MOST_VEHICLES, unpacked=160_000_000, has_lines=True)
"""The most of a file that makes a batch."""
LONG_LIMITS: Final = sandbox.Limits(output_bytes=16_000_000, memory_bytes=3 << 29, cpu_s=40, wall_s=90.0)
_TASK: Final = "signer.sheets.task:child"
_LONG_TASK: Final = "signer.sheets.task:stream"
_PIECE: Final = 1 << 16
_MOST_LINE: Final = 1_000_000
_MOST_SAID: Final = 300_000_000
"""Bytes of rows, inflated: one long text that a whole sheet refers to makes more of a small file."""


def read(data: bytes, *, limits: sandbox.Limits = LIMITS) -> Table:
    """
    Return the first visible sheet of an XLSX, or a CSV, by what the file is and not by its name.

    Rows without any text are left out; the others keep their number. Raises RuleViolation with one finding of
    `sheet_rules`, which says what to do.
    """
    if len(data) > MOST_BYTES:
        raise refused("sheet.too-large", most=f"{MOST_BYTES // 1_000_000}")
    try:
        answer = Answer.model_validate_json(_ask(_TASK, b"", data, limits))
    except ValidationError as error:
        raise refused("sheet.damaged") from error
    _refuse(answer)
    if answer.table is None or not answer.table.rows:
        raise refused("sheet.empty")
    return answer.table


def stream(data: bytes, *, extent: Extent = LONG, limits: sandbox.Limits = LONG_LIMITS) -> tuple[Table, Iterator[Row]]:
    """
    Return what a long XLSX, CSV or JSON Lines is, still without rows, and its rows one by one.

    The child has read the whole file by then; what it said stays deflated here but for the row at hand.
    Raises RuleViolation with one finding, also while the rows are taken.
    """
    if len(data) > MOST_LONG_BYTES:
        raise refused("sheet.too-large", most=f"{MOST_LONG_BYTES // 1_000_000}")
    lines = _lines(_ask(_LONG_TASK, json.dumps(asdict(extent)).encode(), data, limits))
    try:
        answer = Answer.model_validate_json(next(lines, b""))
    except ValidationError as error:
        raise refused("sheet.damaged") from error
    _refuse(answer)
    if answer.table is None:
        raise refused("sheet.empty")
    return answer.table, _rows(lines, most=extent.rows + 1)


def _ask(task: str, header: bytes, data: bytes, limits: sandbox.Limits) -> bytes:
    try:
        return sandbox.run(task, header=header, data=data, limits=limits)
    except sandbox.ChildFailed as error:
        raise refused("sheet.bomb" if error.reason != "CHILD_DIED" else "sheet.damaged") from error


def _refuse(answer: Answer) -> None:
    if answer.rule:
        said = {name: (in_chinese(words), words) if name == "reason" else words for name, words in answer.said.items()}
        raise refused(answer.rule, "", **said)


def _lines(deflated: bytes) -> Iterator[bytes]:
    """Yield the lines of what a child said, inflated piece by piece. RuleViolation for what is no such thing."""
    inflating, kept, rest, said = zlib.decompressobj(), b"", deflated, 0
    try:
        while not inflating.eof:
            piece = inflating.decompress(rest, _PIECE)
            said += len(piece)
            if said > _MOST_SAID:
                raise refused("sheet.bomb")
            rest = inflating.unconsumed_tail
            if (not piece and not rest and not inflating.eof) or len(kept) > _MOST_LINE:
                raise refused("sheet.damaged")
            *whole, kept = (kept + piece).split(b"\n")
            yield from whole
    except zlib.error as error:
        raise refused("sheet.damaged") from error


def _rows(lines: Iterator[bytes], *, most: int) -> Iterator[Row]:
    try:
        for count, line in enumerate(lines):
            if count >= most:
                raise refused("sheet.damaged")
            yield Row.model_validate_json(line)
    except ValidationError as error:
        raise refused("sheet.damaged") from error
