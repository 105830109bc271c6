"""The licence application's annex as a spreadsheet: every cell is text, its headings are in Chinese."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from signer.domain import annex
from signer.sheets import writing

if TYPE_CHECKING:
    from signer.domain.vehicle import Vehicle

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
    "商品名称格式：旧 + 品牌 + 排量 + 型号。一份附表只列同一商品编号，最多 20 辆。",
)


def sheet(number: str, vehicles: tuple[Vehicle, ...], *, code: str, displacement: dict[str, str]) -> bytes:
    """Return the annex of vehicles of one confirmation (XLSX); what was typed was judged before (`domain.annex`)."""
    made = writing.Sheet(
        name="许可证附表",
        headings=tuple(writing.Heading(title=title, width=width) for title, width in _HEADINGS),
        rows=tuple(
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
            for place, line in enumerate(annex.lines(vehicles, code=code, displacement=displacement), start=1)
        ),
        notes_name="说明",
        notes=tuple(note.format(number=number) for note in _NOTES),
    )
    return writing.to_xlsx(made)
