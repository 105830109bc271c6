"""The files of importing that go out: templates to fill in, and the sheet that came in, with what is wrong in it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

from signer.domain.columns import Column, fold
from signer.domain.vehicle_columns import PRODUCTION_COLUMNS, REASON, VEHICLE_COLUMNS
from signer.sheets import reading, writing
from signer.sheets.writing import Heading, Sheet

if TYPE_CHECKING:
    from collections.abc import Mapping

    from signer.domain.importing import Plan, Report
    from signer.domain.table import Row
    from signer.register.imports import Kind
    from signer.verification.wording import Language

Form = Literal["xlsx", "csv"]
MEDIA_TYPES: Final[Mapping[Form, str]] = {"xlsx": writing.XLSX, "csv": writing.CSV}
_NAMES: Final = {"vehicles": ("车辆", "Vehicles"), "production": ("生产清单", "Production list")}
_COLUMNS: Final = {"vehicles": VEHICLE_COLUMNS, "production": PRODUCTION_COLUMNS}
_NOTES: Final = {
    "vehicles": (
        (
            "在第一张工作表中每行填写一辆车，从第 2 行开始。列的顺序可以调整，选填的列可以删除。",
            "单元格已设为文本：编号不会被 Excel 改写，以 = + - @ 开头的内容也只是文字。",
            "不同生产企业、出口企业、目的国的车辆可以写在一起，导入时会分成不同的草稿，每份默认最多 20 辆。",
            "导入前会先检查并列出每一处问题；未确认之前不会写入任何内容。",
        ),
        (
            "One vehicle a row on the first sheet, from row 2. Columns may be moved; optional ones may be deleted.",
            "The cells are text: Excel does not change codes, and what begins with = + - @ is text as well.",
            "Several manufacturers, exporters and destinations may stand together; each gets drafts of its own.",
            "A draft has at most 20 vehicles, unless you choose otherwise.",
            "Everything is checked first, and every fault is listed; nothing is written before you say so.",
        ),
    ),
    "production": (
        (
            "在第一张工作表中每行填写一辆车，从第 2 行开始。",
            "生产清单只用于在草稿中标注车辆是否在清单内，不对外显示。",
        ),
        (
            "Fill in one vehicle a row on the first sheet, from row 2.",
            "The list only marks the lines of a draft as known or unknown; it is shown to nobody outside.",
        ),
    ),
}
_REQUIRED, _OPTIONAL = ("必填", "required"), ("选填", "optional")
_EXAMPLE = ("例：", "Example: ")
_SEPARATOR = ("；", "; ")
_MOST_REASON = 2_000


def template(kind: Kind, form: Form, language: Language) -> bytes:
    """Return an empty sheet to fill in, with comments, lists and a sheet of explanations (XLSX), or a header (CSV)."""
    place = 0 if language == "zh" else 1
    columns = tuple(column for column in _COLUMNS[kind] if column.reads != "ignored")
    made = Sheet(
        name=_NAMES[kind][place],
        headings=tuple(_heading(column, place) for column in columns),
        notes_name=("填写说明", "How to fill in")[place],
        notes=(*_NOTES[kind][place], "", *(_note(column, place) for column in columns)),
    )
    return _written(made, form)


def with_reasons(data: bytes, plan: Plan, report: Report, *, form: Form, language: Language, is_rest: bool) -> bytes:
    """
    Return the sheet that was handed in with a column that says what is wrong in each row, to be mended and handed in.

    `is_rest`: with the rows alone that were not imported. Wrong cells are marked, with the reason as a comment (XLSX).
    """
    place = 0 if language == "zh" else 1
    left = plan.bad_rows | set(report.skipped)
    table = reading.read(data)
    rows = [row for row in table.rows if row.number > plan.header_row and (row.number in left or not is_rest)]
    kept = [column for column, title in enumerate(plan.titles) if fold(title) not in set(map(fold, REASON.names))]
    wrong = _wrong(report, language)
    places = {row.number: turn for turn, row in enumerate(rows)}
    remarks = {
        (places[row], kept.index(column)): _SEPARATOR[place].join(texts)
        for (row, column), texts in wrong.items()
        if row in places and column in kept
    }
    texts = _by_row(wrong)
    made = Sheet(
        name=plan.sheet or _NAMES["vehicles"][place],
        headings=(
            *(Heading(title=plan.titles[column]) for column in kept),
            Heading(title=(REASON.zh, REASON.en)[place], width=60),
        ),
        rows=tuple(_row(row, kept, _SEPARATOR[place].join(texts.get(row.number, ()))) for row in rows),
        remarks=remarks,
    )
    return _written(made, form)


def _written(made: Sheet, form: Form) -> bytes:
    return writing.to_xlsx(made) if form == "xlsx" else writing.to_csv(made)


def _heading(column: Column, place: int) -> Heading:
    hint = (column.hint_zh, column.hint_en)[place]
    example = f"{_EXAMPLE[place]}{column.example}" if column.example else ""
    need = (_REQUIRED if column.is_required else _OPTIONAL)[place]
    return Heading(
        title=(column.zh, column.en)[place],
        hint="\n".join(part for part in (need, hint, example) if part),
        choices=tuple(words[place] for _, words in column.choices),
        width=22,
        is_required=column.is_required,
    )


def _note(column: Column, place: int) -> str:
    told = _heading(column, place)
    words = f"（{told.hint}）" if place == 0 else f" ({told.hint})"
    choices = ("、", ", ")[place].join(told.choices)
    return f"{told.title}{words}".replace("\n", " ") + (f" {choices}" if choices else "")


def _wrong(report: Report, language: Language) -> dict[tuple[int, int], list[str]]:
    found: dict[tuple[int, int], list[str]] = {}
    for said in report.said:
        if said.row:
            text = said.zh if language == "zh" else said.en
            found.setdefault((said.row, said.column), []).append(text)
    return found


def _by_row(wrong: Mapping[tuple[int, int], list[str]]) -> dict[int, list[str]]:
    found: dict[int, list[str]] = {}
    for (row, _), texts in wrong.items():
        found.setdefault(row, []).extend(texts)
    return found


def _row(row: Row, kept: list[int], reason: str) -> tuple[str, ...]:
    return (*(row.cell(column).text for column in kept), reason[:_MOST_REASON])
