"""The values that a verdict is compared with, read from forms, queries and JSON; every wrong one is named at once."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from signer.domain.evidence import Asked
from signer.domain.number import Number
from signer.domain.parties import country_code, normalise_uscc, uscc_fault
from signer.domain.values import fold_code, parse_day
from signer.domain.vehicle import LOOK_ALIKES, normalise_vin
from signer.errors import InvalidInput
from signer.services.licence import MOST_VINS
from signer.services.on_paper import typed_code
from signer.web.problems import Fault, Refused

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import date

_VIN_LENGTH = 17
_SHA256 = re.compile(r"[0-9a-f]{64}")
_MOST_SHOWN = 40
_USCC_FAULTS = {
    "uscc.length": ("统一社会信用代码为 18 位", "a USCC has 18 characters"),
    "uscc.alphabet": ("统一社会信用代码不含 I、O、S、V、Z", "a USCC has no I, O, S, V or Z"),
    "uscc.check": (
        "统一社会信用代码的校验位不符：有一位输错",
        "its check character does not fit: a character was mistyped",
    ),
}
_NUMBER_FAULTS = {
    "number.length": ("编号为 14 位（XXXXX-XXXXX-XXXX）", "a number has 14 characters (XXXXX-XXXXX-XXXX)"),
    "number.alphabet": ("编号中有不使用的字符", "a number has digits and letters without I, L, O and U"),
    "number.check": ("编号的校验位不符：有一位输错", "its check character does not fit: a character was mistyped"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Typed:
    """What a caller typed to compare with; `at` gives the pointer of each value's place."""

    vins: tuple[str, ...] = ()
    destination: str = ""
    exporter: str = ""
    applied_on: str = ""
    at: Callable[[str], str] = "/{}".format


class Faults:
    """Collects what is wrong, so that a caller learns everything at once."""

    def __init__(self) -> None:
        self._found: list[Fault] = []

    def add(self, pointer: str, code: str, zh: str, en: str, **values: object) -> None:
        """Note one wrong value; `values` are what its sentence names, for other languages to put in."""
        self._found.append(Fault(pointer=pointer, code=code, zh=zh, en=en, values=values))

    def all(self) -> tuple[Fault, ...]:
        """Return what was found, in order."""
        return tuple(self._found)

    def refuse(self) -> None:
        """Raise Refused with everything found, if anything was."""
        if self._found:
            raise Refused("invalid-input", self.all())


def asked(typed: Typed, faults: Faults) -> Asked:
    """Return what to compare with, normalised; what is wrong goes to `faults` and is left out."""
    return Asked(
        vins=vins(typed.vins, faults, at=lambda place: typed.at(f"vin/{place}")),
        destination=_destination(typed.destination, faults, typed.at("destination")),
        exporter=_exporter(typed.exporter, faults, typed.at("exporter")),
        applied_on=_day(typed.applied_on, faults, typed.at("applied_on")),
    )


def vins(typed: Iterable[str], faults: Faults, *, at: Callable[[int], str]) -> tuple[str, ...]:
    """Return typed VINs in stored form, each once; only the length is judged, the record judges the rest."""
    found: dict[str, None] = {}
    for place, text in enumerate(typed):
        vin = normalise_vin(text)
        if len(vin) != _VIN_LENGTH or not vin.isascii() or not vin.isalnum():
            _length(text, vin, faults, at(place))
        else:
            found[vin] = None
    if len(found) > MOST_VINS:
        words = f"一次最多 {MOST_VINS} 个车辆识别代号", f"at most {MOST_VINS} VINs at once"
        faults.add(at(MOST_VINS), "vin.many", *words, most=MOST_VINS)
    return tuple(found)


def _length(text: str, vin: str, faults: Faults, pointer: str) -> None:
    shown, count = text.strip()[:_MOST_SHOWN], len(vin)
    zh = f"车辆识别代号“{shown}”为 {count} 位；应为 17 位字母和数字"
    en = f'the VIN "{shown}" has {count} characters; a VIN has 17 letters and digits'
    faults.add(pointer, "vin.length", zh, en, vin=shown, count=count)


def look_alikes(found: Iterable[str]) -> tuple[str, ...]:
    """Return those VINs that hold I, O or Q, which no VIN has: a person meant 1 or 0."""
    return tuple(vin for vin in found if any(char in LOOK_ALIKES for char in vin))


def _destination(typed: str, faults: Faults, pointer: str) -> str | None:
    if not typed.strip():
        return None
    if code := country_code(typed[:200]):
        return code
    faults.add(
        pointer,
        "destination.unknown",
        "不认识此国家或地区；请用两位字母代码（如 KZ）或全称",
        "not a country we know; give its two-letter code (KZ) or its name",
    )
    return None


def _exporter(typed: str, faults: Faults, pointer: str) -> str | None:
    uscc = normalise_uscc(typed[:200])
    if not uscc:
        return None
    if fault := uscc_fault(uscc):
        faults.add(pointer, fault, *_USCC_FAULTS[fault])
    return uscc


def _day(typed: str, faults: Faults, pointer: str) -> date | None:
    if not typed.strip():
        return None
    try:
        return parse_day(typed.strip())
    except ValueError:
        no_day(faults, pointer)
        return None


def no_day(faults: Faults, pointer: str) -> None:
    """Note that what stands there is no date."""
    faults.add(pointer, "date.form", "日期请写成 YYYY-MM-DD，且须真实存在", "write a real date as YYYY-MM-DD")


def number(typed: str, faults: Faults, pointer: str) -> str | None:
    """Return a typed number as printed."""
    try:
        return Number.parse(typed[:200])
    except ValueError as error:
        faults.add(pointer, str(error), *_NUMBER_FAULTS[str(error)])
        return None


def tail(typed: str | None, faults: Faults) -> str | None:
    """Return the last six characters of a VIN as typed, or a whole VIN."""
    if typed is None:
        return None
    folded = fold_code(typed[:200])
    if len(folded) not in (6, _VIN_LENGTH) or not folded.isascii() or not folded.isalnum():
        faults.add("/tail", "tail.form", "请给出车辆识别代号的后六位", "give the last six characters of a VIN")
    return folded


def digest(typed: str | None, faults: Faults) -> str | None:
    """Return a SHA-256 in lower-case hexadecimal."""
    if typed is None:
        return None
    folded = typed[:200].strip().lower()
    if not _SHA256.fullmatch(folded):
        faults.add("/sha256", "sha256.form", "SHA-256 为 64 位十六进制数字", "a SHA-256 has 64 hexadecimal digits")
    return folded


def signed_code(typed: str | None, faults: Faults) -> str | None:
    """Return the text of a signed code, from its `#` on; whether it is one of ours is for the verdict to say."""
    if typed is None:
        return None
    try:
        return typed_code(typed)
    except InvalidInput:
        words = (
            "请给出印刷码的全文：网址，或 # 之后的数字",
            "give the whole text of a code: its address, or the digits after #",
        )
        faults.add("/code", "code.form", *words)
        return None
