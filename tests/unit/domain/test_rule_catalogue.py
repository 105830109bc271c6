"""Every rule has sentences fit to show, and one small change of a good draft that meets it."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from signer.domain import rules
from signer.domain.confirmation import SealClass
from signer.domain.drafting import parse_draft
from signer.domain.outlet_choice import Choosing, OutletFacts, OutletRule
from signer.domain.rule_catalogue import RULES, placeholders
from signer.domain.trust import SealState
from signer.errors import RuleViolation
from tests.unit.domain.sample import (
    AT,
    DRAFT,
    EXPORTER,
    GIVEN,
    LIVE_NUMBER,
    MAKER,
    OUTLETS,
    PREPARER,
    SEAL,
    TODAY,
    draft,
    found,
    outlet,
    vehicles,
    vin,
    with_commitment,
    with_vehicle,
)

if TYPE_CHECKING:
    from signer.domain.confirmation import Draft
    from signer.domain.parties import Uscc


@dataclass(frozen=True)
class Case:
    """What to change so that exactly the rule named by the key is met (among others), and where."""

    typed: Draft
    pointer: str
    given: dict[str, Any] = field(default_factory=dict)


def seal(**changes: Any) -> dict[str, Any]:
    return {"seal": replace(SEAL, **changes)}


def outlets(*changed: Any) -> dict[str, Any]:
    return {"outlets": changed}


def maker(**changes: Any) -> dict[str, Any]:
    return {"manufacturer": MAKER.model_copy(update=changes)}


def earlier(exporter: Uscc = EXPORTER.uscc, live: tuple[int, ...] = (1, 2)) -> dict[str, Any]:
    live_vins = frozenset(map(vin, live))
    return {"predecessor": rules.Predecessor(number=LIVE_NUMBER, exporter=exporter, live_vins=live_vins)}


ELECTRIC = with_vehicle(energy="battery-electric")
OTHER_NAME = "丙样例汽车有限公司"
CAR = "/vehicles/0"
VIN = f"{CAR}/vin"
MAKER_OF_CAR = f"{CAR}/certificate_manufacturer"
REGISTERED = f"{CAR}/registered_on"

CASES: dict[str, Case] = {
    "text.missing": Case(with_vehicle(brand=" \u3000"), f"{CAR}/brand"),
    "text.too-long": Case(with_vehicle(colour="x" * 121), f"{CAR}/colour"),
    "text.control": Case(draft(contract="S\u202e1"), "/contract"),
    "text.uncovered": Case(draft(contract="𪚥"), "/contract", {"uncovered": lambda text: text if "𪚥" in text else ""}),
    "text.normalised": Case(draft(contract="e\u0301"), "/contract"),
    "text.markup": Case(draft(contract="<script>"), "/contract"),
    "date.missing": Case(with_vehicle(registered_on=""), REGISTERED),
    "date.invalid": Case(with_vehicle(registered_on="2026-02-30"), REGISTERED),
    "country.missing": Case(draft(destination={}), "/destination/country"),
    "country.domestic": Case(draft(destination={"country": "中国"}), "/destination/country"),
    "country.unknown": Case(draft(destination={"country": "XX"}), "/destination/country"),
    "country.normalised": Case(draft(destination={"country": "哈萨克斯坦"}), "/destination/country"),
    "application.missing": Case(draft(application_planned_on=""), "/application_planned_on"),
    "application.past": Case(draft(application_planned_on="2026-11-19"), "/application_planned_on"),
    "until.invalid": Case(draft(until="soon"), "/until"),
    "until.past": Case(draft(until="2026-11-19"), "/until"),
    "until.before-planned": Case(draft(until="2026-11-24"), "/until"),
    "commitment.sample": Case(with_commitment(text_zh=rules.SAMPLE_COMMITMENT[0]), "/commitment"),
    "commitment.period": Case(with_commitment(from_on="2027-01-02", until_on="2027-01-01"), "/commitment/until_on"),
    "commitment.ended": Case(with_commitment(until_on="2026-11-19"), "/commitment/until_on"),
    "commitment.number": Case(with_commitment(warranty_km=10_000_000), "/commitment/warranty_km"),
    "commitment.localised": Case(with_commitment(localised="maybe"), "/commitment/localised"),
    "commitment.localised-note": Case(with_commitment(localised="partly"), "/commitment/localised_note"),
    "commitment.bare": Case(with_commitment(warranty_months=None), "/commitment"),
    "commitment.battery": Case(ELECTRIC, "/commitment/battery_service"),
    "vehicles.none": Case(draft(vehicles=[]), "/vehicles"),
    "vehicles.too-many": Case(draft(vehicles=vehicles(201)), "/vehicles"),
    "vehicles.many": Case(draft(vehicles=vehicles(21)), "/vehicles"),
    "vin.missing": Case(with_vehicle(vin=" "), VIN),
    "vin.length": Case(with_vehicle(vin=vin(1)[:16]), VIN),
    "vin.alphabet": Case(with_vehicle(vin=vin(1)[:16] + "*"), VIN),
    "vin.look-alike": Case(with_vehicle(vin=vin(1)[:16] + "I"), VIN),
    "vin.check-digit": Case(with_vehicle(vin=vin(1)[:16] + "2"), VIN),
    "vin.normalised": Case(with_vehicle(vin=vin(1).lower()), VIN),
    "vin.duplicate": Case(draft(vehicles=vehicles(1) * 2), "/vehicles/1/vin"),
    "vin.model-year": Case(with_vehicle(vin=vin(1, year="A")), VIN),
    "vin.wmi": Case(with_vehicle(vin=vin(1, wmi="1M8")), VIN),
    "vin.live": Case(draft(), VIN, {"live": {vin(1): LIVE_NUMBER}}),
    "vehicle.modified": Case(with_vehicle(modified=True), f"{CAR}/modified"),
    "vehicle.energy": Case(with_vehicle(energy="steam"), f"{CAR}/energy"),
    "model.form": Case(with_vehicle(model="Model 7"), f"{CAR}/model"),
    "registration.future": Case(with_vehicle(registered_on="2026-11-21"), REGISTERED),
    "transfer.before-registration": Case(with_vehicle(transfer_pending_on="2026-08-31"), f"{CAR}/transfer_pending_on"),
    "transfer.future": Case(with_vehicle(transfer_pending_on="2026-11-21"), f"{CAR}/transfer_pending_on"),
    "window.before-registration": Case(draft(application_planned_on="2026-08-31"), REGISTERED),
    "window.required": Case(draft(), REGISTERED),
    "window.voluntary": Case(draft(application_planned_on="2027-03-01"), REGISTERED),
    "window.edge": Case(draft(application_planned_on="2027-03-03"), REGISTERED),
    "issuer.name": Case(with_vehicle(certificate_manufacturer=OTHER_NAME), MAKER_OF_CAR),
    "issuer.stock": Case(with_vehicle(certificate_manufacturer="甲样例汽车（集团）有限公司"), MAKER_OF_CAR),
    "issuer.several": Case(
        draft(vehicles=[*vehicles(1), *vehicles(2, certificate_manufacturer=OTHER_NAME)[1:]]), "/vehicles"
    ),
    "issuer.former-name": Case(with_vehicle(certificate_manufacturer="甲样例汽车厂"), MAKER_OF_CAR),
    "issuer.former-name-late": Case(
        with_vehicle(certificate_manufacturer="甲样例汽车厂", registered_on="2026-10-01"), MAKER_OF_CAR
    ),
    "production.known": Case(draft(), VIN, {"production": frozenset({vin(1)})}),
    "production.unknown": Case(draft(), VIN, {"production": frozenset()}),
    "issuer.role": Case(draft(), "/manufacturer", maker(role="sales-company")),
    "issuer.other": Case(draft(manufacturer=OTHER_NAME), "/manufacturer"),
    "issuer.announcement": Case(
        draft(),
        "/manufacturer",
        maker(announcement=MAKER.announcement.model_copy(update={"checked_on": TODAY - timedelta(days=91)})),
    ),
    "exporter.missing": Case(draft(exporter=""), "/exporter"),
    "exporter.unknown": Case(draft(), "/exporter", {"exporter": None}),
    "uscc.length": Case(draft(exporter=EXPORTER.uscc[:17]), "/exporter"),
    "uscc.alphabet": Case(draft(exporter="S" + EXPORTER.uscc[1:]), "/exporter"),
    "uscc.check": Case(draft(exporter="1" + EXPORTER.uscc[1:]), "/exporter"),
    "uscc.normalised": Case(draft(exporter=EXPORTER.uscc.lower()), "/exporter"),
    "outlet.none": Case(draft(destination={"country": "AE"}), "/outlets"),
    "outlet.unknown": Case(draft(outlets=["kz-1", "kz-9"]), "/outlets/1"),
    "outlet.country": Case(draft(outlets=["kz-1", "om-1"]), "/outlets/1"),
    "outlet.provider": Case(draft(outlets=["kz-1"]), "/outlets/0", outlets(outlet("kz-1", provider=None))),
    "outlet.ended": Case(
        draft(outlets=["kz-1"]), "/outlets/0", outlets(outlet("kz-1", authorised_until=date(2026, 11, 19)))
    ),
    "outlet.not-yet": Case(
        draft(outlets=["kz-1"]), "/outlets/0", outlets(outlet("kz-1", authorised_from=date(2026, 11, 21)))
    ),
    "outlet.left-out": Case(draft(), "/outlets", outlets(outlet("kz-1"), outlet("kz-2", provider=None))),
    "outlet.not-chosen": Case(draft(outlets=["kz-1"], vehicles=vehicles(1, outlets=["kz-2"])), "/vehicles/0/outlets/0"),
    "outlet.too-many": Case(draft(), "/outlets", outlets(*(outlet(f"kz-{place}") for place in range(41)))),
    "outlet.stale": Case(draft(), "/outlets", outlets(outlet("kz-1", verified_on=TODAY - timedelta(days=91)))),
    "outlet.unverified": Case(draft(), "/outlets", outlets(outlet("kz-1", verified_on=None))),
    "outlet.unserved": Case(
        with_vehicle(energy="diesel"),
        f"{CAR}/outlets",
        {
            "outlets": (outlet("kz-1"),),
            "choosing": Choosing(
                rules=(OutletRule(most=1),), facts={"kz-1": OutletFacts(energies=("battery-electric",))}
            ),
        },
    ),
    "outlet.scope": Case(ELECTRIC, f"{CAR}/outlets", outlets(outlet("kz-1", scope=("mechanical",)))),
    "seal.missing": Case(draft(), "", {"seal": None}),
    "seal.state": Case(draft(), "", seal(state=SealState.VERIFY_ONLY)),
    "seal.expired": Case(draft(), "", seal(not_after=AT - timedelta(seconds=1))),
    "seal.not-yet-valid": Case(draft(), "", seal(not_before=AT + timedelta(seconds=1))),
    "seal.not-bound": Case(draft(), "", seal(binding_fault="O is another company")),
    "seal.monthly-limit": Case(draft(), "", seal(reached_limit=500)),
    "seal.test": Case(draft(), "", seal(seal_class=SealClass.TEST)),
    "people.same": Case(draft(), "", {"approver": PREPARER.model_copy(update={"name": "另一个账号"})}),
    "people.role": Case(draft(), "", {"approver_may_approve": False}),
    "people.approval-needed": Case(draft(), "", {"approver": None}),
    "supersedes.invalid": Case(draft(supersedes=LIVE_NUMBER[:-1] + "0"), "/supersedes"),
    "supersedes.unknown": Case(draft(supersedes=LIVE_NUMBER), "/supersedes"),
    "supersedes.not-live": Case(draft(supersedes=LIVE_NUMBER), "/supersedes", earlier(live=())),
    "supersedes.other-exporter": Case(draft(supersedes=LIVE_NUMBER), "/supersedes", earlier(exporter=MAKER.uscc)),
    "supersedes.nothing": Case(draft(supersedes=LIVE_NUMBER), "/supersedes", earlier(live=(2, 3))),
    "supersedes.takes-over": Case(draft(supersedes=LIVE_NUMBER), "/supersedes", earlier()),
}
SHAPES: dict[str, tuple[bytes, str]] = {
    "draft.json": (b'{"contract": "1", "contract": "2"}', ""),
    "draft.unknown-field": (b'{"vehicles": [{"vim": "1"}]}', "/vehicles/0/vim"),
    "draft.type": (b'{"commitment": {"warranty_km": "1"}}', "/commitment/warranty_km"),
    "draft.schema": (b'{"schema": "signer.draft/2"}', "/schema"),
    "draft.too-many": (b'{"vehicles": [' + b",".join([b"{}"] * 1001) + b"]}", "/vehicles"),
}
BY_ID = {rule.id: rule for rule in RULES}


def test_every_rule_has_a_case_here_and_every_case_a_rule() -> None:
    assert sorted([*CASES, *SHAPES]) == sorted(rule.id for rule in RULES)


def test_no_rule_id_stands_twice_and_each_reads_like_an_id() -> None:
    assert len(BY_ID) == len(RULES)
    assert all(re.fullmatch(r"[a-z]+\.[a-z]+(-[a-z]+)*", rule.id) for rule in RULES)


@pytest.mark.parametrize("rule_id", CASES)
def test_one_change_meets_the_rule_at_its_field(rule_id: str) -> None:
    case = CASES[rule_id]
    findings = found(case.typed, **case.given)[rule_id]
    assert {finding.pointer for finding in findings} == {case.pointer}
    assert {finding.severity for finding in findings} == {BY_ID[rule_id].severity}


@pytest.mark.parametrize("rule_id", CASES)
def test_a_violation_stops_the_terms_and_nothing_else_does(rule_id: str) -> None:
    case = CASES[rule_id]
    given = replace(GIVEN, **case.given)
    violations = tuple(one for one in rules.check(case.typed, given) if one.severity == "violation")
    assert (BY_ID[rule_id].severity == "violation") is bool(violations)
    if not violations:
        assert rules.to_terms(case.typed, given).vins
        return
    with pytest.raises(RuleViolation) as refusal:
        rules.to_terms(case.typed, given)
    assert refusal.value.violations == violations


@pytest.mark.parametrize("rule_id", SHAPES)
def test_a_draft_of_the_wrong_shape_is_refused_at_its_field(rule_id: str) -> None:
    data, pointer = SHAPES[rule_id]
    with pytest.raises(RuleViolation) as refusal:
        parse_draft(data)
    assert [(one.rule, one.pointer) for one in refusal.value.violations] == [(rule_id, pointer)]


def test_the_sample_draft_meets_only_the_notice_that_it_is_needed() -> None:
    assert set(found(draft())) == {"window.required"}
    assert parse_draft(json.dumps(DRAFT).encode()) == draft()


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_both_sentences_say_the_same_things_and_the_source_is_named(rule: Any) -> None:
    assert placeholders(rule.zh) == placeholders(rule.en)
    assert re.search(r"[\u4e00-\u9fff]", rule.zh)
    assert rule.zh.endswith("。")
    assert rule.en.endswith((".", "?"))
    assert not re.search(r"[\u4e00-\u9fff]", rule.en.replace("股份", ""))
    assert rule.source
    assert "|" not in rule.zh + rule.en  # it would break the table of docs/reference/rules.md


@pytest.mark.parametrize("rule_id", CASES)
def test_no_sentence_shows_a_placeholder_or_what_must_not_be_shown(rule_id: str) -> None:
    case = CASES[rule_id]
    for finding in found(case.typed, **case.given)[rule_id]:
        assert "{" not in finding.zh + finding.en
        assert "None" not in finding.zh
        assert "\u202e" not in finding.zh + finding.en


def test_all_outlets_of_the_sample_are_where_the_cases_expect_them() -> None:
    assert [one.country for one in OUTLETS] == ["KZ", "KZ", "OM"]
