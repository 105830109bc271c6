"""Lanes: confirmations whose pages are alike lie side by side, whatever else differs."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from hypothesis import given
from hypothesis import strategies as st

from signer.domain import rules
from signer.domain.batch_lane import LaneKey, lane_key, lane_ranks
from tests.unit.domain import sample

if TYPE_CHECKING:
    from signer.domain.confirmation import Terms

OTHER = sample.EXPORTER.model_copy(update={"uscc": sample.uscc("91000000MA0TE0003")})
OUTLETS = (*sample.OUTLETS, *(sample.outlet(f"{country.lower()}-9", country) for country in ("AE", "RU", "TH", "SA")))


def terms(*, exporter: Any = sample.EXPORTER, **changes: Any) -> Terms:
    given = replace(sample.GIVEN, outlets=OUTLETS, exporter=exporter)
    return rules.to_terms(sample.draft(exporter=str(exporter.uscc), **changes), given)


def key(**changes: Any) -> LaneKey:
    return lane_key(terms(**changes))


def test_vehicles_contract_buyer_and_commitment_make_no_other_lane() -> None:
    vehicle = {**sample.VEHICLE, "vin": str(sample.vin(2)), "registered_on": "2026-09-02", "colour": "白"}
    assert key() == key(vehicles=[vehicle], contract="ANOTHER", destination={"country": "KZ", "buyer": "Another LLP"})


def test_language_outlets_maker_exporter_and_template_each_make_another_lane() -> None:
    plain = terms()
    maker = plain.model_copy(
        update={"manufacturer": sample.MAKER.model_copy(update={"uscc": sample.uscc("91000000MA0TE0009")})}
    )
    template = plain.model_copy(update={"template": plain.template.model_copy(update={"version": "2"})})
    others = (key(destination={"country": "AE"}), key(outlets=["kz-1"]), key(exporter=OTHER))
    assert len({key(), *others, lane_key(maker), lane_key(template)}) == 6


def test_languages_lie_side_by_side_before_outlets_and_outlets_before_exporters() -> None:
    asked = [("KZ", sample.EXPORTER), ("AE", OTHER), ("RU", sample.EXPORTER), ("AE", sample.EXPORTER), ("KZ", OTHER)]
    made = [terms(destination={"country": country}, exporter=exporter) for country, exporter in asked]
    in_turn = sorted(made, key=lane_key)
    assert [one.destination.country.alpha2 for one in in_turn] == ["AE", "AE", "KZ", "KZ", "RU"]
    assert [one.template.languages[2] for one in in_turn] == ["ar", "ar", "ru", "ru", "ru"]


@given(st.lists(st.sampled_from(["KZ", "AE", "RU", "TH", "SA"]), max_size=12))
def test_ranks_count_the_lanes_from_0_in_the_order_of_their_keys(countries: list[str]) -> None:
    keys = [_KEYS[country] for country in countries]
    ranks = lane_ranks(keys)
    assert sorted(ranks.values()) == list(range(len(set(countries))))
    assert sorted(keys) == sorted(keys, key=ranks.__getitem__)


_KEYS = {country: key(destination={"country": country}) for country in ("KZ", "AE", "RU", "TH", "SA")}
