"""From a confirmation back to a draft that says the same: the beginning of its successor."""

from __future__ import annotations

from typing import TYPE_CHECKING

from signer.domain.confirmation import Draft, DraftCommitment, DraftDestination, DraftVehicle

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet
    from datetime import date

    from signer.domain.confirmation import Commitment, Terms
    from signer.domain.number import Number
    from signer.domain.vehicle import Vehicle


def successor(terms: Terms, *, number: Number, vins: AbstractSet[str]) -> Draft:
    """Return a draft that takes over these vehicles of a confirmation and supersedes it; its dates are typed anew."""
    return Draft(
        exporter=terms.exporter.uscc,
        contract=terms.contract or "",
        destination=DraftDestination(
            country=terms.destination.country.alpha2,
            port=terms.destination.port or "",
            buyer=terms.destination.buyer or "",
        ),
        vehicles=tuple(_vehicle(vehicle) for vehicle in terms.vehicles if vehicle.vin in vins),
        outlets=tuple(outlet.id for outlet in terms.outlets),
        commitment=_commitment(terms.commitment),
        supersedes=number,
    )


def _vehicle(vehicle: Vehicle) -> DraftVehicle:
    return DraftVehicle(
        vin=vehicle.vin,
        brand=vehicle.brand,
        model=vehicle.model,
        registered_on=_day(vehicle.registered_on),
        transfer_pending_on=_day(vehicle.transfer_pending_on),
        certificate_manufacturer=vehicle.certificate_manufacturer,
        certificate_no=vehicle.certificate_no or "",
        engine_no=vehicle.engine_no or "",
        colour=vehicle.colour or "",
        energy=vehicle.energy or "",
        battery_code=vehicle.battery_code or "",
        modified=vehicle.modified,
        outlets=vehicle.outlets,
    )


def _commitment(promise: Commitment) -> DraftCommitment:
    return DraftCommitment(
        text_zh=promise.text_zh,
        text_en=promise.text_en,
        from_on=_day(promise.from_on),
        until_on=_day(promise.until_on),
        warranty_months=promise.warranty_months,
        warranty_km=promise.warranty_km,
        parts_years=promise.parts_years,
        parts_lead_days=promise.parts_lead_days,
        localised=promise.localised or "",
        localised_note=promise.localised_note or "",
        battery_service=promise.battery_service,
    )


def _day(day: date | None) -> str:
    return "" if day is None else day.isoformat()
