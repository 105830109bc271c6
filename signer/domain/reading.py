"""From what was typed to values: text tidied, codes folded, dates parsed; what cannot be read becomes a finding."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, get_args

from signer.domain.confirmation import MOST_VEHICLES, Commitment, Draft, DraftCommitment, DraftVehicle, Localised
from signer.domain.field_names import FIELDS
from signer.domain.reader import Reader
from signer.domain.values import MOST_LONG_TEXT, MOST_WHOLE, tidy
from signer.domain.vehicle import Energy, Vin, Window

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date

    from signer.domain.ledger import Ledger
    from signer.domain.number import Number
    from signer.domain.parties import Country, Uscc

__all__ = ["NamedOutlet", "ReadDraft", "ReadVehicle", "read"]

_COUNTS = ("warranty_months", "warranty_km", "parts_years", "parts_lead_days")


@dataclass(frozen=True, slots=True)
class NamedOutlet:
    """The id of an outlet, and the JSON pointer of the place that names it first."""

    pointer: str
    id: str


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
    outlets: tuple[NamedOutlet, ...]

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
    outlets: tuple[NamedOutlet, ...]
    commitment: Commitment | None
    until: date | Literal["required-through"] | None
    supersedes: Number | None


def read(draft: Draft, ledger: Ledger, uncovered: Callable[[str], str]) -> ReadDraft:
    """Return the draft as far as it can be read, and note everything that cannot; at most 200 vehicles are read."""
    reader = Reader(ledger, uncovered)
    return ReadDraft(
        manufacturer=tidy(draft.manufacturer),
        exporter=reader.uscc("/exporter", draft.exporter),
        contract=reader.text("/contract", draft.contract),
        country=reader.country("/destination/country", draft.destination.country),
        port=reader.text("/destination/port", draft.destination.port),
        buyer=reader.text("/destination/buyer", draft.destination.buyer),
        planned_on=reader.day("/application_planned_on", draft.application_planned_on),
        vehicles=tuple(_vehicle(reader, row, typed) for row, typed in enumerate(draft.vehicles[:MOST_VEHICLES])),
        outlets=_outlets("/outlets", draft.outlets),
        commitment=_commitment(reader, draft.commitment),
        until=reader.until(draft.until),
        supersedes=reader.supersedes(draft.supersedes),
    )


def _outlets(pointer: str, typed: tuple[str, ...]) -> tuple[NamedOutlet, ...]:
    first = {stored: place for place, stored in reversed(list(enumerate(map(tidy, typed)))) if stored}
    ordered = sorted(first.items(), key=lambda item: item[1])
    return tuple(NamedOutlet(f"{pointer}/{place}", outlet_id) for outlet_id, place in ordered)


def _vehicle(reader: Reader, row: int, typed: DraftVehicle) -> ReadVehicle:
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
        outlets=_outlets(f"{at}/outlets", typed.outlets),
    )


def _energy(reader: Reader, pointer: str, typed: str) -> Energy | None:
    stored = tidy(typed).lower()
    known: tuple[Energy, ...] = get_args(Energy)
    if stored and stored not in known:
        reader.ledger.note("vehicle.energy", pointer, typed=stored, known=", ".join(known))
    return next((energy for energy in known if energy == stored), None)


def _commitment(reader: Reader, typed: DraftCommitment) -> Commitment | None:
    at = "/commitment"
    text_zh = reader.text(f"{at}/text_zh", typed.text_zh, most=MOST_LONG_TEXT, required=True)
    text_en = reader.text(f"{at}/text_en", typed.text_en, most=MOST_LONG_TEXT, required=True)
    from_on = reader.day(f"{at}/from_on", typed.from_on)
    until_on = reader.day(f"{at}/until_on", typed.until_on)
    counts = {name: _whole(reader, f"{at}/{name}", name, getattr(typed, name)) for name in _COUNTS}
    note = reader.text(f"{at}/localised_note", typed.localised_note)
    localised = _localised(reader, f"{at}/localised", typed.localised)
    if not (text_zh and text_en):
        return None
    return Commitment(
        text_zh=text_zh,
        text_en=text_en,
        from_on=from_on,
        until_on=until_on,
        warranty_months=counts["warranty_months"],
        warranty_km=counts["warranty_km"],
        parts_years=counts["parts_years"],
        parts_lead_days=counts["parts_lead_days"],
        localised=localised,
        localised_note=note or None,
        battery_service=typed.battery_service,
    )


def _whole(reader: Reader, pointer: str, name: str, typed: int | None) -> int | None:
    if typed is None or 0 <= typed <= MOST_WHOLE:
        return typed
    reader.ledger.note("commitment.number", pointer, field=FIELDS[name], most=str(MOST_WHOLE))
    return None


def _localised(reader: Reader, pointer: str, typed: str) -> Localised | None:
    stored = tidy(typed).lower()
    known: tuple[Localised, ...] = get_args(Localised)
    if stored and stored not in known:
        reader.ledger.note("commitment.localised", pointer, typed=stored)
    return next((answer for answer in known if answer == stored), None)
