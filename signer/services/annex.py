"""The licence application's annexes as a spreadsheet: every cell is text, its headings are in Chinese."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from signer.sheets import writing

if TYPE_CHECKING:
    from signer.domain.annex import Part

MIME: Final = writing.XLSX
_HEADINGS: Final = (
    ("序号", 6),
    ("商品编号", 13),
    ("商品名称", 34),
    ("车辆识别代号（VIN）", 22),
    ("品牌", 16),
    ("车辆型号", 20),
    ("首次登记日期", 14),
    ("转让待出口日期", 16),
)
_NOTES: Final = (
    "车辆信息取自确认书 {number}，应与机动车登记证书一致；提交前请逐项核对。",
    "商品名称格式：旧 + 品牌 + 排量 + 型号。一份附表只列同一商品编号，最多 20 辆，超出的另列一份，每份一张工作表。",
    "",
)
_CONTENTS: Final = "附表 {place}：商品编号 {code}，{count} 辆：{vins}"


def sheet(number: str, parts: tuple[Part, ...]) -> bytes:
    """
    Return the annexes of vehicles of one confirmation, each a sheet of one workbook (XLSX).

    The last sheet says which annex holds which vehicles. What was typed was judged before (`domain.annex`).
    """
    return writing.to_xlsx(*(_sheet(number, part, parts) for part in parts))


def _sheet(number: str, part: Part, parts: tuple[Part, ...]) -> writing.Sheet:
    rows = tuple(
        (
            str(place),
            line.code,
            line.goods_name,
            line.vin,
            line.brand,
            line.model,
            line.registered_on,
            line.transfer_pending_on,
        )
        for place, line in enumerate(part.lines, start=1)
    )
    is_last = part.place == len(parts)
    notes = (*(note.format(number=number) for note in _NOTES), *map(_contents, parts))
    return writing.Sheet(
        name="许可证附表" if len(parts) == 1 else f"附表{part.place}",
        headings=tuple(writing.Heading(title=title, width=width) for title, width in _HEADINGS),
        rows=rows,
        notes_name="说明",
        notes=notes if is_last else (),
    )


def _contents(part: Part) -> str:
    vins = "、".join(line.vin for line in part.lines)
    return _CONTENTS.format(place=part.place, code=part.code, count=len(part.lines), vins=vins)
