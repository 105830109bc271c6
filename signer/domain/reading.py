"""From what was typed to values: text tidied, codes folded, dates parsed; what cannot be read becomes a finding."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, get_args

from signer.domain.confirmation import MOST_VEHICLES, Commitment, Draft, DraftCommitment, DraftVehicle, Localised
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
from signer.domain.values import MOST_LONG_TEXT, MOST_TEXT, MOST_WHOLE, parse_day, tidy, unprintable
from signer.domain.vehicle import (
    LOOK_ALIKES,
    VIN_ALPHABET,
    Energy,
    Vin,
    Window,
    normalise_vin,
    vin_check_character,
    vin_fault,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date

    from signer.domain.ledger import Ledger
    from signer.domain.rule_text import Words

__all__ = ["FIELDS", "ReadDraft", "ReadVehicle", "inspect", "read"]

FIELDS: dict[str, tuple[str, str]] = {
    "vin": ("车辆识别代号", "VIN"),
    "brand": ("品牌", "brand"),
    "model": ("车辆型号", "model"),
    "registered_on": ("首次登记日期", "first registration date"),
    "transfer_pending_on": ("转让待出口日期", "transfer-pending-export date"),
    "certificate_manufacturer": ("登记证书上的制造厂名称", "manufacturer on the registration certificate"),
    "certificate_no": ("登记证书编号", "registration certificate number"),
    "engine_no": ("发动机或电机号", "engine or motor number"),
    "colour": ("颜色", "colour"),
    "battery_code": ("动力电池编码", "battery code"),
    "contract": ("合同或批次号", "contract or batch reference"),
    "port": ("目的港", "port"),
    "buyer": ("买方", "buyer"),
    "application_planned_on": ("计划申请日期", "planned application date"),
    "text_zh": ("服务承诺（中文）", "commitment in Chinese"),
    "text_en": ("服务承诺（英文）", "commitment in English"),
    "from_on": ("服务承诺起始日", "start of the commitment"),
    "until_on": ("服务承诺终止日", "end of the commitment"),
    "warranty_months": ("质保月数", "warranty in months"),
    "warranty_km": ("质保里程（公里）", "warranty in km"),
    "parts_years": ("配件供应年限", "years of spare parts"),
    "parts_lead_days": ("配件到货天数", "usual lead time of parts in days"),
    "localised_note": ("本地化说明", "note on localisation"),
    "legal_name": ("企业名称", "legal name"),
    "legal_name_en": ("企业英文名称", "legal name in English"),
    "address": ("地址", "address"),
    "contact": ("联系方式", "contact"),
    "name": ("网点名称", "outlet's name"),
    "name_local": ("网点当地名称", "outlet's local name"),
    "provider": ("服务商", "provider"),
    "address_local": ("当地地址", "local address"),
    "hours": ("营业时间", "opening hours"),
    "phone": ("电话", "phone"),
    "email": ("电子邮箱", "e-mail"),
}
"""The names of fields in findings: Chinese, English."""

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


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadVehicle:
    """A vehicle as far as it could be read; `row` counts from 0, an empty text is ''."""

    row: int
    vin_text: str
    vin: Vin | None
    brand: str
    model: str
    registered_on: date | None
    transfer_pending_on: date | None
    certificate_manufacturer: str
    certificate_no: str
    engine_no: str
    colour: str
    energy: Energy | None
    battery_code: str
    modified: bool
    outlets: tuple[str, ...]

    @property
    def pointer(self) -> str:
        """The JSON pointer of this vehicle in the draft."""
        return f"/vehicles/{self.row}"

    @property
    def line(self) -> str:
        """The line as people count it, from 1."""
        return str(self.row + 1)

    @property
    def window(self) -> Window | None:
        """The days on which an application for this vehicle needs a confirmation, if its registration is known."""
        return None if self.registered_on is None else Window(self.registered_on)

    @property
    def is_electric(self) -> bool:
        """Tell whether the vehicle has a traction battery, as far as is known."""
        return self.energy in ("battery-electric", "plug-in-hybrid", "range-extended")


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadDraft:
    """A draft as far as it could be read; None and '' stand for what is absent or could not be."""

    manufacturer: str
    exporter: Uscc | None
    contract: str
    country: Country | None
    port: str
    buyer: str
    planned_on: date | None
    vehicles: tuple[ReadVehicle, ...]
    outlets: tuple[str, ...]
    commitment: Commitment | None
    until: date | Literal["required-through"] | None
    supersedes: Number | None


@dataclass(frozen=True, slots=True)
class _Reader:
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


def inspect(ledger: Ledger, uncovered: Callable[[str], str]) -> Callable[[str, str, str], None]:
    """Return a function (pointer, field, text) that notes what cannot be printed in a text already on record."""
    reader = _Reader(ledger, uncovered)

    def look(pointer: str, name: str, text: str) -> None:
        reader.prints(pointer, FIELDS[name], text)

    return look


def read(draft: Draft, ledger: Ledger, uncovered: Callable[[str], str]) -> ReadDraft:
    """Return the draft as far as it can be read, and note everything that cannot; at most 200 vehicles are read."""
    reader = _Reader(ledger, uncovered)
    return ReadDraft(
        manufacturer=tidy(draft.manufacturer),
        exporter=reader.uscc("/exporter", draft.exporter),
        contract=reader.text("/contract", draft.contract),
        country=reader.country("/destination/country", draft.destination.country),
        port=reader.text("/destination/port", draft.destination.port),
        buyer=reader.text("/destination/buyer", draft.destination.buyer),
        planned_on=reader.day("/application_planned_on", draft.application_planned_on),
        vehicles=tuple(_vehicle(reader, row, typed) for row, typed in enumerate(draft.vehicles[:MOST_VEHICLES])),
        outlets=_ids(draft.outlets),
        commitment=_commitment(reader, draft.commitment),
        until=reader.until(draft.until),
        supersedes=reader.supersedes(draft.supersedes),
    )


def _ids(typed: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(stored for stored in map(tidy, typed) if stored))


def _vehicle(reader: _Reader, row: int, typed: DraftVehicle) -> ReadVehicle:
    at = f"/vehicles/{row}"
    vin_text, vin = reader.vin(f"{at}/vin", typed.vin)
    return ReadVehicle(
        row=row,
        vin_text=vin_text,
        vin=vin,
        brand=reader.text(f"{at}/brand", typed.brand, required=True),
        model=reader.text(f"{at}/model", typed.model, required=True),
        registered_on=reader.day(f"{at}/registered_on", typed.registered_on, required=True),
        transfer_pending_on=reader.day(f"{at}/transfer_pending_on", typed.transfer_pending_on),
        certificate_manufacturer=reader.text(
            f"{at}/certificate_manufacturer", typed.certificate_manufacturer, required=True
        ),
        certificate_no=reader.text(f"{at}/certificate_no", typed.certificate_no),
        engine_no=reader.text(f"{at}/engine_no", typed.engine_no),
        colour=reader.text(f"{at}/colour", typed.colour),
        energy=_energy(reader, f"{at}/energy", typed.energy),
        battery_code=reader.text(f"{at}/battery_code", typed.battery_code),
        modified=typed.modified,
        outlets=_ids(typed.outlets),
    )


def _energy(reader: _Reader, pointer: str, typed: str) -> Energy | None:
    stored = tidy(typed).lower()
    known: tuple[Energy, ...] = get_args(Energy)
    if stored and stored not in known:
        reader.ledger.note("vehicle.energy", pointer, typed=stored, known=", ".join(known))
    return next((energy for energy in known if energy == stored), None)


def _commitment(reader: _Reader, typed: DraftCommitment) -> Commitment | None:
    at = "/commitment"
    text_zh = reader.text(f"{at}/text_zh", typed.text_zh, most=MOST_LONG_TEXT, required=True)
    text_en = reader.text(f"{at}/text_en", typed.text_en, most=MOST_LONG_TEXT, required=True)
    commitment = {
        "from_on": reader.day(f"{at}/from_on", typed.from_on),
        "until_on": reader.day(f"{at}/until_on", typed.until_on),
    }
    counts = {
        name: _whole(reader, f"{at}/{name}", name, getattr(typed, name))
        for name in ("warranty_months", "warranty_km", "parts_years", "parts_lead_days")
    }
    note = reader.text(f"{at}/localised_note", typed.localised_note)
    localised = _localised(reader, f"{at}/localised", typed.localised)
    if not (text_zh and text_en):
        return None
    return Commitment(
        text_zh=text_zh,
        text_en=text_en,
        **commitment,
        **counts,
        localised=localised,
        localised_note=note or None,
        battery_service=typed.battery_service,
    )


def _whole(reader: _Reader, pointer: str, name: str, typed: int | None) -> int | None:
    if typed is None or 0 <= typed <= MOST_WHOLE:
        return typed
    reader.ledger.note("commitment.number", pointer, field=FIELDS[name], most=str(MOST_WHOLE))
    return None


def _localised(reader: _Reader, pointer: str, typed: str) -> Localised | None:
    stored = tidy(typed).lower()
    known: tuple[Localised, ...] = get_args(Localised)
    if stored and stored not in known:
        reader.ledger.note("commitment.localised", pointer, typed=stored)
    return next((answer for answer in known if answer == stored), None)


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
