"""The licence application's annex: vehicles of one commodity code, and the goods name in customs' form."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from signer.domain.values import tidy

if TYPE_CHECKING:
    from signer.domain.vehicle import Vehicle

__all__ = ["BATTERY_CAR", "MOST_LINES", "Line", "code_fault", "displacement_fault", "goods_name", "lines"]

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


def lines(vehicles: tuple[Vehicle, ...], *, code: str, displacement: dict[str, str]) -> tuple[Line, ...]:
    """Return the annex of at most 20 vehicles, in their order; `displacement` is by model."""
    return tuple(
        Line(
            code=code,
            goods_name=goods_name(vehicle, displacement.get(vehicle.model, "")),
            vin=vehicle.vin,
            brand=vehicle.brand,
            model=vehicle.model,
            registered_on=vehicle.registered_on.isoformat(),
            transfer_pending_on=vehicle.transfer_pending_on.isoformat() if vehicle.transfer_pending_on else "",
        )
        for vehicle in vehicles[:MOST_LINES]
    )
