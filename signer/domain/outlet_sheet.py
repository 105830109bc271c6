"""The columns of a list of outlets: their names in both languages and what else they may be called."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from signer.domain.outlet_entry_texts import ENERGY_NAMES, SCOPE_NAMES
from signer.domain.rule_text import Rule, Words
from signer.domain.table import letters
from signer.errors import RuleViolation

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["COLUMNS", "Column", "columns_of", "refused", "title", "word"]


@dataclass(frozen=True, slots=True)
class Column:
    """One column: the field's name, its title in Chinese and English, and other names for it."""

    field: str
    zh: str
    en: str
    others: tuple[str, ...] = ()
    width: int = 18


COLUMNS: Final = (
    Column("id", "网点编号", "Outlet id", ("编号", "网点代码", "code", "outlet code")),
    Column("country", "国家或地区", "Country", ("国家", "国别", "国家/地区", "目的国", "country code")),
    Column("name", "网点名称", "Name", ("名称", "网点英文名称", "outlet name", "outlet"), 30),
    Column("name_local", "当地名称", "Local name", ("网点当地名称", "name (local)", "当地语言名称"), 30),
    Column("provider", "服务商", "Provider", ("服务商名称", "经销商", "service provider", "dealer"), 30),
    Column("address", "地址", "Address", ("网点地址", "英文地址", "详细地址"), 40),
    Column("address_local", "当地地址", "Local address", ("address (local)", "当地语言地址"), 40),
    Column("phone", "电话", "Phone", ("联系电话", "telephone", "tel")),
    Column("email", "电子邮箱", "E-mail", ("邮箱", "email", "mail"), 26),
    Column("hours", "营业时间", "Hours", ("opening hours",), 22),
    Column("scope", "服务范围", "Services", ("scope", "service scope", "维修范围"), 34),
    Column("languages", "服务语言", "Languages", ("语言", "language"), 14),
    Column("authorised_from", "授权起始日", "Authorised from", ("授权开始日期", "授权起", "authorized from"), 14),
    Column("authorised_until", "授权截止日", "Authorised until", ("授权结束日期", "授权止", "authorized until"), 14),
    Column("verified_on", "核实日期", "Verified on", ("最近核实", "last verified"), 14),
    Column("latitude", "纬度", "Latitude", ("lat",), 12),
    Column("longitude", "经度", "Longitude", ("lon", "lng"), 12),
    Column("brands", "品牌", "Brands", ("brand", "适用品牌"), 18),
    Column("energies", "能源类型", "Energies", ("energy", "适用能源类型"), 22),
)
"""In the order of a sheet."""

_RULES = (
    Rule(
        "outlet-list.empty",
        "violation",
        "表头之下没有网点。请从第二行起填写，每行一个网点。",
        "There is no outlet below the headers. Fill in one a row, from the second row on.",
        "signer B4",
    ),
    Rule(
        "outlet-list.no-id",
        "violation",
        "没有“网点编号”一列。请使用模板，或在表头中补上这一列。",
        "There is no column “Outlet id”. Use the template, or add this column.",
        "signer B4",
    ),
    Rule(
        "outlet-list.twice",
        "violation",
        "“{title}”这一列出现了两次（{first} 列和 {second} 列）。请保留一列。",
        "The column “{title}” is there twice ({first} and {second}). Keep one.",
        "signer B4",
    ),
    Rule(
        "outlet-list.unknown",
        "violation",
        "{column} 列的表头“{title}”无法识别。请使用模板的表头，或删除该列。",
        "The header “{title}” of column {column} is not known. Use the template's headers, or remove the column.",
        "signer B4",
    ),
    Rule(
        "outlet-list.error",
        "violation",
        "单元格 {cell} 是公式错误。请改为数值后重新导入。",
        "The cell {cell} holds the error of a formula. Put its value there.",
        "signer B4",
    ),
)
_BY_ID = {rule.id: rule for rule in _RULES}
_WORDS: Mapping[str, tuple[str, ...]] = dict((*SCOPE_NAMES.items(), *ENERGY_NAMES.items()))


def title(field: str, language: str) -> str:
    """Return what a field's column is called."""
    column = next(one for one in COLUMNS if one.field == field)
    return column.zh if language == "zh" else column.en


def word(code: str, language: str) -> str:
    """Return what a service or an energy is called in a cell: a word that is read again."""
    return next(name for name in _WORDS[code] if not name.isascii()) if language == "zh" else code


def columns_of(headers: Sequence[str]) -> dict[str, int]:
    """Return the place of each field's column. RuleViolation for unknown or double headers, or if `id` is missing."""
    names = {_key(name): one for one in COLUMNS for name in (one.field, one.zh, one.en, *one.others)}
    found: dict[str, int] = {}
    for place, header in enumerate(headers):
        column = names.get(_key(header))
        if column is None:
            if header.strip():
                raise refused("outlet-list.unknown", title=header, column=letters(place))
        elif column.field in found:
            twice = {"first": letters(found[column.field]), "second": letters(place)}
            raise refused("outlet-list.twice", title=(column.zh, column.en), **twice)
        else:
            found[column.field] = place
    if "id" not in found:
        raise refused("outlet-list.no-id")
    return found


def refused(rule_id: str, **said: Words) -> RuleViolation:
    """Return the refusal of a whole list by one rule."""
    return RuleViolation((_BY_ID[rule_id].at("/file", **said),))


def _key(header: str) -> str:
    folded = unicodedata.normalize("NFKC", header).casefold()
    return "".join(char for char in folded if char.isalnum())
