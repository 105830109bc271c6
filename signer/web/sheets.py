"""The licence check as a spreadsheet: CSV that every office program opens, in which nothing is a formula."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from signer.services.licence import Answer, Row
    from signer.verification.wording import Speech

MIME = "text/csv"
NAME = "licence-check.csv"
_ZH = (
    "车辆识别代号",
    "结果",
    "确认书编号",
    "生产企业",
    "天数n",
    "须附确认书至",
    "自此日起无须",
    "答复",
    "测试",
    "核验时间",
)
_EN = ("vin", "state", "number", "issuer", "days", "required_through", "free_from", "outcome", "test", "checked_at")
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


def licence_csv(answer: Answer, speech: Speech) -> str:
    """Return the table as CSV (RFC 4180) with a byte order mark, without which spreadsheets garble Chinese."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(_ZH if speech == "zh" else _EN)
    for row in answer.rows:
        writer.writerow([plain(cell) for cell in (*_cells(row), *_common(answer))])
    return "\N{ZERO WIDTH NO-BREAK SPACE}" + text.getvalue()


def _cells(row: Row) -> tuple[str, ...]:
    window = row.window
    dates = (str(window.n), window.through.isoformat(), window.free_from.isoformat()) if window else ("", "", "")
    return (row.vin, row.state, row.number or "", row.issuer or "", *dates)


def _common(answer: Answer) -> tuple[str, ...]:
    return (answer.outcome.value, "TEST" if answer.test else "", answer.checked_at.strftime("%Y-%m-%dT%H:%M:%SZ"))


def plain(cell: str) -> str:
    """Return a cell that no spreadsheet takes for a formula."""
    return f"'{cell}" if cell.startswith(_FORMULA) else cell
