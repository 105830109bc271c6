"""The words of an outlet's entry: what can be wrong with a field, and what services and energies are called."""

from __future__ import annotations

from typing import TYPE_CHECKING

from signer.domain.rule_text import NOTICE, Rule

if TYPE_CHECKING:
    from signer.domain.parties import Scope
    from signer.domain.vehicle import Energy

SCOPE_NAMES: dict[Scope, tuple[str, ...]] = {
    "mechanical": ("mechanical", "机械", "机械维修", "mechanics"),
    "high-voltage-battery": (
        "high-voltage-battery",
        "high-voltage battery",
        "高压电池",
        "动力电池",
        "高压动力电池",
        "动力电池维修",
        "hv battery",
    ),
    "software-and-diagnosis": (
        "software-and-diagnosis",
        "software and diagnosis",
        "软件与诊断",
        "软件和诊断",
        "软件诊断",
        "诊断",
        "software",
        "diagnosis",
    ),
}
"""What each service may be called in a sheet; the first is its code."""
ENERGY_NAMES: dict[Energy, tuple[str, ...]] = {
    "petrol": ("petrol", "汽油", "gasoline"),
    "diesel": ("diesel", "柴油"),
    "hybrid": ("hybrid", "混合动力", "混动", "油电混合"),
    "plug-in-hybrid": ("plug-in-hybrid", "plug-in hybrid", "插电式混合动力", "插电混动", "phev"),
    "range-extended": ("range-extended", "range extended", "增程式", "增程", "erev"),
    "battery-electric": ("battery-electric", "battery electric", "纯电动", "纯电", "bev", "electric"),
    "fuel-cell": ("fuel-cell", "fuel cell", "燃料电池", "fcev"),
    "gas": ("gas", "天然气", "燃气"),
    "other": ("other", "其他"),
}
"""What each energy may be called in a sheet; the first is its code."""

_OWN = "signer B4"
_RULES = (
    Rule(
        "outlet-entry.id",
        "violation",
        "网点编号由小写字母、数字和连字符组成，以字母或数字开头，最多 40 位，例如 kz-almaty。",
        "An outlet's id has small letters, digits and hyphens, begins with a letter or digit, and is at most 40 long: "
        "kz-almaty.",
        _OWN,
    ),
    Rule(
        "outlet-entry.taken",
        "violation",
        "已有编号为“{id}”的网点。请换一个编号，或修改原有网点。",
        "There is an outlet with the id “{id}” already. Take another id, or change that outlet.",
        _OWN,
    ),
    Rule(
        "outlet-entry.country",
        "violation",
        "“{typed}”不是境外国家或地区。请填写名称或两位代码，例如 KZ。",
        "“{typed}” is no country abroad. Give its name or two-letter code, such as KZ.",
        NOTICE,
    ),
    Rule(
        "outlet-entry.email",
        "violation",
        "电子邮箱格式不正确。",
        "This is no e-mail address.",
        _OWN,
    ),
    Rule(
        "outlet-entry.list",
        "violation",
        "{field}最多 {most} 项，请用分号隔开。",
        "The {field} may be at most {most}, with semicolons between them.",
        _OWN,
    ),
    Rule(
        "outlet-entry.word",
        "violation",
        "{field}中的“{typed}”无法识别。请使用模板中列出的名称。",
        "Among the {field}, “{typed}” is not known. Use one of the words that the template lists.",
        _OWN,
    ),
    Rule(
        "outlet-entry.language",
        "violation",
        "“{typed}”不是语言代码。请使用两位或三位代码，例如 ru、kk、ar。",
        "“{typed}” is no language code. Use two or three letters: ru, kk, ar.",
        _OWN,
    ),
    Rule(
        "outlet-entry.until",
        "violation",
        "授权截止日不能早于授权起始日。",
        "An authorisation cannot end before it begins.",
        _OWN,
    ),
    Rule(
        "outlet-entry.verified",
        "violation",
        "核实日期不能晚于今天。",
        "An outlet cannot have been verified on a day to come.",
        _OWN,
    ),
    Rule(
        "outlet-entry.place",
        "violation",
        "纬度和经度请以十进制度数填写，例如 43.2389 和 76.8897；南纬和西经为负数。两者同时填写，或都留空。",
        "Latitude and longitude are decimal degrees, such as 43.2389 and 76.8897; south and west are negative. "
        "Give both or neither.",
        _OWN,
    ),
    Rule(
        "outlet-entry.twice",
        "violation",
        "编号“{id}”在第 {row} 行已出现。",
        "The id “{id}” stands in row {row} already.",
        _OWN,
    ),
    Rule(
        "outlet-entry.before",
        "violation",
        "关闭日期不能早于授权起始日 {start}。",
        "An outlet cannot close before its authorisation began on {start}.",
        _OWN,
    ),
    Rule(
        "outlet-entry.closing",
        "violation",
        "请填写关闭日期，不晚于一年之后。",
        "Give the day from which it is closed, at most a year ahead.",
        _OWN,
    ),
    Rule(
        "outlet-entry.reason",
        "violation",
        "请填写关闭原因（不超过 200 字）。原因仅记入审计，不对外公开。",
        "Say why it closes, in at most 200 characters. This stays in the audit and is not public.",
        _OWN,
    ),
    Rule(
        "outlet-entry.most",
        "violation",
        "网点数量应为 1 至 {most} 的整数。",
        "The number of outlets is a whole number from 1 to {most}.",
        _OWN,
    ),
    Rule(
        "outlet-entry.many",
        "violation",
        "规则最多 {most} 条。请先删除不用的规则。",
        "There may be at most {most} rules. Remove one that is not used.",
        _OWN,
    ),
    Rule(
        "outlet-entry.remark",
        "violation",
        "Please say what is wrong, in at most 600 characters. / 请说明哪里不对（不超过 600 字）。",
        "Please say what is wrong, in at most 600 characters.",
        _OWN,
    ),
)
RULES = {rule.id: rule for rule in _RULES}
