"""Vehicles: the VIN, and the 180-day window in which an export needs a confirmation."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Literal

from pydantic_core import core_schema

from signer.domain.values import Day, Frozen, Text, fold_code

if TYPE_CHECKING:
    from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
    from pydantic.json_schema import JsonSchemaValue

VIN_ALPHABET = "0123456789ABCDEFGHJKLMNPRSTUVWXYZ"
_WEIGHTS = (8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2)
_VALUES = dict(zip(VIN_ALPHABET, (*range(10), *range(1, 9), 1, 2, 3, 4, 5, 7, 9, *range(2, 10)), strict=True))
_YEARS = {char: 2010 + offset for offset, char in enumerate("ABCDEFGHJKLMNPRSTVWXY123456789")}
LOOK_ALIKES = {"I": "1", "O": "0", "Q": "0"}

WINDOW_DAYS = 180
EDGE_DAYS = 3


def normalise_vin(text: str) -> str:
    """Return a typed VIN in its stored form: full-width folded, blanks and hyphens dropped, upper case."""
    return fold_code(text)


def vin_check_character(vin: str) -> str:
    """Return what position 9 must be, of 17 characters of the VIN alphabet. Source: GB 16735-2019, annex A."""
    remainder = sum(_VALUES[char] * weight for char, weight in zip(vin, _WEIGHTS, strict=True)) % 11
    return "X" if remainder == 10 else str(remainder)


def vin_fault(vin: str) -> str:
    """Return the id of the rule that a normalised VIN breaks, the worst first, or '' for a good one."""
    if not vin:
        return "vin.missing"
    if any(char in LOOK_ALIKES for char in vin):
        return "vin.look-alike"
    if any(char not in VIN_ALPHABET for char in vin):
        return "vin.alphabet"
    if len(vin) != 17:
        return "vin.length"
    if vin_check_character(vin) != vin[8]:
        return "vin.check-digit"
    return ""


class Vin(str):
    """
    A vehicle identification number: 17 characters of 0-9A-Z without I, O, Q, position 9 the check digit.

    Source: GB 16735-2019.
    """

    __slots__ = ()

    def __new__(cls, text: str) -> Vin:
        """Take a VIN in its stored form; ValueError(rule id) for anything else."""
        if fault := vin_fault(text):
            raise ValueError(fault)
        return super().__new__(cls, text)

    @property
    def wmi(self) -> str:
        """The world manufacturer identifier, positions 1-3: it only ever warns."""
        return self[:3]

    @property
    def tail(self) -> str:
        """The last six characters, by which a person looks up a record."""
        return self[-6:]

    @property
    def grouped(self) -> str:
        """The VIN as people read it aloud: 3, 6 and 8 characters."""
        return f"{self[:3]} {self[3:9]} {self[9:]}"

    @property
    def model_year(self) -> int | None:
        """The year that position 10 stands for, in the thirty years from 2010; None for a letter never used."""
        return _YEARS.get(self[9])

    @classmethod
    def __get_pydantic_core_schema__(cls, _source: object, _handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        return core_schema.no_info_after_validator_function(cls, core_schema.str_schema(strict=True))

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        return handler(schema) | {"pattern": f"^[{VIN_ALPHABET}]{{17}}$"}


WindowState = Literal["error", "inside", "after"]


@dataclass(frozen=True, slots=True)
class Window:
    """
    The days on which an export application needs a confirmation.

    Both ends are included and are calendar days in Asia/Shanghai: day 0 is the day of
    first registration, day 180 the last one that needs it.

    Source: MOFCOM working guidelines of 2025-12-11, section I (1).
    """

    registered_on: date

    @property
    def through(self) -> date:
        """The last day on which an application needs a confirmation."""
        return self.registered_on + timedelta(days=WINDOW_DAYS)

    @property
    def free_from(self) -> date:
        """The first day on which an application no longer needs one."""
        return self.registered_on + timedelta(days=WINDOW_DAYS + 1)

    def days(self, applied_on: date) -> int:
        """Return n, the application date minus the first registration date in calendar days."""
        return (applied_on - self.registered_on).days

    def state(self, applied_on: date) -> WindowState:
        """Tell whether an application on this day needs a confirmation; before registration is an error in the data."""
        days = self.days(applied_on)
        if days < 0:
            return "error"
        return "inside" if days <= WINDOW_DAYS else "after"

    def is_near_edge(self, applied_on: date) -> bool:
        """Tell whether both readings must be shown: it is not known whether a re-filed application keeps its date."""
        return abs(self.days(applied_on) - WINDOW_DAYS) <= EDGE_DAYS


Energy = Literal[
    "petrol", "diesel", "hybrid", "plug-in-hybrid", "range-extended", "battery-electric", "fuel-cell", "gas", "other"
]


class Vehicle(Frozen):
    """One vehicle of a confirmation, as on its registration certificate (机动车登记证书)."""

    vin: Vin
    brand: Text
    model: Text
    registered_on: Day
    transfer_pending_on: Day | None = None
    certificate_manufacturer: Text
    certificate_no: Text | None = None
    engine_no: Text | None = None
    colour: Text | None = None
    energy: Energy | None = None
    battery_code: Text | None = None
    modified: bool = False
    outlets: tuple[Text, ...] = ()

    @property
    def window(self) -> Window:
        """The days on which an application for this vehicle needs a confirmation."""
        return Window(self.registered_on)
