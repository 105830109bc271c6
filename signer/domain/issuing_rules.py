"""The rules about who issues, for whom, with which seal, promising what, in place of what (B2, B3, B6, B7, B8, B11)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from signer.domain.confirmation import SealClass
from signer.domain.field_names import FIELDS
from signer.domain.parties import is_same_name, normalise_uscc
from signer.domain.reader import Reader
from signer.domain.trust import SealState
from signer.domain.values import format_instant

if TYPE_CHECKING:
    from datetime import date

    from signer.domain.circumstances import Circumstances, SealCircumstances
    from signer.domain.confirmation import Commitment
    from signer.domain.ledger import Ledger
    from signer.domain.parties import Manufacturer, Outlet
    from signer.domain.reading import ReadDraft

__all__ = ["SAMPLE_COMMITMENT", "judge_issuing"]

ANNOUNCEMENT_DAYS = 90

SAMPLE_COMMITMENT = (
    "【示例文字】本企业确认，上列服务网点将为上列车辆提供售后维修服务，并供应维修所需的配件。",
    "[Sample text] We confirm that the outlets listed will maintain the vehicles listed and supply the parts for it.",
)
"""A neutral commitment, Chinese and English, marked as a sample: the manufacturer is to use its own words."""

_ROLES = {
    "automobile-manufacturer": ("汽车生产企业", "automobile manufacturer"),
    "modified-vehicle-maker": ("改装车生产企业", "a modified-vehicle maker"),
    "sales-company": ("销售公司", "a sales company"),
    "parent": ("母公司（集团）", "a parent company"),
    "overseas": ("境外机构或经销商", "an overseas department or dealer"),
}
_STATES = {
    SealState.ACTIVE: ("启用", "active"),
    SealState.VERIFY_ONLY: ("仅可验证", "for verification only"),
    SealState.SUSPENDED: ("暂停", "suspended"),
    SealState.REVOKED: ("吊销", "revoked"),
}


def judge_issuing(read: ReadDraft, given: Circumstances, outlets: tuple[Outlet, ...], ledger: Ledger) -> None:
    """Note what the rules say about everything but the vehicles and the choice of outlets."""
    _judge_issuer(read, given.manufacturer, given.today, ledger)
    _judge_people(given, ledger)
    _judge_seal(given, ledger)
    _judge_until(read, given.today, ledger)
    _judge_supersedes(read, given, ledger)
    if read.exporter is not None and (given.exporter is None or given.exporter.uscc != read.exporter):
        ledger.note("exporter.unknown", "/exporter", uscc=read.exporter)
    if read.commitment is not None:
        _judge_commitment(read.commitment, read, given.today, ledger)
    _judge_print(given, outlets, ledger)


def _judge_issuer(read: ReadDraft, issuer: Manufacturer, today: date, ledger: Ledger) -> None:
    typed = read.manufacturer
    if typed and not is_same_name(typed, issuer.legal_name) and normalise_uscc(typed) != issuer.uscc:
        ledger.note("issuer.other", "/manufacturer", typed=typed, issuer=issuer.legal_name)
    if issuer.role != "automobile-manufacturer":
        ledger.note("issuer.role", "/manufacturer", name=issuer.legal_name, role=_ROLES[issuer.role])
    checked = issuer.announcement.checked_on
    if (today - checked).days > ANNOUNCEMENT_DAYS:
        ledger.note("issuer.announcement", "/manufacturer", checked=f"{checked}", days=str(ANNOUNCEMENT_DAYS))


def _judge_people(given: Circumstances, ledger: Ledger) -> None:
    preparer, approver = given.preparer, given.approver
    if not given.preparer_may_prepare:
        ledger.note("people.role", "", person=preparer.name, role=("制单", "preparer"))
    if approver is None:
        ledger.note("people.approval-needed", "", person=preparer.name)
        return
    if approver.id == preparer.id:
        ledger.note("people.same", "", person=preparer.name)
    if not given.approver_may_approve:
        ledger.note("people.role", "", person=approver.name, role=("批准", "approver"))


def _judge_seal(given: Circumstances, ledger: Ledger) -> None:
    seal = given.seal
    if seal is None:
        ledger.note("seal.missing", "")
        return
    if seal.state is not SealState.ACTIVE:
        ledger.note("seal.state", "", state=_STATES[seal.state])
    if seal.binding_fault:
        ledger.note("seal.not-bound", "", fault=seal.binding_fault)
    if seal.reached_limit is not None:
        ledger.note("seal.monthly-limit", "", limit=str(seal.reached_limit), month=f"{given.today:%Y-%m}")
    if seal.seal_class is SealClass.TEST:
        ledger.note("seal.test", "")
    _judge_validity(seal, given, ledger)


def _judge_validity(seal: SealCircumstances, given: Circumstances, ledger: Ledger) -> None:
    if given.at < seal.not_before:
        ledger.note("seal.not-yet-valid", "", start=format_instant(seal.not_before))
    if given.at > seal.not_after:
        ledger.note("seal.expired", "", until=format_instant(seal.not_after))


def _judge_until(read: ReadDraft, today: date, ledger: Ledger) -> None:
    latest = max((vehicle.window.through for vehicle in read.vehicles if vehicle.window), default=None)
    until = latest if read.until == "required-through" else read.until
    if until is None:
        return
    if until < today:
        ledger.note("until.past", "/until", until=f"{until}", today=f"{today}")
    elif read.planned_on is not None and until < read.planned_on:
        ledger.note("until.before-planned", "/until", until=f"{until}", planned=f"{read.planned_on}")


def _judge_supersedes(read: ReadDraft, given: Circumstances, ledger: Ledger) -> None:
    number, earlier, pointer = read.supersedes, given.predecessor, "/supersedes"
    if number is None:
        return
    if earlier is None or earlier.number != number:
        ledger.note("supersedes.unknown", pointer, number=number)
        return
    if read.exporter is not None and earlier.exporter != read.exporter:
        ledger.note("supersedes.other-exporter", pointer, number=number)
    taken = earlier.live_vins & {vehicle.vin_text for vehicle in read.vehicles}
    if not earlier.live_vins:
        ledger.note("supersedes.not-live", pointer, number=number)
    elif not taken:
        ledger.note("supersedes.nothing", pointer, number=number)
    else:
        kept = len(earlier.live_vins) - len(taken)
        ledger.note("supersedes.takes-over", pointer, number=number, taken=str(len(taken)), kept=str(kept))


def _judge_commitment(promise: Commitment, read: ReadDraft, today: date, ledger: Ledger) -> None:
    at = "/commitment"
    if SAMPLE_COMMITMENT[0] == promise.text_zh or SAMPLE_COMMITMENT[1] == promise.text_en:
        ledger.note("commitment.sample", at)
    _judge_period(promise, today, ledger)
    if promise.localised in ("no", "partly") and promise.localised_note is None:
        ledger.note("commitment.localised-note", f"{at}/localised_note")
    if promise.warranty_months is None and promise.parts_years is None and promise.localised is None:
        ledger.note("commitment.bare", at)
    electric = [vehicle.line for vehicle in read.vehicles if vehicle.is_electric]
    if electric and not promise.battery_service:
        ledger.note("commitment.battery", f"{at}/battery_service", lines=", ".join(electric))


def _judge_period(promise: Commitment, today: date, ledger: Ledger) -> None:
    start, until = promise.from_on, promise.until_on
    if until is None:
        return
    pointer = "/commitment/until_on"
    if start is not None and until < start:
        ledger.note("commitment.period", pointer, until=f"{until}", start=f"{start}")
    if until < today:
        ledger.note("commitment.ended", pointer, until=f"{until}", today=f"{today}")


def _judge_print(given: Circumstances, outlets: tuple[Outlet, ...], ledger: Ledger) -> None:
    """Judge what is on record already but will be printed too."""
    reader = Reader(ledger, given.uncovered)
    issuer, exporter = given.manufacturer, given.exporter
    for name in ("legal_name", "legal_name_en", "address", "contact"):
        reader.prints("/manufacturer", FIELDS[name], getattr(issuer, name) or "")
    for name in ("legal_name", "legal_name_en"):
        reader.prints("/exporter", FIELDS[name], getattr(exporter, name, None) or "")
    for outlet in outlets:
        for name in ("name", "name_local", "provider", "address", "address_local", "phone", "email", "hours"):
            reader.prints("/outlets", FIELDS[name], getattr(outlet, name) or "")
