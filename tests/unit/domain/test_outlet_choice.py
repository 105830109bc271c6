"""Outlets are chosen by the first rule that fits: nearest first, at most so many, no vehicle without one."""

from __future__ import annotations

import math
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signer.domain.outlet_choice import Choosing, Need, OutletFacts, OutletRule, chosen, in_order, rule_for, serves
from signer.domain.parties import Outlet
from signer.domain.places import EARTH_KM, Place, distance_km, port_place

ALMATY, ASTANA, KHORGOS = Place(43.24, 76.89), Place(51.17, 71.45), Place(44.21, 80.41)
PETROL, ELECTRIC = Need("云舟", "petrol"), Need("云舟", "battery-electric")

places = st.builds(Place, st.floats(-90, 90), st.floats(-180, 180))
needs = st.lists(
    st.builds(Need, st.sampled_from(["甲", "乙"]), st.sampled_from(["petrol", "battery-electric", None])),
    min_size=1,
    max_size=6,
)
facts = st.builds(
    OutletFacts,
    place=st.none() | places,
    brands=st.sampled_from([(), ("甲",), ("乙",)]),
    energies=st.sampled_from([(), ("petrol",), ("battery-electric",)]),
)


def outlet(outlet_id: str, *, has_battery: bool = True) -> Outlet:
    return Outlet(
        id=outlet_id,
        name=outlet_id,
        provider="P",
        address="A",
        country="KZ",
        scope=("mechanical", "high-voltage-battery") if has_battery else ("mechanical",),
        authorised_from=date(2026, 1, 1),
    )


@st.composite
def registers(draw: st.DrawFn) -> tuple[list[Outlet], Choosing]:
    count = draw(st.integers(0, 8))
    live = [outlet(f"o-{place}", has_battery=draw(st.booleans())) for place in range(count)]
    return live, Choosing(facts={one.id: draw(facts) for one in live})


@given(places, places, places)
def test_distances_are_a_metric_and_never_more_than_half_the_globe(one: Place, two: Place, three: Place) -> None:
    assert distance_km(one, one) == 0
    assert math.isclose(distance_km(one, two), distance_km(two, one), abs_tol=1e-6)
    assert distance_km(one, two) <= math.pi * EARTH_KM + 1e-6
    assert distance_km(one, three) <= distance_km(one, two) + distance_km(two, three) + 1e-3


def test_a_degree_of_the_equator_and_the_shorter_way_over_the_date_line() -> None:
    assert distance_km(Place(0, 0), Place(0, 1)) == pytest.approx(111.195, abs=0.01)
    assert distance_km(Place(0, 179.5), Place(0, -179.5)) == pytest.approx(111.195, abs=0.01)
    assert distance_km(ALMATY, ASTANA) == pytest.approx(973, abs=5)


@pytest.mark.parametrize("typed", [("43", ""), ("91", "0"), ("0", "181"), ("1e5", "0"), ("43,2", "76"), ("=1", "2")])
def test_what_is_no_pair_of_degrees_is_no_place(typed: tuple[str, str]) -> None:
    with pytest.raises(ValueError, match="place"):
        Place.of(*typed)


def test_the_first_rule_that_fits_every_vehicle_decides() -> None:
    rules = (
        OutletRule(country="RU", most=1),
        OutletRule(country="KZ", energy="battery-electric", most=2),
        OutletRule(country="KZ", brand="（云舟）", most=3),
        OutletRule(most=4),
    )
    choosing = Choosing(rules=rules)
    assert rule_for(choosing, "KZ", [ELECTRIC]) == rules[1]
    assert rule_for(choosing, "KZ", [ELECTRIC, PETROL]) == rules[3]
    assert rule_for(choosing, "KZ", [Need("(云舟)", "petrol")]) == rules[2]
    assert rule_for(Choosing(rules=rules[:1]), "KZ", [PETROL]) is None


def test_nearest_to_the_rules_centre_first_else_to_the_port() -> None:
    live = [outlet("a-astana"), outlet("b-almaty"), outlet("c-nowhere")]
    choosing = Choosing(facts={"a-astana": OutletFacts(place=ASTANA), "b-almaty": OutletFacts(place=ALMATY)})
    by_port = chosen(live, [PETROL], OutletRule(most=2), choosing, port=port_place("KZ", "霍尔果斯口岸"))
    assert [one.id for one in by_port] == ["b-almaty", "a-astana"]
    by_centre = chosen(live, [PETROL], OutletRule(most=1, centre=ASTANA), choosing, port=KHORGOS)
    assert [one.id for one in by_centre] == ["a-astana"]
    assert [one.id for one in in_order(live, choosing, None)] == ["a-astana", "b-almaty", "c-nowhere"]


def test_an_electric_car_keeps_an_outlet_with_battery_service_although_others_are_nearer() -> None:
    live = [outlet("a-near", has_battery=False), outlet("b-far")]
    choosing = Choosing(facts={"a-near": OutletFacts(place=ALMATY), "b-far": OutletFacts(place=ASTANA)})
    rule = OutletRule(most=1, centre=ALMATY)
    assert [one.id for one in chosen(live, [ELECTRIC], rule, choosing, port=None)] == ["b-far"]
    assert [one.id for one in chosen(live, [PETROL], rule, choosing, port=None)] == ["a-near"]


def test_what_a_vehicle_names_is_kept_whatever_the_rule_says() -> None:
    live = [outlet(f"o-{place}") for place in range(5)]
    named = Need("云舟", "petrol", frozenset({"o-4"}))
    found = chosen(live, [named, PETROL], OutletRule(most=2), Choosing(), port=None)
    assert [one.id for one in found] == ["o-0", "o-4"]


@given(registers(), needs, st.integers(1, 5), st.none() | places)
def test_no_vehicle_is_left_without_an_outlet_that_there_is(
    register: tuple[list[Outlet], Choosing], asked: list[Need], most: int, centre: Place | None
) -> None:
    live, choosing = register
    found = chosen(live, asked, OutletRule(most=most, centre=centre), choosing, port=None)
    assert set(found) <= set(live)
    assert list(found) == list(in_order(found, choosing, centre))
    for need in asked:
        able = [one for one in live if serves(choosing.of(one), need)]
        trained = [one for one in able if "high-voltage-battery" in one.scope]
        wanted = trained if need.energy == "battery-electric" and trained else able
        assert not wanted or any(one in found for one in wanted)


@given(registers(), needs, st.integers(1, 5), st.none() | places)
def test_never_more_than_the_rule_says_unless_coverage_takes_more(
    register: tuple[list[Outlet], Choosing], asked: list[Need], most: int, centre: Place | None
) -> None:
    live, choosing = register
    found = chosen(live, asked, OutletRule(most=most, centre=centre), choosing, port=None)
    assert len(found) <= max(most, len(set(asked)))
    fitting = [one for one in live if any(serves(choosing.of(one), need) for need in asked)]
    assert len(found) >= min(most, len(fitting))


@given(registers(), needs, st.none() | places)
def test_where_the_nearest_serve_everything_the_nearest_are_chosen(
    register: tuple[list[Outlet], Choosing], asked: list[Need], centre: Place | None
) -> None:
    live, choosing = register
    plain = Choosing(facts={key: OutletFacts(place=one.place) for key, one in choosing.facts.items()})
    every = [one.model_copy(update={"scope": ("high-voltage-battery",)}) for one in live]
    found = chosen(every, asked, OutletRule(most=3, centre=centre), plain, port=None)
    assert found == in_order(every, plain, centre)[:3]


def test_an_outlet_that_is_closed_is_not_authorised_whatever_its_record_says() -> None:
    choosing = Choosing(facts={"o-1": OutletFacts(closed_on=date(2026, 11, 20))})
    ended, kept = choosing.as_authorised([outlet("o-1"), outlet("o-2")])
    assert (ended.is_authorised(date(2026, 11, 19)), ended.is_authorised(date(2026, 11, 20))) == (True, False)
    assert kept.is_authorised(date(2026, 11, 20))
