"""A draft that may be issued and its circumstances: the tests change one thing at a time. Invented parties only."""

from __future__ import annotations

import copy
import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from signer.domain import rules
from signer.domain.confirmation import Draft, SealClass
from signer.domain.number import Number, check_character
from signer.domain.parties import (
    Announcement,
    Exporter,
    FormerName,
    Manufacturer,
    Outlet,
    Person,
    Uscc,
    uscc_check_character,
)
from signer.domain.trust import SealState
from signer.domain.vehicle import Vin, vin_check_character

if TYPE_CHECKING:
    from signer.errors import Finding

AT = datetime(2026, 11, 20, 2, 0, tzinfo=UTC)
TODAY = date(2026, 11, 20)


def uscc(first: str) -> Uscc:
    return Uscc(first + uscc_check_character(first))


def vin(serial: int, year: str = "T", wmi: str = "0TE") -> Vin:
    plain = f"{wmi}A1B2C0{year}D{serial:06d}"
    return Vin(plain[:8] + vin_check_character(plain) + plain[9:])


def number(first: str) -> Number:
    whole = first + check_character(first)
    return Number(f"{whole[:5]}-{whole[5:10]}-{whole[10:]}")


MAKER = Manufacturer(
    legal_name="甲样例汽车（集团）股份有限公司",
    legal_name_en="Jia Sample Automobile Co., Ltd.",
    uscc=uscc("91000000MA0TE0001"),
    role="automobile-manufacturer",
    announcement=Announcement(entry="样例公告 序号 1", checked_on=date(2026, 11, 1)),
    address="样例省样例市样例路 1 号",
    contact="service@maker.example",
    wmis=("0TE",),
    former_names=(FormerName(legal_name="甲样例汽车厂", until=date(2026, 9, 30), evidence="样例变更通知书 1 号"),),
)
EXPORTER = Exporter(legal_name="乙样例进出口有限公司", uscc=uscc("91000000MA0TE0002"))
PREPARER = Person(id="wang", name="王制单")
APPROVER = Person(id="li", name="李批准")
LIVE_NUMBER = number("T0T0T0T0T0T0T")
OTHER_NUMBER = number("ZYXWVTSRQPNMK")


def outlet(outlet_id: str, country: str = "KZ", **changes: Any) -> Outlet:
    plain = Outlet(
        id=outlet_id,
        name=f"Workshop {outlet_id}",
        provider="Sample Service LLP",
        address="1 Sample Street",
        country=country,
        authorised_from=date(2026, 1, 1),
        verified_on=date(2026, 11, 1),
        scope=("mechanical", "high-voltage-battery"),
    )
    return plain.model_copy(update=changes)


OUTLETS = (outlet("kz-2"), outlet("kz-1"), outlet("om-1", "OM"))
SEAL = rules.SealCircumstances(
    certificate_digest="ab" * 32,
    seal_class=SealClass.MAKER,
    state=SealState.ACTIVE,
    not_before=AT - timedelta(days=1),
    not_after=AT + timedelta(days=365),
    binding_fault="",
)
GIVEN = rules.Circumstances(
    at=AT,
    manufacturer=MAKER,
    exporter=EXPORTER,
    outlets=OUTLETS,
    seal=SEAL,
    live={},
    predecessor=None,
    preparer=PREPARER,
    approver=APPROVER,
    approver_may_approve=True,
    preparer_may_prepare=True,
    production=None,
    uncovered=lambda _: "",
    template_version="1",
)
VEHICLE: dict[str, Any] = {
    "vin": str(vin(1)),
    "brand": "样例",
    "model": "AB7000BEV1",
    "registered_on": "2026-09-01",
    "certificate_manufacturer": MAKER.legal_name,
}
DRAFT: dict[str, Any] = {
    "schema": "signer.draft/1",
    "exporter": str(EXPORTER.uscc),
    "destination": {"country": "KZ"},
    "application_planned_on": "2026-11-25",
    "vehicles": [VEHICLE],
    "commitment": {
        "text_zh": "由所列网点提供售后维修服务。",
        "text_en": "The outlets listed service these vehicles.",
        "warranty_months": 24,
    },
}


def draft(**changes: Any) -> Draft:
    """Return the sample draft with changes; `a__b=1` changes the field b of the object a."""
    return Draft.model_validate_json(json.dumps(edited(DRAFT, changes)))


def with_vehicle(**changes: Any) -> Draft:
    """Return the sample draft with changes to its one vehicle."""
    return draft(vehicles=[{**VEHICLE, **changes}])


def with_commitment(**changes: Any) -> Draft:
    return draft(commitment={**DRAFT["commitment"], **changes})


def vehicles(count: int, **changes: Any) -> list[dict[str, Any]]:
    return [{**VEHICLE, "vin": str(vin(serial)), **changes} for serial in range(count)]


def edited(value: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    whole = copy.deepcopy(value)
    for name, new in changes.items():
        first, _, rest = name.partition("__")
        whole[first] = edited(whole[first], {rest: new}) if rest else new
    return whole


def found(typed: Draft, **circumstances: Any) -> dict[str, list[Finding]]:
    """Return what the rules find, by rule id."""
    by_rule: dict[str, list[Finding]] = {}
    for finding in rules.check(typed, replace(GIVEN, **circumstances)):
        by_rule.setdefault(finding.rule, []).append(finding)
    return by_rule


def one(rule: str, typed: Draft, **circumstances: Any) -> Finding:
    """Return the only finding of a rule; the test fails if there is none or there are several."""
    findings = found(typed, **circumstances)
    assert len(findings.get(rule, [])) == 1, f"{rule} not among {findings}"
    return findings[rule][0]
