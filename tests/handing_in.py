"""Sheets as people hand them in: the samples' vehicles as rows, in any form."""

from __future__ import annotations

import csv
import io
from datetime import date
from typing import TYPE_CHECKING, Any

import world as worlds
import xlsxwriter

from signer.domain.parties import Uscc
from signer.services.importing import Asked

if TYPE_CHECKING:
    from signer.services.importing import Shown

HEADER = (
    *("车架号", "品牌", "型号", "首次登记日期", "制造厂名称", "目的国"),
    *("出口企业统一社会信用代码", "合同号", "颜色", "发动机号"),
)
USCC = {maker["record"]["legal_name"]: maker["record"]["uscc"] for maker in worlds.sample("register")["manufacturers"]}
OWN = Asked(person=worlds.PEOPLE[worlds.YUNZHOU][0], maker=Uscc(USCC[worlds.YUNZHOU]))


def rows(count: int, *, start: int = 0, maker: str = worlds.YUNZHOU, country: str = "KZ") -> list[list[Any]]:
    """Return rows of vehicles that no other turn has."""
    name = worlds.KAZAKHSTAN if maker == worlds.YUNZHOU else worlds.EMIRATES
    found = []
    for turn in range(start, start + count):
        one = worlds.fresh(name, turn)["vehicles"][0]
        known = [one["vin"], one["brand"], one["model"], one["registered_on"], maker, country]
        found.append([*known, worlds.TIANSHAN, "TS-1", one.get("colour", "白"), f"E{turn:06d}"])
    return found


def spoilt(made: list[list[Any]]) -> list[list[Any]]:
    """Return fifty rows with two bad VINs, a duplicate, 2026/2/30 and an Excel serial date, in rows 4, 6, 8, 10, 12."""
    vin = made[2][0]
    made[2][0] = vin[:8] + ("1" if vin[8] != "1" else "2") + vin[9:]
    made[4][0] = made[4][0].replace("L0Y", "LOY")
    made[6][0] = made[0][0]
    made[8][3] = "2026/2/30"
    made[10][3] = 46266
    return made


def as_csv(made: list[list[Any]], *, encoding: str = "utf-8-sig", header: tuple[str, ...] = HEADER) -> bytes:
    target = io.StringIO(newline="")
    csv.writer(target).writerows([header, *made])
    return target.getvalue().encode(encoding)


def as_xlsx(made: list[list[Any]], *, header: tuple[str, ...] = HEADER) -> bytes:
    """Return a workbook with real dates and numbers where the rows have them."""
    target = io.BytesIO()
    with xlsxwriter.Workbook(target, {"in_memory": True}) as book:
        page = book.add_worksheet("车辆")
        day = book.add_format({"num_format": "yyyy/m/d"})
        for number, row in enumerate([list(header), *made]):
            for column, value in enumerate(row):
                if isinstance(value, int):
                    page.write_number(number, column, value)
                elif number and column == 3 and value.count("-") == 2:
                    page.write_datetime(number, column, date.fromisoformat(value), day)
                else:
                    page.write_string(number, column, value)
    return target.getvalue()


def find(world: worlds.World, ref: str) -> Shown:
    return world.services.importing.find(OWN.maker, ref)


def drafted(world: worlds.World) -> list[str]:
    """Return every VIN that stands in a draft, sorted."""
    found = world.rows("SELECT words FROM drafts")
    return sorted(word for (words,) in found for word in words.split() if len(word) == 17 and word.startswith("L"))
