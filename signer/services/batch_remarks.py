"""The remarks on a batch's file as a sheet: one a line, by cell, as far as they are kept."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from signer.sheets import writing
from signer.sheets.writing import Heading, Sheet

if TYPE_CHECKING:
    from signer.domain.batch import BatchReport
    from signer.services.import_files import Form
    from signer.verification.wording import Language

_NAME: Final = ("检查结果", "Remarks")
_HEADINGS: Final = (
    (("单元格", "Cell"), 10),
    (("行号", "Row"), 8),
    (("列名", "Column"), 24),
    (("填写内容", "Typed"), 28),
    (("性质", "Kind"), 12),
    (("原因", "Why"), 80),
    (("规则", "Rule"), 24),
)
_KINDS: Final = {
    "violation": ("需要改正", "to correct"),
    "warning": ("请核对", "please check"),
    "notice": ("说明", "note"),
}


def sheet(report: BatchReport, *, form: Form, language: Language) -> bytes:
    """Return the remarks of a report in one language, what is to be corrected first."""
    place = 0 if language == "zh" else 1
    order = sorted(report.said, key=lambda said: (said.severity != "violation", said.row, said.place))
    made = Sheet(
        name=_NAME[place],
        headings=tuple(Heading(title=titles[place], width=width) for titles, width in _HEADINGS),
        rows=tuple(
            (
                said.place,
                f"{said.row}" if said.row else "",
                said.header,
                said.typed,
                _KINDS[said.severity][place],
                (said.zh, said.en)[place],
                said.rule,
            )
            for said in order
        ),
    )
    return writing.to_xlsx(made) if form == "xlsx" else writing.to_csv(made)
