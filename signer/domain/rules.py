"""
The rules of issuing: a draft and its circumstances -> all findings at once, or the terms that people approve.

Pure: the same draft in the same circumstances always gives the same answer. The rules themselves are in
`vehicle_rules`, `outlet_rules` and `issuing_rules`, their words in `rule_catalogue`.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

from signer.domain.circumstances import Circumstances, Predecessor, SealCircumstances
from signer.domain.confirmation import MOST_OUTLETS, Destination, SealChoice, SealClass, TemplateChoice, Terms
from signer.domain.issuing_rules import SAMPLE_COMMITMENT, judge_issuing
from signer.domain.ledger import Ledger
from signer.domain.outlet_rules import choose_outlets, printed_order
from signer.domain.reading import ReadDraft, ReadVehicle, read
from signer.domain.vehicle import Vehicle
from signer.domain.vehicle_rules import judge_vehicles
from signer.errors import Finding, RuleViolation

if TYPE_CHECKING:
    from signer.domain.confirmation import Draft
    from signer.domain.parties import Country, Outlet

Known = TypeVar("Known")

__all__ = [
    "SAMPLE_COMMITMENT",
    "Circumstances",
    "Predecessor",
    "SealCircumstances",
    "check",
    "judge",
    "shown_terms",
    "to_terms",
]


def check(draft: Draft, circumstances: Circumstances) -> tuple[Finding, ...]:
    """Return everything that the rules say about a draft, at once, by pointer and then by rule."""
    return _judge(draft, circumstances)[2]


def to_terms(draft: Draft, circumstances: Circumstances) -> Terms:
    """
    Return the terms that a draft amounts to.

    Raises RuleViolation with all violations, exactly if `check` finds any.
    """
    terms, findings = judge(draft, circumstances)
    if terms is None:
        raise RuleViolation(tuple(found for found in findings if found.severity == "violation"))
    return terms


def judge(draft: Draft, circumstances: Circumstances) -> tuple[Terms | None, tuple[Finding, ...]]:
    """Return the terms that a draft amounts to, None exactly if a rule is violated, and what `check` returns."""
    taken, outlets, findings = _judge(draft, circumstances)
    if any(found.severity == "violation" for found in findings):
        return None, findings
    seal = _known(circumstances.seal)
    choice = SealChoice(certificate_digest=seal.certificate_digest, seal_class=seal.seal_class)
    return _terms(taken, outlets, circumstances, choice), findings


def shown_terms(draft: Draft, circumstances: Circumstances) -> Terms | None:
    """
    Return the terms as far as a draft has any, to look at and never to approve.

    Vehicles of which VIN, registration, brand, model or manufacturer's name cannot be read are left out. None where
    exporter, destination, commitment, every outlet or every vehicle is missing.
    """
    taken, outlets, _ = _judge(draft, circumstances)
    told = (taken.exporter, circumstances.exporter, taken.country, taken.commitment)
    vehicles = tuple(vehicle for vehicle in taken.vehicles if _is_readable(vehicle))
    if None in told or not vehicles or not 0 < len(outlets) <= MOST_OUTLETS:
        return None
    seal = circumstances.seal
    choice = SealChoice(
        certificate_digest=seal.certificate_digest if seal else "0" * 64,
        seal_class=seal.seal_class if seal else SealClass.TEST,
    )
    return _terms(replace(taken, vehicles=vehicles), outlets, circumstances, choice)


def _is_readable(vehicle: ReadVehicle) -> bool:
    named = vehicle.brand and vehicle.model and vehicle.certificate_manufacturer
    return bool(vehicle.vin and vehicle.registered_on and named)


def _judge(draft: Draft, given: Circumstances) -> tuple[ReadDraft, tuple[Outlet, ...], tuple[Finding, ...]]:
    ledger = Ledger()
    taken = read(draft, ledger, given.uncovered)
    outlets = choose_outlets(taken, given, ledger)
    judge_vehicles(taken, given, ledger, count=len(draft.vehicles))
    judge_issuing(taken, given, outlets, ledger)
    return taken, outlets, ledger.in_order()


def _terms(taken: ReadDraft, outlets: tuple[Outlet, ...], given: Circumstances, seal: SealChoice) -> Terms:
    """Build the terms of a draft without violations: nothing in it is missing any more."""
    country = _known(taken.country)
    return Terms(
        manufacturer=given.manufacturer,
        exporter=_known(given.exporter),
        contract=taken.contract or None,
        destination=Destination(country=country, port=taken.port or None, buyer=taken.buyer or None),
        application_planned_on=taken.planned_on,
        vehicles=tuple(map(_vehicle, taken.vehicles)),
        outlets=outlets,
        outlet_order=printed_order(taken, outlets, given.choosing),
        commitment=_known(taken.commitment),
        supersedes=taken.supersedes,
        until=taken.until,
        template=_template(country, given),
        seal=seal,
    )


def _known(value: Known | None) -> Known:
    """Return a value that must be there once no rule is violated."""
    if value is None:
        raise AssertionError("a draft without violations lacks something: a rule is missing")
    return value


def _template(country: Country, given: Circumstances) -> TemplateChoice:
    third = country.language
    return TemplateChoice(version=given.template_version, languages=("zh", "en", third) if third else ("zh", "en"))


def _vehicle(taken: ReadVehicle) -> Vehicle:
    return Vehicle(
        vin=_known(taken.vin),
        brand=taken.brand,
        model=taken.model,
        registered_on=_known(taken.registered_on),
        transfer_pending_on=taken.transfer_pending_on,
        certificate_manufacturer=taken.certificate_manufacturer,
        certificate_no=taken.certificate_no or None,
        engine_no=taken.engine_no or None,
        colour=taken.colour or None,
        energy=taken.energy,
        battery_code=taken.battery_code or None,
        modified=taken.modified,
        outlets=tuple(sorted(named.id for named in taken.outlets)),
    )
