"""One typed value at a time: text tidied, codes folded, dates parsed; what cannot be read becomes a finding."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from signer.domain.field_names import FIELDS
from signer.domain.number import Number
from signer.domain.parties import (
    USCC_ALPHABET,
    Country,
    Uscc,
    country_code,
    normalise_uscc,
    uscc_check_character,
    uscc_fault,
)
from signer.domain.rule_text import code_point
from signer.domain.values import MOST_TEXT, parse_day, tidy, unprintable
from signer.domain.vehicle import LOOK_ALIKES, VIN_ALPHABET, Vin, normalise_vin, vin_check_character, vin_fault

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date

    from signer.domain.ledger import Ledger
    from signer.domain.rule_text import Words

__all__ = ["Reader"]

_MARKUP = re.compile(r"<[A-Za-z/!?][^<>]*>|&#?[A-Za-z0-9]{2,12};")
_NUMBER_FAULTS: dict[str, Words] = {
    "number.length": ("应为 14 位字母或数字", "it has 14 letters and digits"),
    "number.alphabet": ("含有不可用的字符", "it has a character that no number has"),
    "number.check": (
        "校验位不符，至少有一位输错",
        "its check character does not fit, so at least one character is wrong",
    ),
    "number.form": ("格式不符", "its form is wrong"),
}


@dataclass(frozen=True, slots=True)
class Reader:
    """Read typed values, and note in the ledger what is wrong with them; a text is looked up in the fonts once."""

    ledger: Ledger
    uncovered: Callable[[str], str]
    seen: dict[str, str] = field(default_factory=dict)

    def text(self, pointer: str, typed: str, *, most: int = MOST_TEXT, required: bool = False) -> str:
        """Return the stored form of a typed text, or '' when it is empty or cannot stand."""
        name = FIELDS[pointer.rpartition("/")[2]]
        stored = tidy(typed)
        if not stored:
            if required:
                self.ledger.note("text.missing", pointer, field=name)
            return ""
        if stored != typed.strip():
            self.ledger.note("text.normalised", pointer, field=name, stored=stored)
        if len(stored) > most:
            self.ledger.note("text.too-long", pointer, field=name, most=str(most), length=str(len(stored)))
            return ""
        return stored if self.prints(pointer, name, stored) else ""

    def prints(self, pointer: str, name: Words, stored: str) -> bool:
        """Note what cannot be printed in a text, and what looks like markup; tell whether it can be printed."""
        if bad := unprintable(stored):
            place = str(stored.index(bad) + 1)
            self.ledger.note("text.control", pointer, field=name, place=place, character=code_point(bad))
            return False
        if _MARKUP.search(stored):
            self.ledger.note("text.markup", pointer, field=name)
        if stored not in self.seen:
            self.seen[stored] = self.uncovered(stored)
        if bad := self.seen[stored]:
            self.ledger.note("text.uncovered", pointer, field=name, character=f"{bad} {code_point(bad[0])}")
        return not bad

    def day(self, pointer: str, typed: str, *, required: bool = False) -> date | None:
        """Return a typed date, or None."""
        name = FIELDS[pointer.rpartition("/")[2]]
        stored = tidy(typed)
        if not stored:
            if required:
                self.ledger.note("date.missing", pointer, field=name)
            return None
        try:
            return parse_day(stored)
        except ValueError:
            self.ledger.note("date.invalid", pointer, field=name, typed=stored)
            return None

    def vin(self, pointer: str, typed: str) -> tuple[str, Vin | None]:
        """Return the stored form of a typed VIN, and the VIN if it is one."""
        stored = normalise_vin(typed)
        if stored != typed and stored:
            self.ledger.note("vin.normalised", pointer, typed=typed, stored=stored)
        fault = vin_fault(stored)
        if not fault:
            return stored, Vin(stored)
        self.ledger.note(fault, pointer, **_vin_words(fault, stored))
        return stored, None

    def uscc(self, pointer: str, typed: str) -> Uscc | None:
        """Return a typed unified social credit code, or None."""
        stored = normalise_uscc(typed)
        fault = uscc_fault(stored)
        if fault == "uscc.missing":
            self.ledger.note("exporter.missing", pointer)
            return None
        if stored != typed:
            self.ledger.note("uscc.normalised", pointer, typed=typed, stored=stored)
        if not fault:
            return Uscc(stored)
        self.ledger.note(fault, pointer, **_uscc_words(fault, stored))
        return None

    def country(self, pointer: str, typed: str) -> Country | None:
        """Return the country of a typed code or name, or None."""
        stored = tidy(typed)
        if not stored:
            self.ledger.note("country.missing", pointer)
            return None
        code = country_code(stored)
        if code in ("", "CN"):
            self.ledger.note("country.domestic", pointer) if code else self.ledger.note(
                "country.unknown", pointer, typed=stored
            )
            return None
        found = Country.of(code)
        if typed != code:
            self.ledger.note(
                "country.normalised", pointer, typed=typed, country=(found.name_zh, found.name_en), code=code
            )
        return found

    def until(self, typed: str) -> date | Literal["required-through"] | None:
        """Return the typed end for licence applications; empty is `required-through`, None is no end."""
        stored = tidy(typed).lower()
        if stored in ("", "required-through"):
            return "required-through"
        if stored == "none":
            return None
        try:
            return parse_day(stored)
        except ValueError:
            self.ledger.note("until.invalid", "/until", typed=stored)
            return "required-through"

    def supersedes(self, typed: str) -> Number | None:
        """Return the typed number of the confirmation to be superseded, or None."""
        stored = tidy(typed)
        if not stored:
            return None
        try:
            return Number.parse(stored)
        except ValueError as error:
            self.ledger.note("supersedes.invalid", "/supersedes", typed=stored, reason=_NUMBER_FAULTS[str(error)])
            return None


def _vin_words(fault: str, vin: str) -> dict[str, Words]:
    if fault == "vin.length":
        return {"length": str(len(vin))}
    if fault == "vin.check-digit":
        return {"found": vin[8], "expected": vin_check_character(vin)}
    if fault == "vin.look-alike":
        place = next(place for place, char in enumerate(vin) if char in LOOK_ALIKES)
        return {"place": str(place + 1), "character": vin[place], "digit": LOOK_ALIKES[vin[place]]}
    return _stranger(vin, VIN_ALPHABET) if fault == "vin.alphabet" else {}


def _uscc_words(fault: str, uscc: str) -> dict[str, Words]:
    if fault == "uscc.length":
        return {"length": str(len(uscc))}
    if fault == "uscc.check":
        return {"found": uscc[17], "expected": uscc_check_character(uscc[:17])}
    return _stranger(uscc, USCC_ALPHABET)


def _stranger(code: str, alphabet: str) -> dict[str, Words]:
    place = next(place for place, char in enumerate(code) if char not in alphabet)
    return {"place": str(place + 1), "character": code[place]}
