"""The licence annex: a goods name in customs' form, one commodity code and at most twenty vehicles in each."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signer.domain import annex
from signer.domain.vehicle import Vehicle


def vehicle(**changed: object) -> Vehicle:
    plain = {
        "vin": "L0YSA3B29T0000101",
        "brand": "云舟",
        "model": "YZS6480T1",
        "registered_on": date(2026, 9, 1),
        "certificate_manufacturer": "云舟样例汽车股份有限公司",
        "energy": "petrol",
    }
    return Vehicle.model_validate({**plain, **changed})


@pytest.mark.parametrize(
    ("brand", "displacement", "said"),
    [
        ("云舟", "1.5L", "旧云舟1.5L YZS6480T1"),
        ("云舟", "1498毫升", "旧云舟1498毫升YZS6480T1"),
        ("云舟", "", "旧云舟YZS6480T1"),
        ("YUNZHOU", "2.0L", "旧YUNZHOU 2.0L YZS6480T1"),
    ],
)
def test_the_goods_name_is_old_brand_displacement_model(brand: str, displacement: str, said: str) -> None:
    assert annex.goods_name(vehicle(brand=brand), displacement) == said


@pytest.mark.parametrize("typed", ["8703801090", "8704210000"])
def test_a_commodity_code_has_ten_digits_of_chapter_87(typed: str) -> None:
    assert annex.code_fault(typed) == ""


@pytest.mark.parametrize(
    "typed", ["", "870380109", "87038010900", "8403801090", "87038O1090", "=8703801090", "8703801090\n"]
)
def test_what_is_no_commodity_code_is_named(typed: str) -> None:
    assert annex.code_fault(typed) == "annex.code"


@pytest.mark.parametrize("typed", ["1.5L", "1498mL", "2.0T", "1998cc", "2.0升", "1.5LT"])
def test_a_displacement_is_taken_or_named(typed: str) -> None:
    expected = "annex.displacement" if typed == "2.0T" else ""
    assert annex.displacement_fault(typed, vehicle()) == expected


def test_only_what_has_no_combustion_engine_goes_without_displacement() -> None:
    assert annex.displacement_fault("", vehicle()) == "annex.displacement-missing"
    assert annex.displacement_fault("", vehicle(energy="plug-in-hybrid")) == "annex.displacement-missing"
    assert annex.displacement_fault("", vehicle(energy="battery-electric")) == ""
    assert annex.displacement_fault("", vehicle(energy=None)) == "annex.displacement-missing"


@pytest.mark.parametrize("typed", ["=1+1", "1.5L=", "@1.5L", "1.5L\n", "<b>"])
def test_no_displacement_is_a_formula(typed: str) -> None:
    assert annex.displacement_fault(typed, vehicle()) == "annex.displacement"


def test_an_annex_has_at_most_twenty_lines_and_the_rest_are_in_the_next_ones() -> None:
    found = annex.parts((vehicle(),) * 45, codes={"YZS6480T1": "8703234110"}, displacement={"YZS6480T1": "1.5L"})
    assert [(part.place, len(part.lines)) for part in found] == [(1, 20), (2, 20), (3, 5)]
    assert annex.MOST_LINES == 20
    first = found[0].lines[0]
    assert (first.registered_on, first.transfer_pending_on) == ("2026-09-01", "")


def test_an_annex_has_one_commodity_code() -> None:
    other = vehicle(model="YZS7000EV", energy="battery-electric")
    mixed = (vehicle(), other) * 11 + (vehicle(),) * 10
    codes = {"YZS6480T1": "8703234110", "YZS7000EV": annex.BATTERY_CAR}
    found = annex.parts(mixed, codes=codes, displacement={"YZS6480T1": "1.5L"})
    assert [(part.code, len(part.lines)) for part in found] == [
        ("8703234110", 20),
        ("8703234110", 1),
        (annex.BATTERY_CAR, 11),
    ]
    assert {line.code for part in found for line in part.lines if part.code == annex.BATTERY_CAR} == {annex.BATTERY_CAR}


@given(st.lists(st.sampled_from(["A1", "B2", "C3"]), min_size=1, max_size=90))
def test_every_vehicle_is_in_one_annex_in_the_order_of_its_code(models: list[str]) -> None:
    cars = tuple(vehicle(model=model, brand=f"{turn}") for turn, model in enumerate(models))
    codes = {"A1": "8703234110", "B2": "8703234110", "C3": annex.BATTERY_CAR}
    found = annex.parts(cars, codes=codes, displacement=dict.fromkeys(codes, "1.5L"))
    for code in set(codes.values()):
        lines = [line.brand for part in found if part.code == code for line in part.lines]
        assert lines == [car.brand for car in cars if codes[car.model] == code]
