"""Terms, content and standing: what is encoded reads back, what is final stays so."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime

import pytest
import rfc8785
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from signer.domain import content, json_text, rules
from signer.domain.confirmation import Standing
from signer.domain.evidence import RecordFacts
from signer.domain.parties import Country, Manufacturer, Membership, Role
from signer.domain.trust import Purpose, TrustEntry, TrustList
from signer.domain.values import Frozen, beijing_day, format_instant, parse_day, parse_instant
from signer.domain.vehicle import Vehicle
from signer.errors import InvalidInput
from tests.unit.domain.sample import (
    AT,
    GIVEN,
    LIVE_NUMBER,
    MAKER,
    OUTLETS,
    SEAL,
    TODAY,
    draft,
    number,
    vehicles,
    with_commitment,
)

TERMS = rules.to_terms(draft(vehicles=vehicles(3)), GIVEN)
DIGEST = content.terms_digest(TERMS)
WHOLE = content.build(terms=TERMS, approved_digest=DIGEST, number=LIVE_NUMBER, issued_at=AT)


def test_terms_that_were_not_approved_are_not_numbered() -> None:
    other = rules.to_terms(draft(vehicles=vehicles(2)), GIVEN)
    with pytest.raises(InvalidInput, match="approved"):
        content.build(terms=other, approved_digest=DIGEST, number=LIVE_NUMBER, issued_at=AT)


@settings(max_examples=30, deadline=None)
@given(
    st.integers(1, 5),
    st.sampled_from(["none", "required-through", "2027-01-31"]),
    st.sampled_from(["KZ", "OM"]),
    st.none() | st.integers(0, 9_999_999),
    st.datetimes(datetime(2026, 1, 1), datetime(2090, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
)
def test_content_reads_back_byte_for_byte(count: int, until: str, country: str, km: int | None, at: datetime) -> None:
    typed = draft(vehicles=vehicles(count), until=until, destination={"country": country})
    typed = typed.model_copy(update={"commitment": with_commitment(warranty_km=km).commitment})
    terms = rules.to_terms(typed, GIVEN)
    whole = content.build(
        terms=terms, approved_digest=content.terms_digest(terms), number=number("7K3QF9ZC2M8RX"), issued_at=at
    )
    encoded = content.encode(whole)
    assert content.parse(encoded) == whole
    assert content.encode(content.parse(encoded)) == encoded
    assert all(byte >= 0x20 for byte in encoded)


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_any_changed_byte_of_the_content_is_refused_or_another_digest(data: st.DataObject) -> None:
    encoded = content.encode(WHOLE)
    place = data.draw(st.integers(0, len(encoded) - 1))
    changed = encoded[:place] + bytes([data.draw(st.integers(0, 255))]) + encoded[place + 1 :]
    if changed == encoded:
        return
    try:
        parsed = content.parse(changed)
    except content.ContentRefused:
        return
    assert parsed.terms == TERMS  # the terms are bound by their digest: only number, time and end can differ
    assert content.content_digest(changed) != content.content_digest(encoded)


def test_the_end_follows_the_vehicle_that_needs_the_paper_longest() -> None:
    cars = [*vehicles(1), *vehicles(2, registered_on="2026-10-01")[1:]]
    terms = rules.to_terms(draft(vehicles=cars), GIVEN)
    assert content.until_of(terms) == date(2027, 3, 30)
    assert content.until_of(TERMS.model_copy(update={"until": None})) is None
    assert content.until_of(TERMS.model_copy(update={"until": date(2027, 1, 1)})) == date(2027, 1, 1)


@given(st.lists(st.sampled_from(Standing), max_size=8))
def test_standing_never_leaves_a_final_state(wishes: list[Standing]) -> None:
    standing = Standing.PENDING
    for wish in wishes:
        was_final, before = standing.is_final, standing
        if standing.may_become(wish):
            standing = wish
        assert not was_final or standing is before
        assert not standing.may_become(Standing.PENDING)
        assert not standing.may_become(standing)


def test_exactly_three_states_are_final_and_a_suspension_is_not() -> None:
    final = {standing for standing in Standing if standing.is_final}
    assert final == {Standing.SUPERSEDED, Standing.WITHDRAWN, Standing.ABANDONED}
    assert Standing.SUSPENDED.may_become(Standing.ISSUED)
    assert not Standing.PENDING.may_become(Standing.WITHDRAWN)


ENTRY = TrustEntry(
    purpose=Purpose.PDF_SEAL,
    uscc=MAKER.uscc,
    legal_name=MAKER.legal_name,
    certificate="AAAA",
    certificate_digest="0" * 64,
    from_at=AT,
)
MODELS = [
    WHOLE,
    TERMS,
    MAKER,
    *OUTLETS,
    draft(),
    Membership(person="wang", manufacturer=MAKER.uscc, roles=frozenset({Role.PREPARER, Role.ADMIN})),
    TrustList(origin="o", sequence=1, issued=AT, expires=AT, test=True, entries=(ENTRY,)),
    RecordFacts(
        number=LIVE_NUMBER,
        confirmation=WHOLE,
        content_digest="0" * 64,
        issued_at=AT,
        standing=Standing.ISSUED,
        lines=(),
        recorded_at=AT,
    ),
]


@pytest.mark.parametrize("model", MODELS, ids=lambda model: type(model).__name__)
def test_a_model_reads_back_from_its_own_json(model: BaseModel) -> None:
    for plain in (model.model_dump_json(by_alias=True), json.dumps(model.model_dump(mode="json", by_alias=True))):
        again = type(model).model_validate_json(plain)
        assert again == model
        assert type(again.model_copy()) is type(model)


def test_a_model_that_was_read_holds_typed_values_and_cannot_be_changed() -> None:
    again = content.parse(content.encode(WHOLE))
    assert type(again.number) is type(WHOLE.number)
    assert type(again.terms.vehicles[0].vin) is type(TERMS.vehicles[0].vin)
    assert type(again.terms.exporter.uscc) is type(MAKER.uscc)
    assert isinstance(again, Frozen)
    with pytest.raises(ValidationError):
        again.number = LIVE_NUMBER  # type: ignore[misc]


def test_a_country_whose_codes_do_not_belong_together_is_refused() -> None:
    with pytest.raises(ValidationError):
        Country(alpha2="KZ", alpha3="UZB", name_zh="x", name_en="x")
    with pytest.raises(ValidationError):
        Country(alpha2="CN", alpha3="CHN", name_zh="中国", name_en="China")


def test_instants_are_aware_whole_seconds_in_utc() -> None:
    beijing = datetime.fromisoformat("2026-11-21T00:30:00.9+08:00")
    assert parse_instant(beijing) == datetime(2026, 11, 20, 16, 30, tzinfo=UTC)
    assert format_instant(beijing) == "2026-11-20T16:30:00Z"
    assert beijing_day(beijing) == date(2026, 11, 21)
    for naive in (parse_instant, format_instant, beijing_day):
        with pytest.raises(ValueError, match="time zone"):
            naive(datetime(2026, 11, 20))  # noqa: DTZ001


@pytest.mark.parametrize(
    "text", ["2026-2-30", "2026-02-30", "20260201", "2026-02-01 ", "1899-12-31", "3000-01-01", 20260201]
)
def test_only_a_day_that_exists_is_a_day(text: object) -> None:
    with pytest.raises(ValueError, match=r"date|day|year"):
        parse_day(text)


def test_a_vehicle_and_a_manufacturer_take_no_field_that_is_not_theirs() -> None:
    with pytest.raises(ValidationError):
        Manufacturer.model_validate_json(json.dumps(json.loads(MAKER.model_dump_json()) | {"note": "x"}))
    with pytest.raises(ValidationError):
        Vehicle.model_validate_json(json.dumps(json.loads(TERMS.vehicles[0].model_dump_json()) | {"modified": "no"}))


def test_the_seal_and_the_day_of_the_sample_are_those_of_its_circumstances() -> None:
    assert TERMS.seal.certificate_digest == SEAL.certificate_digest
    assert GIVEN.today == TODAY


_TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
_SOON, _LATE = (datetime(year, 6, 1, tzinfo=UTC).replace(tzinfo=None) for year in (1950, 2900))
_KEYS = st.text("abcdefghijklmnopqrstuvwxyz_", min_size=1, max_size=8)
_JSON = st.recursive(
    st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | _TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_KEYS, inner, max_size=4),
    max_leaves=20,
)


@given(_JSON)
def test_the_quick_encoding_is_rfc_8785s_to_the_byte(value: json_text.Json) -> None:
    assert json_text.canonical(value) == rfc8785.dumps(value)  # type: ignore[arg-type]


@given(st.datetimes(_SOON, _LATE, timezones=st.timezones()))
def test_an_instant_is_told_in_whole_seconds_of_utc(at: datetime) -> None:
    told = format_instant(at)
    assert parse_instant(told) == at.astimezone(UTC).replace(microsecond=0)
    assert len(told) == 20
