"""What the rules decide, story by story, and what is true of every draft."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from signer.domain import content, rules
from signer.domain.confirmation import Draft, Terms
from signer.domain.vehicle import Window
from signer.errors import RuleViolation
from tests.unit.domain.sample import (
    AT,
    DRAFT,
    EXPORTER,
    GIVEN,
    LIVE_NUMBER,
    MAKER,
    OTHER_NUMBER,
    PREPARER,
    SEAL,
    TODAY,
    draft,
    edited,
    found,
    one,
    outlet,
    vehicles,
    vin,
    with_commitment,
    with_vehicle,
)

# A good draft


def test_three_cars_for_kazakhstan_become_terms_with_outlets_by_id_and_the_latest_day() -> None:
    typed = draft(vehicles=vehicles(3))
    terms = rules.to_terms(typed, GIVEN)
    assert [each.id for each in terms.outlets] == ["kz-1", "kz-2"]
    assert terms.template.languages == ("zh", "en", "ru")
    assert content.until_of(terms) == date(2027, 2, 28)
    notice = found(typed)["window.required"][0]
    assert "85 days" in notice.en
    assert "required through 2027-02-28, free from 2027-03-01" in notice.en
    assert "85 天" in notice.zh


def test_empty_fields_are_absent_from_the_terms() -> None:
    terms = rules.to_terms(draft(contract=" ", until="none"), GIVEN)
    assert terms.contract is None
    assert terms.until is None
    assert b'"contract"' not in content.encode_terms(terms)
    assert b"null" not in content.encode_terms(terms)


# The window (B1)


@pytest.mark.parametrize(
    ("registered", "last", "first_free"),
    [
        ("2026-01-01", "2026-06-30", "2026-07-01"),
        ("2026-02-28", "2026-08-27", "2026-08-28"),
        ("2027-08-31", "2028-02-27", "2028-02-28"),
        ("2027-09-02", "2028-02-29", "2028-03-01"),
    ],
)
def test_day_180_needs_a_confirmation_and_day_181_does_not(registered: str, last: str, first_free: str) -> None:
    at = datetime.fromisoformat(registered + "T04:00:00+00:00")
    seal = replace(SEAL, not_before=at, not_after=at)
    issuer = MAKER.model_copy(update={"announcement": MAKER.announcement.model_copy(update={"checked_on": at.date()})})
    changes: dict[str, Any] = {"at": at, "seal": seal, "manufacturer": issuer}
    typed = with_vehicle(registered_on=registered)
    inside = typed.model_copy(update={"application_planned_on": last})
    after = typed.model_copy(update={"application_planned_on": first_free})
    assert one("window.required", inside, **changes).en.count(last) == 2
    assert "window.voluntary" not in found(inside, **changes)
    assert one("window.voluntary", after, **changes).en.count(first_free) == 2
    assert "window.required" not in found(after, **changes)


def test_half_past_midnight_in_beijing_counts_as_the_beijing_day_on_a_utc_server() -> None:
    typed = with_vehicle(registered_on="2026-01-01").model_copy(update={"application_planned_on": "", "until": "none"})
    seal = replace(SEAL, not_before=AT - timedelta(days=365))
    before_midnight = datetime(2026, 6, 30, 15, 59, tzinfo=UTC)
    half_past = datetime(2026, 6, 30, 16, 30, tzinfo=UTC)
    assert "180 days" in one("window.required", typed, at=before_midnight, seal=seal).en
    assert "181 days" in one("window.voluntary", typed, at=half_past, seal=seal).en
    assert "2026-07-01" in one("application.missing", typed, at=half_past, seal=seal).en


def test_the_end_for_applications_may_be_today_in_beijing_but_not_yesterday() -> None:
    at = datetime(2026, 11, 20, 16, 30, tzinfo=UTC)
    assert "until.past" not in found(draft(until="2026-11-21"), at=at)
    assert one("until.past", draft(until="2026-11-20"), at=at).severity == "violation"


@pytest.mark.parametrize(("days", "shown"), [(176, False), (177, True), (180, True), (183, True), (184, False)])
def test_both_readings_are_shown_within_three_days_of_the_edge_only(days: int, shown: bool) -> None:
    planned = date(2026, 9, 1) + timedelta(days=days)
    assert ("window.edge" in found(draft(application_planned_on=f"{planned}"))) is shown


def test_outside_the_window_issuing_is_allowed_when_the_paper_has_no_end() -> None:
    typed = with_vehicle(registered_on="2025-11-01").model_copy(update={"until": "none"})
    assert rules.to_terms(typed, GIVEN).until is None
    lapsed = typed.model_copy(update={"until": "required-through"})
    assert "none" in one("until.past", lapsed).en


# The VIN


def test_one_changed_digit_is_refused_naming_position_9_and_both_characters() -> None:
    wrong = vin(1)[:16] + "2"
    finding = one("vin.check-digit", with_vehicle(vin=wrong))
    assert "position 9" in finding.en
    assert f"“{wrong[8]}”" in finding.en
    assert "第 9 位" in finding.zh


@pytest.mark.parametrize(("letter", "digit"), [("I", "1"), ("O", "0"), ("Q", "0")])
def test_a_letter_that_no_vin_has_asks_for_the_digit(letter: str, digit: str) -> None:
    finding = one("vin.look-alike", with_vehicle(vin=letter + vin(1)[1:]))
    assert f"Did you mean {digit}?" in finding.en
    assert f"是否应为数字“{digit}”" in finding.zh


@pytest.mark.parametrize(
    "typed",
    [vin(1).lower(), f" {vin(1)[:3]} {vin(1)[3:]}\u3000", "".join(chr(ord(char) + 0xFEE0) for char in vin(1))],
)
def test_lower_case_blanks_and_full_width_are_normalised_and_shown(typed: str) -> None:
    finding = one("vin.normalised", with_vehicle(vin=typed))
    assert vin(1) in finding.en
    assert rules.to_terms(with_vehicle(vin=typed), GIVEN).vins == (vin(1),)


def test_sixteen_characters_are_refused_by_their_length() -> None:
    assert "has 16" in one("vin.length", with_vehicle(vin=vin(1)[:16])).en


def test_a_vin_typed_twice_is_named_with_both_lines_however_it_is_written() -> None:
    typed = draft(vehicles=[*vehicles(2), *vehicles(1, vin=vin(0).lower())])
    finding = one("vin.duplicate", typed)
    assert finding.pointer == "/vehicles/2/vin"
    assert "lines 1, 3" in finding.en


@pytest.mark.parametrize(
    ("year", "registered", "fits"),
    [("T", "2025-10-01", True), ("T", "2026-09-01", True), ("S", "2026-09-01", True), ("V", "2026-01-01", True),
     ("W", "2026-01-01", False), ("N", "2026-09-01", False), ("Z", "2026-09-01", False), ("1", "2002-01-01", True)],
)  # fmt: skip
def test_the_model_year_only_ever_warns(year: str, registered: str, fits: bool) -> None:
    findings = found(with_vehicle(vin=vin(1, year=year), registered_on=registered))
    assert ("vin.model-year" not in findings) is fits


# The issuer (B3)


@pytest.mark.parametrize("role", ["sales-company", "modified-vehicle-maker", "parent", "overseas"])
def test_only_an_automobile_manufacturer_issues_and_the_rule_is_cited(role: str) -> None:
    finding = one("issuer.role", draft(), manufacturer=MAKER.model_copy(update={"role": role}))
    assert "648" in finding.source
    assert finding.severity == "violation"


def test_full_width_brackets_are_the_same_name_and_a_missing_word_is_another() -> None:
    ascii_brackets = MAKER.legal_name.replace("（", "(").replace("）", ")")
    assert not {"issuer.name", "issuer.stock"} & set(found(with_vehicle(certificate_manufacturer=ascii_brackets)))
    without_stock = MAKER.legal_name.replace("股份", "")
    assert "股份" in one("issuer.stock", with_vehicle(certificate_manufacturer=without_stock)).zh


def test_several_manufacturers_are_split_naming_the_lines_of_each() -> None:
    other = "丙样例汽车有限公司"
    cars = [*vehicles(1), *vehicles(4, certificate_manufacturer=other)[1:3], *vehicles(4)[3:]]
    finding = one("issuer.several", draft(vehicles=cars))
    assert f"{other}: lines 2, 3" in finding.en
    assert f"{MAKER.legal_name}：第 1、4 行" in finding.zh


def test_a_former_name_is_the_same_manufacturer_until_its_last_day() -> None:
    former = "甲样例汽车厂"
    notice = one("issuer.former-name", with_vehicle(certificate_manufacturer=former, registered_on="2026-09-30"))
    assert "样例变更通知书 1 号" in notice.zh
    assert "2026-09-30" in notice.en
    late = found(with_vehicle(certificate_manufacturer=former, registered_on="2026-10-01"))
    assert late["issuer.former-name-late"][0].severity == "violation"
    assert "issuer.several" not in found(
        draft(vehicles=[*vehicles(1), *vehicles(2, certificate_manufacturer=former)[1:]])
    )


@pytest.mark.parametrize("typed", [MAKER.legal_name, MAKER.uscc, MAKER.uscc.lower(), "", " "])
def test_the_draft_may_name_the_issuer_by_name_or_code(typed: str) -> None:
    assert "issuer.other" not in found(draft(manufacturer=typed))


# Outlets (B4)


def test_an_outlet_only_in_oman_is_no_outlet_for_a_car_to_the_emirates() -> None:
    finding = one("outlet.none", draft(destination={"country": "AE"}), outlets=(outlet("om-1", "OM"),))
    assert "only in Oman" in finding.en
    assert "阿曼" in finding.zh
    named = draft(destination={"country": "AE"}, outlets=["om-1"])
    assert "Oman" in one("outlet.country", named, outlets=(outlet("om-1", "OM"),)).en


@pytest.mark.parametrize(
    ("fault", "says"),
    [({"provider": None}, "no provider"), ({"authorised_until": TODAY - timedelta(days=1)}, "ended on 2026-11-19"),
     ({"authorised_from": TODAY + timedelta(days=1)}, "starts on 2026-11-21")],
)  # fmt: skip
def test_an_only_outlet_that_cannot_be_used_stops_the_sealing_and_says_why(fault: dict[str, Any], says: str) -> None:
    finding = one("outlet.none", draft(), outlets=(outlet("kz-1", **fault),))
    assert says in finding.en
    with pytest.raises(RuleViolation):
        rules.to_terms(draft(), replace(GIVEN, outlets=(outlet("kz-1", **fault),)))


def test_an_authorisation_covers_both_its_ends() -> None:
    today_only = outlet("kz-1", authorised_from=TODAY, authorised_until=TODAY)
    assert rules.to_terms(draft(), replace(GIVEN, outlets=(today_only,))).outlets == (today_only,)


def test_an_outlet_that_cannot_be_used_is_left_out_when_another_can() -> None:
    given_outlets = (outlet("kz-1", provider=None), outlet("kz-2"))
    assert "Workshop kz-1" in one("outlet.left-out", draft(), outlets=given_outlets).en
    assert [each.id for each in rules.to_terms(draft(), replace(GIVEN, outlets=given_outlets)).outlets] == ["kz-2"]


def test_an_outlet_verified_90_days_ago_needs_no_word_and_the_day_after_it_does() -> None:
    on_the_day = outlet("kz-1", verified_on=TODAY - timedelta(days=90))
    assert "outlet.stale" not in found(draft(), outlets=(on_the_day,))
    assert "outlet.stale" in found(draft(), outlets=(on_the_day,), at=AT + timedelta(days=1))


def test_outlets_stand_by_id_whatever_their_names() -> None:
    given_outlets = (outlet("kz-1", name="Z"), outlet("kz-2", name="A"))
    for typed in (draft(), draft(outlets=["kz-2", "kz-1"])):
        terms = rules.to_terms(typed, replace(GIVEN, outlets=given_outlets[::-1]))
        assert terms.outlets == given_outlets


def test_a_vehicle_keeps_the_outlets_that_it_names() -> None:
    typed = draft(vehicles=vehicles(1, outlets=["kz-2", " ", "kz-1", "kz-2"]), outlets=["", "kz-2", "kz-1"])
    assert rules.to_terms(typed, GIVEN).vehicles[0].outlets == ("kz-1", "kz-2")


def test_the_pointer_of_an_outlet_is_its_place_as_typed() -> None:
    assert one("outlet.unknown", draft(outlets=["", "kz-1", "kz-1", "kz-9"])).pointer == "/outlets/3"


# Superseding (B5, B6)


def test_a_live_vin_is_refused_naming_its_number_unless_the_draft_supersedes_it() -> None:
    live = {str(vin(1)): LIVE_NUMBER}
    earlier = rules.Predecessor(number=LIVE_NUMBER, exporter=EXPORTER.uscc, live_vins=frozenset({vin(1), vin(2)}))
    assert LIVE_NUMBER in one("vin.live", draft(), live=live).en
    successor = draft(supersedes=LIVE_NUMBER.lower().replace("-", " "))
    findings = found(successor, live=live, predecessor=earlier)
    assert "vin.live" not in findings
    assert "takes over 1 of the vehicles" in findings["supersedes.takes-over"][0].en
    assert "1 stay in force" in findings["supersedes.takes-over"][0].en
    assert rules.to_terms(successor, replace(GIVEN, live=live, predecessor=earlier)).supersedes == LIVE_NUMBER
    assert OTHER_NUMBER in one("vin.live", successor, live={vin(1): OTHER_NUMBER}, predecessor=earlier).en


def test_another_confirmation_than_the_one_named_is_no_predecessor() -> None:
    other = rules.Predecessor(number=OTHER_NUMBER, exporter=EXPORTER.uscc, live_vins=frozenset({vin(1)}))
    assert one("supersedes.unknown", draft(supersedes=LIVE_NUMBER), predecessor=other).severity == "violation"


# People and seals (B7, B8)


def test_one_person_with_two_names_is_still_one_person() -> None:
    second_account = PREPARER.model_copy(update={"name": "另一个账号"})
    assert one("people.same", draft(), approver=second_account).severity == "violation"


def test_both_people_are_judged_by_their_own_role() -> None:
    assert "制单" in one("people.role", draft(), preparer_may_prepare=False).zh
    assert "批准" in one("people.role", draft(), approver_may_approve=False).zh


def test_a_certificate_is_valid_at_both_its_ends() -> None:
    for at in (SEAL.not_before, SEAL.not_after):
        ends = {"seal.expired", "seal.not-yet-valid"}
        assert not ends & set(found(draft(), at=at, seal=SEAL))


# How many vehicles


@pytest.mark.parametrize(("count", "rule"), [(0, "vehicles.none"), (201, "vehicles.too-many")])
def test_no_vehicle_and_201_vehicles_are_refused(count: int, rule: str) -> None:
    assert one(rule, draft(vehicles=vehicles(count))).severity == "violation"


def test_no_row_beyond_the_200th_is_judged() -> None:
    pointers = {each.pointer for each in rules.check(draft(vehicles=vehicles(300, vin="x")), GIVEN)}
    assert "/vehicles/199/vin" in pointers
    assert "/vehicles/200/vin" not in pointers


def test_200_vehicles_are_taken_with_a_warning_and_20_without() -> None:
    assert len(rules.to_terms(draft(vehicles=vehicles(200)), GIVEN).vehicles) == 200
    assert one("vehicles.many", draft(vehicles=vehicles(21))).severity == "warning"
    assert "vehicles.many" not in found(draft(vehicles=vehicles(20)))


def test_html_is_text_and_is_said_to_be_printed_letter_by_letter() -> None:
    assert "legal" not in one("text.markup", draft(contract="<b>1</b>")).en
    bad = outlet("kz-1", name="<script>alert(1)</script>")
    assert one("text.markup", draft(), outlets=(bad,)).pointer == "/outlets"
    assert rules.to_terms(draft(contract="<b>1</b>"), GIVEN).contract == "<b>1</b>"


@pytest.mark.parametrize("text", ["شارع ٨، دبي", "г. Алматы, ул. Достык, 12", "Av. Niños Héroes 245", "ИП «Көктем»"])
def test_addresses_in_other_scripts_are_taken_as_they_are(text: str) -> None:
    terms = rules.to_terms(draft(destination={"country": "KZ", "buyer": text}), GIVEN)
    assert terms.destination.buyer == text


@pytest.mark.parametrize("char", ["\x00", "\n", "\x7f", "\u202e", "\u2066", "\u200b", "\ufeff", "\u2028", "\U000e0041"])
def test_an_invisible_character_is_named_with_its_field_and_place(char: str) -> None:
    finding = one("text.control", draft(contract=f"S{char}1"))
    assert f"U+{ord(char):04X}" in finding.en
    assert "contract" in finding.en
    assert "place 2" in finding.en
    assert char not in finding.en


def test_a_character_without_a_font_is_named_wherever_it_would_be_printed() -> None:
    def uncovered(text: str) -> str:
        return "ก" if "ก" in text else ""

    local = outlet("kz-1", name_local="กรุงเทพ")
    assert one("text.uncovered", draft(), uncovered=uncovered, outlets=(local,)).pointer == "/outlets"
    issuer = MAKER.model_copy(update={"address": "ก"})
    assert "地址" in one("text.uncovered", draft(), uncovered=uncovered, manufacturer=issuer).zh


def test_arabic_vowel_marks_are_dropped_and_this_is_shown() -> None:
    assert "شارع" in one("text.normalised", draft(contract="شَارِع")).en


def test_a_country_may_be_typed_in_any_common_way() -> None:
    for typed in ("KZ", "kz", "KAZ", "Kazakhstan", "哈萨克斯坦", "ＫＺ"):
        assert rules.to_terms(draft(destination={"country": typed}), GIVEN).destination.country.alpha2 == "KZ"
    for typed in ("CN", "cn", "CHN", "China", "中国"):
        assert "HK" in one("country.domestic", draft(destination={"country": typed})).en


def test_everything_wrong_is_said_at_once_and_rows_come_in_counting_order() -> None:
    typed = draft(vehicles=vehicles(12, brand="", vin="x"), exporter="", destination={}, commitment={})
    rows = [each.pointer for each in rules.check(typed, GIVEN) if each.rule == "text.missing"]
    assert rows == [
        "/commitment/text_en", "/commitment/text_zh", *(f"/vehicles/{row}/brand" for row in range(12)),
    ]  # fmt: skip
    assert {"exporter.missing", "country.missing", "vin.length"} <= set(found(typed))


def test_a_promise_of_electric_service_is_not_missed() -> None:
    electric = with_vehicle(energy="battery-electric")
    kept = electric.model_copy(update={"commitment": with_commitment(battery_service=True).commitment})
    assert "commitment.battery" in found(electric)
    assert "commitment.battery" not in found(kept)


# Properties

TEXTS = st.one_of(
    st.sampled_from(
        ["", " ", "none", "KZ", "2026-09-01", "kz-1", "甲样例", "<b>", "x" * 700, "\x00", "\u202e", "e\u0301"]
    ),
    st.text(max_size=12),
)
FIELDS = st.sampled_from(
    ["manufacturer", "exporter", "contract", "application_planned_on", "until", "supersedes", "destination__country",
     "destination__port", "commitment__text_zh", "commitment__from_on", "commitment__until_on", "commitment__localised",
     "commitment__localised_note"]
)  # fmt: skip
CAR_FIELDS = st.sampled_from(
    ["vin", "brand", "model", "registered_on", "transfer_pending_on", "certificate_manufacturer", "engine_no", "energy"]
)
CARS = st.lists(st.dictionaries(CAR_FIELDS, TEXTS, max_size=2), max_size=3)
DRAFTS = st.builds(
    lambda changes, cars, outlets: edited(
        DRAFT,
        changes
        | {"vehicles": [{**car, **more} for car, more in zip(vehicles(3), cars, strict=False)], "outlets": outlets},
    ),
    st.dictionaries(FIELDS, TEXTS, max_size=2),
    CARS,
    st.lists(st.sampled_from(["kz-1", "kz-2", "om-1", "kz-9", ""]), max_size=2),
).map(lambda value: Draft.model_validate_json(json.dumps(value)))


@settings(max_examples=150, deadline=None)
@given(DRAFTS)
def test_terms_are_refused_exactly_if_there_is_a_violation(typed: Draft) -> None:
    findings = rules.check(typed, GIVEN)
    assert findings == rules.check(typed, GIVEN)
    violations = tuple(each for each in findings if each.severity == "violation")
    if not violations:
        terms = rules.to_terms(typed, GIVEN)
        assert Terms.model_validate_json(content.encode_terms(terms)) == terms
        return
    with pytest.raises(RuleViolation) as refusal:
        rules.to_terms(typed, GIVEN)
    assert refusal.value.violations == violations


@settings(max_examples=150, deadline=None)
@given(DRAFTS)
def test_no_finding_shows_a_character_that_must_not_be_shown(typed: Draft) -> None:
    for each in rules.check(typed, GIVEN):
        (each.zh + each.en + each.pointer).encode()
        assert not set("\x00\n\u202e\u200b") & set(each.zh + each.en)


@given(st.dates(date(1990, 1, 1), date(2200, 1, 1)), st.integers(-400, 400), st.integers(0, 400))
def test_the_window_never_reopens(registered: date, days: int, later: int) -> None:
    order = ("error", "inside", "after")
    window = Window(registered)
    first, second = registered + timedelta(days=days), registered + timedelta(days=days + later)
    assert order.index(window.state(first)) <= order.index(window.state(second))
    assert window.state(window.through) == "inside"
    assert window.state(window.free_from) == "after"


@settings(max_examples=50)
@given(st.permutations(["kz-3", "kz-1", "kz-2"]))
def test_the_order_in_which_outlets_are_kept_or_named_does_not_change_the_terms(order: list[str]) -> None:
    kept = tuple(map(outlet, order))
    assert rules.to_terms(draft(outlets=order), replace(GIVEN, outlets=kept)) == rules.to_terms(
        draft(), replace(GIVEN, outlets=kept[::-1])
    )
