"""What differs between two versions of a request: vehicles that came, went or were typed anew, and texts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date

    from signer.domain.confirmation import Draft, DraftVehicle

__all__ = ["Change", "Kind", "Version", "between"]

Kind = Literal["added", "removed", "retyped", "text"]
_TYPED: Final = (
    "registered_on",
    "transfer_pending_on",
    "brand",
    "model",
    "certificate_manufacturer",
    "certificate_no",
    "engine_no",
    "colour",
    "energy",
    "battery_code",
)
"""The texts of a vehicle that are compared; its VIN says which vehicle it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """What is asked for in one version of a request."""

    body: Draft
    wanted: str
    needed_by: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One difference. `vin` is empty for a text of the whole; `field` is empty for a vehicle that came or went."""

    kind: Kind
    vin: str = ""
    field: str = ""
    before: str = ""
    after: str = ""


def between(before: Version, after: Version) -> tuple[Change, ...]:
    """Return what differs: vehicles that came, those that went, those typed anew, then the texts of the whole."""
    old = {vehicle.vin: vehicle for vehicle in before.body.vehicles}
    new = {vehicle.vin: vehicle for vehicle in after.body.vehicles}
    return (
        *(Change(kind="added", vin=vin) for vin in new if vin not in old),
        *(Change(kind="removed", vin=vin) for vin in old if vin not in new),
        *(change for vin in new if vin in old for change in _of_vehicle(old[vin], new[vin])),
        *_of_texts(before, after),
    )


def _of_vehicle(before: DraftVehicle, after: DraftVehicle) -> Iterator[Change]:
    for name in _TYPED:
        was, now = getattr(before, name), getattr(after, name)
        if was != now:
            yield Change(kind="retyped", vin=after.vin, field=name, before=was, after=now)
    if before.modified != after.modified:
        yield Change(kind="retyped", vin=after.vin, field="modified")


def _of_texts(before: Version, after: Version) -> Iterator[Change]:
    for (name, was), (_, now) in zip(_texts(before), _texts(after), strict=True):
        if was != now:
            yield Change(kind="text", field=name, before=was, after=now)


def _texts(version: Version) -> tuple[tuple[str, str], ...]:
    body, place = version.body, version.body.destination
    return (
        ("country", place.country),
        ("port", place.port),
        ("buyer", place.buyer),
        ("contract", body.contract),
        ("planned-on", body.application_planned_on),
        ("wanted", version.wanted),
        ("needed-by", version.needed_by.isoformat()),
    )
