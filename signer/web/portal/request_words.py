"""What is wrong with a request, in words: by the code that the rules of requests give."""

from __future__ import annotations

from typing import Final

from signer.web.problems import Fault

WRONG: Final = {
    "country.unknown": ("请填写目的国（地区）。", "Give the country of destination."),
    "country.domestic": ("目的国（地区）不能是中国境内。", "The destination is abroad."),
    "country.same": ("与确认书上的目的国相同。", "That is the country on the confirmation already."),
    "day.wrong": ("请填写今天或以后的日期，例如 2026-12-31。", "Give a day like 2026-12-31, today or later."),
    "text.long": ("内容过长。", "This is too long."),
    "text.odd": (
        "含有不能使用的字符（如不可见的控制字符），请重新键入。",
        "There is a character here that cannot be used, perhaps an invisible one. Type it again.",
    ),
    "text.wrong": ("请填写 1 至 1000 字，不含特殊字符。", "Write 1 to 1,000 characters, without special ones."),
    "vehicles.none": ("请至少填写或选择一辆车。", "Give or choose at least one vehicle."),
    "vehicles.many": ("一次至多申请 200 辆车，请分几次提交。", "At most 200 vehicles at once; send several requests."),
    "vin.missing": ("请填写车辆识别代号（VIN）。", "Fill in the VIN."),
    "vin.length": ("VIN 应为 17 位。", "A VIN has 17 characters."),
    "vin.look-alike": ("VIN 不含字母 I、O、Q，请核对是否为 1、0。", "A VIN has no I, O or Q: is it a 1 or a 0?"),
    "vin.alphabet": ("VIN 含有不能使用的字符。", "The VIN has a character that no VIN has."),
    "vin.check-digit": (
        "VIN 校验不符，至少有一位输错，请逐位核对。",
        "The VIN does not add up: at least one character is wrong.",
    ),
    "vin.twice": ("该 VIN 已在前面出现。", "This VIN stands further up already."),
    "registered.unknown": (
        "请填写首次登记日期，例如 2026-09-01。",
        "Give the day of first registration, like 2026-09-01.",
    ),
    "registered.error": ("首次登记日期晚于今天。", "The day of first registration is after today."),
    "maker.unknown": (
        "无法判断生产企业，请照登记证书上的制造厂名称选择；不在列表中的企业未使用本系统。",
        "The manufacturer is not clear: choose the name on the certificate. Others do not use this service.",
    ),
    "maker.other": (
        "这辆车属于另一家生产企业，请另行提交申请。",
        "Another manufacturer built this one: send it a request of its own.",
    ),
    "maker.several": ("有多家生产企业与该 VIN 相符，请选择。", "Several manufacturers fit this VIN: choose one."),
    "refusal.missing": ("请选择原因。", "Choose a reason."),
    "reason.wrong": ("请用 3 至 400 字说明原因。", "Say why in 3 to 400 characters."),
    "title.wrong": ("请填写标题（至多 80 字）。", "Give a title, at most 80 characters."),
}
"""What is wrong, by its code."""


def fault_at(place: str, code: str) -> Fault:
    """Return a fault's words, with the row that it is about (`vin-3` is of the third one)."""
    _, _, row = place.partition("-")
    zh, en = WRONG[code]
    if row:
        zh, en = f"第 {row} 辆：{zh}", f"Vehicle {row}: {en}"
    return Fault(pointer=place, code=code, zh=zh, en=en)
