"""The licence application's annexes: at most 20 vehicles of one commodity code each, goods names in customs' form."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from signer.domain.values import tidy

if TYPE_CHECKING:
    from collections.abc import Mapping

    from signer.domain.vehicle import Vehicle

__all__ = ["BATTERY_CAR", "MOST_LINES", "Line", "Part", "code_fault", "displacement_fault", "goods_name", "parts"]

MOST_LINES: Final = 20
"""One batch, one licence: commonly so many vehicles of one commodity code (DOMAIN: practice, not law)."""
BATTERY_CAR: Final = "8703801090"
"""The commodity code of used battery-electric passenger cars."""
_CODE: Final = re.compile(r"87[0-9]{8}")
_DISPLACEMENT: Final = re.compile(r"[0-9]{1,5}(\.[0-9]{1,3})?(L|l|mL|ml|ML|cc|升|毫升)T?")
_NO_DISPLACEMENT: Final = frozenset({"battery-electric", "fuel-cell"})
_OLD: Final = "旧"


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One vehicle of an annex, as text."""

    code: str
    goods_name: str
    vin: str
    brand: str
    model: str
    registered_on: str
    transfer_pending_on: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One annex of an application: its place among them, counted from 1, its commodity code, and its lines."""

    place: int
    code: str
    lines: tuple[Line, ...]


def code_fault(typed: str) -> str:
    """Return the rule that a commodity code breaks, or '' for 10 digits of chapter 87."""
    return "" if _CODE.fullmatch(typed) else "annex.code"


def displacement_fault(typed: str, vehicle: Vehicle) -> str:
    """Return the rule that a displacement breaks for a vehicle, or ''; without a combustion engine there is none."""
    if not typed:
        return "" if vehicle.energy in _NO_DISPLACEMENT else "annex.displacement-missing"
    return "" if _DISPLACEMENT.fullmatch(typed) else "annex.displacement"


def goods_name(vehicle: Vehicle, displacement: str) -> str:
    """
    Return the goods name in customs' form: 旧, brand, displacement, model.

    A blank parts two of them only where both would run together in Latin letters or digits.
    """
    name = _OLD
    for piece in (vehicle.brand, displacement, vehicle.model):
        is_run = bool(piece) and name[-1:].isascii() and piece[:1].isascii() and piece[:1].isalnum()
        name += f" {piece}" if is_run else piece
    return tidy(name)


def parts(
    vehicles: tuple[Vehicle, ...], *, codes: Mapping[str, str], displacement: Mapping[str, str]
) -> tuple[Part, ...]:
    """
    Return vehicles as the annexes that they need: one commodity code each, at most 20 lines, in the vehicles' order.

    `codes` and `displacement` are by model. Codes come as the first vehicle of each does.
    """
    by_code: dict[str, list[Line]] = {}
    for vehicle in vehicles:
        line = _line(vehicle, codes[vehicle.model], displacement.get(vehicle.model, ""))
        by_code.setdefault(line.code, []).append(line)
    batches = [
        (code, tuple(lines[start : start + MOST_LINES]))
        for code, lines in by_code.items()
        for start in range(0, len(lines), MOST_LINES)
    ]
    return tuple(Part(place=place, code=code, lines=lines) for place, (code, lines) in enumerate(batches, start=1))


def _line(vehicle: Vehicle, code: str, displacement: str) -> Line:
    return Line(
        code=code,
        goods_name=goods_name(vehicle, displacement),
        vin=vehicle.vin,
        brand=vehicle.brand,
        model=vehicle.model,
        registered_on=vehicle.registered_on.isoformat(),
        transfer_pending_on=vehicle.transfer_pending_on.isoformat() if vehicle.transfer_pending_on else "",
    )
