"""Files of many vehicles for batches: CSV, JSON Lines and XLSX of the samples' manufacturer. Invented vehicles only."""

from __future__ import annotations

import csv
import io
import json
from typing import TYPE_CHECKING, Any

import xlsxwriter
from world import TIANSHAN, YUNZHOU

from signer.domain.vehicle import vin_check_character

if TYPE_CHECKING:
    from collections.abc import Sequence

HEADINGS = {
    "vin": "车辆识别代号",
    "brand": "品牌",
    "model": "车辆型号",
    "registered_on": "首次登记日期",
    "certificate_manufacturer": "制造厂名称",
    "certificate_no": "登记证书编号",
    "engine_no": "发动机号",
    "colour": "颜色",
    "energy": "燃料种类",
    "country": "目的国",
    "exporter": "出口企业统一社会信用代码",
    "contract": "合同号",
    "port": "到港",
    "application_planned_on": "计划申请日期",
}
COMMITMENT = {
    "text_zh": "由上列网点为上列车辆提供售后维修服务，并供应所需配件。",
    "text_en": "The outlets listed service the vehicles listed and supply the parts for it.",
    "warranty_months": 24,
}


def vin(serial: int) -> str:
    plain = f"L0YSA3B20T2{serial:06d}"
    return plain[:8] + vin_check_character(plain) + plain[9:]


def vehicle(serial: int, **changes: Any) -> dict[str, Any]:
    return {
        "vin": vin(serial),
        "brand": "云舟",
        "model": "YZS6480T1",
        "registered_on": "2026-09-01",
        "certificate_manufacturer": YUNZHOU,
        "certificate_no": f"SAMPLE-KZ-{serial:06d}",
        "engine_no": f"YS20T{serial:06d}",
        "colour": "白",
        "energy": "汽油",
        "country": "KZ",
        "exporter": TIANSHAN,
        "contract": "TS-2026-1107",
        "port": "Khorgos",
        "application_planned_on": "2026-12-01",
        **changes,
    }


def vehicles(count: int, **changes: Any) -> list[dict[str, Any]]:
    return [vehicle(serial, **changes) for serial in range(count)]


def as_csv(rows: Sequence[dict[str, Any]], *, encoding: str = "utf-8") -> bytes:
    target = io.StringIO(newline="")
    writer = csv.writer(target)
    writer.writerow(HEADINGS.values())
    writer.writerows([row.get(name, "") for name in HEADINGS] for row in rows)
    return target.getvalue().encode(encoding)


def as_lines(rows: Sequence[dict[str, Any]]) -> bytes:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode()


def as_xlsx(rows: Sequence[dict[str, Any]]) -> bytes:
    target = io.BytesIO()
    with xlsxwriter.Workbook(target, {"in_memory": True}) as book:
        page = book.add_worksheet()
        page.write_row(0, 0, HEADINGS.values())
        for place, row in enumerate(rows, 1):
            for column, name in enumerate(HEADINGS):
                page.write_string(place, column, str(row.get(name, "")))
    return target.getvalue()
