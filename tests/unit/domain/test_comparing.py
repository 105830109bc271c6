"""What is told as changed is exactly what changed: nothing for equal terms, and enough to make one from the other."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st
from world import ROOT

from signer.domain import comparing, content
from signer.domain.comparing import ORDER, compare
from signer.domain.confirmation import Terms

if TYPE_CHECKING:
    from collections.abc import Mapping


CARS = ROOT / "tests" / "vectors" / "content" / "accepted-three-cars.json"
BASE = Terms.model_validate_json(json.loads(CARS.read_bytes())["terms"])


@st.composite
def changed(draw: st.DrawFn) -> Terms:
    """Terms near the base: vehicles and outlets added, removed, turned round, edited; texts changed."""
    vehicles = list(BASE.vehicles)
    extra = vehicles[0].model_copy(update={"vin": vehicles[0].vin.replace("0", "1")})
    if extra.vin not in {each.vin for each in vehicles} and draw(st.booleans()):
        vehicles.append(extra)
    vehicles = draw(st.permutations(vehicles))
    kept = vehicles[: draw(st.integers(1, len(vehicles)))]
    edited = [each.model_copy(update={"colour": draw(st.sampled_from([None, "白", "黑"]))}) for each in kept]
    outlets = tuple(each.model_copy(update={"phone": draw(st.sampled_from([None, "+1"]))}) for each in BASE.outlets)
    return BASE.model_copy(
        update={
            "vehicles": tuple(edited),
            "outlets": outlets,
            "contract": draw(st.sampled_from([None, "A", "B"])),
            "until": draw(st.sampled_from([None, "required-through"])),
        }
    )


@given(changed(), changed())
def test_nothing_changed_exactly_if_the_digests_are_equal(before: Terms, after: Terms) -> None:
    assert (compare(before, after) == ()) is (content.terms_digest(before) == content.terms_digest(after))


@given(changed(), changed())
def test_the_other_way_round_before_and_after_change_places(before: Terms, after: Terms) -> None:
    turned = [(change.path, change.after, change.before) for change in compare(after, before)]
    assert turned == [(change.path, change.before, change.after) for change in compare(before, after)]


@given(changed(), changed())
def test_what_is_told_makes_the_newer_lines_from_the_older(before: Terms, after: Terms) -> None:
    lines: dict[tuple[str, ...], str] = comparing._lines(before)
    newer: Mapping[tuple[str, ...], str] = comparing._lines(after)
    for change in compare(before, after):
        if change.path[-1] == ORDER:
            continue
        is_whole = len(change.path) == 2 and change.path[0] in ("vehicles", "outlets")
        for path in [path for path in lines if path == change.path or (is_whole and path[:2] == change.path)]:
            del lines[path]
        if change.after is not None:
            told = {path: text for path, text in newer.items() if is_whole and path[:2] == change.path}
            lines |= told or {change.path: change.after}
    assert lines == newer


def test_a_vehicle_that_is_gone_is_one_line_and_an_order_is_one() -> None:
    gone = BASE.model_copy(update={"vehicles": BASE.vehicles[:1]})
    paths = [change.path for change in compare(BASE, gone)]
    assert paths == [("vehicles", str(each.vin)) for each in sorted(BASE.vehicles[1:], key=lambda each: each.vin)]
    turned = BASE.model_copy(update={"vehicles": BASE.vehicles[::-1]})
    assert [change.path for change in compare(BASE, turned)] == [("vehicles", ORDER)]
