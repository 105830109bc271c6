"""
Read a spreadsheet that anybody may have made: bytes and nothing else in, a bounded table out.

The file is parsed in a child behind walls; a child that gives no answer is answered by a rule as well.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pydantic import ValidationError

from signer import sandbox
from signer.domain.sheet_rules import refused
from signer.sheets.task import Answer

if TYPE_CHECKING:
    from signer.domain.table import Table

MOST_BYTES: Final = 10_000_000
LIMITS: Final = sandbox.Limits(output_bytes=16_000_000, memory_bytes=1 << 30, cpu_s=4)
_TASK: Final = "signer.sheets.task:child"


def read(data: bytes, *, limits: sandbox.Limits = LIMITS) -> Table:
    """
    Return the first visible sheet of an XLSX, or a CSV, by what the file is and not by its name.

    Rows without any text are left out; the others keep their number. Raises RuleViolation with one finding of
    `sheet_rules`, which says what to do.
    """
    if len(data) > MOST_BYTES:
        raise refused("sheet.too-large", most=f"{MOST_BYTES // 1_000_000}")
    try:
        answer = Answer.model_validate_json(sandbox.run(_TASK, header=b"", data=data, limits=limits))
    except sandbox.ChildFailed as error:
        raise refused("sheet.bomb" if error.reason != "CHILD_DIED" else "sheet.damaged") from error
    except ValidationError as error:
        raise refused("sheet.damaged") from error
    if answer.rule:
        raise refused(answer.rule, **answer.said)
    if answer.table is None or not answer.table.rows:
        raise refused("sheet.empty")
    return answer.table
