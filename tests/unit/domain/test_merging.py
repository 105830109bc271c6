"""Two people's edits of one draft: both survive where they do not meet, and no edit is lost without a named clash."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from signer.domain.confirmation import MOST_DRAFT_ROWS, Draft, DraftCommitment, DraftDestination, DraftVehicle
from signer.domain.merging import merge
from signer.domain.vehicle import vin_check_character
from signer.errors import TooLarge

if TYPE_CHECKING:
    from hypothesis.strategies import DrawFn


def vin(serial: int) -> str:
    bare = f"L0YSA3B20T{serial:07d}"
    return bare[:8] + vin_check_character(bare) + bare[9:]


WORDS = st.sampled_from(["", "a", "b", "c"])
CARS = st.sampled_from([vin(serial) for serial in range(8)])
VINS = st.one_of(CARS, CARS, st.sampled_from(["", "L0YSA", "typo"]))
LISTS = st.lists(st.sampled_from(["x", "y", "z"]), unique=True, max_size=3).map(tuple)
VEHICLES = st.builds(DraftVehicle, vin=VINS, brand=WORDS, colour=WORDS, modified=st.booleans(), outlets=LISTS)
DRAFTS = st.builds(
    Draft,
    contract=WORDS,
    until=WORDS,
    destination=st.builds(DraftDestination, country=WORDS, port=WORDS),
    commitment=st.builds(DraftCommitment, text_zh=WORDS, parts_years=st.sampled_from([None, 0, 1])),
    outlets=LISTS,
    vehicles=st.lists(VEHICLES, max_size=5).map(tuple),
)
FIELDS = ("brand", "colour", "modified")


@given(DRAFTS, DRAFTS)
def test_an_edit_against_none_is_taken_as_it_is(base: Draft, edited: Draft) -> None:
    for merged in (merge(base, edited, base), merge(base, base, edited), merge(base, edited, edited)):
        assert (merged.draft, merged.clashes) == (edited, ())


@given(DRAFTS, DRAFTS, DRAFTS)
def test_a_plain_field_is_whose_edit_it_was_or_clashes(base: Draft, mine: Draft, theirs: Draft) -> None:
    merged = merge(base, mine, theirs)
    named = {clash.pointer: (clash.mine, clash.theirs) for clash in merged.clashes}
    for group, name in (("", "contract"), ("", "until"), ("destination", "port"), ("commitment", "parts_years")):
        b, m, t, found = (
            getattr(getattr(each, group) if group else each, name) for each in (base, mine, theirs, merged.draft)
        )
        pointer = f"/{group}/{name}" if group else f"/{name}"
        is_clash = b not in (m, t) and m != t
        assert named.get(pointer) == ((m, t) if is_clash else None)
        assert found == (m if t == b else t)


@given(DRAFTS, DRAFTS, DRAFTS)
def test_whatever_is_merged_is_a_draft_and_its_clashes_lead_to_what_they_say(
    base: Draft, mine: Draft, theirs: Draft
) -> None:
    merged = merge(base, mine, theirs)
    assert Draft.model_validate_json(merged.draft.model_dump_json(by_alias=True)) == merged.draft
    for clash in merged.clashes:
        steps = clash.pointer.split("/")[1:]
        if steps[0] == "vehicles":
            row = merged.draft.vehicles[int(steps[1])]
            held = row if len(steps) == 2 else getattr(row, steps[2])
            assert held == (clash.mine if clash.theirs is None else clash.theirs) or clash.theirs == ""
            assert clash.mine != clash.theirs


@st.composite
def edits(draw: DrawFn, base: tuple[DraftVehicle, ...]) -> tuple[DraftVehicle, ...]:
    """One person's edits: fields of rows changed, rows removed, other cars added anywhere."""
    rows = list(base)
    for _ in range(draw(st.integers(0, 4))):
        kind, place = draw(st.sampled_from(["edit", "remove", "add"])), draw(st.integers(0, 9))
        if kind == "add":
            free = [vin(serial) for serial in range(30) if vin(serial) not in {row.vin for row in (*rows, *base)}]
            rows.insert(place % (len(rows) + 1), DraftVehicle(vin=draw(st.sampled_from(free)), brand=draw(WORDS)))
        elif rows:
            place %= len(rows)
            if kind == "remove":
                del rows[place]
            else:
                change = {draw(st.sampled_from(["brand", "colour"])): draw(st.sampled_from(["p", "q", ""]))}
                rows[place] = rows[place].model_copy(update=change)
    return tuple(rows)


@settings(max_examples=300)
@given(st.data())
def test_no_edit_of_a_vehicle_is_lost_without_a_clash(data: st.DataObject) -> None:
    count = data.draw(st.integers(0, 5))
    before = tuple(DraftVehicle(vin=vin(serial), brand="o", colour="o") for serial in range(count))
    mine, theirs = data.draw(edits(before)), data.draw(edits(before))
    merged = merge(*(Draft(vehicles=rows) for rows in (before, mine, theirs)))
    b, m, t, found = ({row.vin: row for row in rows} for rows in (before, mine, theirs, merged.draft.vehicles))
    assert len(found) == len(merged.draft.vehicles)
    places = {row.vin: f"/vehicles/{place}" for place, row in enumerate(merged.draft.vehicles)}
    named = {clash.pointer for clash in merged.clashes}
    for car in b.keys() | m.keys() | t.keys():
        if car not in found:
            assert car in b
            assert all(rows[car] == b[car] for rows in (m, t) if car in rows)
        elif car in b and (car not in m or car not in t):
            assert places[car] in named
        for name in FIELDS if car in found and car in m and car in t else ():
            was, here, there = (getattr(rows.get(car, DraftVehicle()), name) for rows in (b, m, t))
            is_clash = was not in (here, there) and here != there
            assert (f"{places[car]}/{name}" in named) == is_clash
            assert getattr(found[car], name) == (here if there == was else there)


@given(st.tuples(LISTS, LISTS, LISTS))
def test_an_outlet_that_one_added_is_in_and_one_that_one_removed_is_out(
    three: tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]],
) -> None:
    base, mine, theirs = three
    found = merge(*(Draft(outlets=each) for each in three)).draft.outlets
    assert set(found) == (set(mine) | set(theirs)) - ((set(base) - set(mine)) | (set(base) - set(theirs)))


A, B, C = (DraftVehicle(vin=vin(serial), brand="o") for serial in range(3))


def vehicles(*three: tuple[DraftVehicle, ...]) -> tuple[tuple[DraftVehicle, ...], list[str]]:
    merged = merge(*(Draft(vehicles=rows) for rows in three))
    return merged.draft.vehicles, [clash.pointer for clash in merged.clashes]


def test_a_removed_row_does_not_shift_the_other_persons_edits() -> None:
    edited = C.model_copy(update={"colour": "白"})
    assert vehicles((A, B, C), (B, C), (A, B, edited)) == ((B, edited), [])


def test_a_row_that_one_removed_and_the_other_changed_stays_and_is_named() -> None:
    edited = B.model_copy(update={"colour": "白"})
    assert vehicles((A, B), (A,), (A, edited)) == ((A, edited), ["/vehicles/1"])
    assert vehicles((A, B), (A, edited), (A,)) == ((A, edited), ["/vehicles/1"])


def test_a_vin_that_is_being_mended_is_the_same_row() -> None:
    typo, mended = (B.model_copy(update={"vin": text}) for text in ("L0YSA3B2", vin(7)))
    painted = typo.model_copy(update={"colour": "白"})
    assert vehicles((A, typo), (A, mended), (A, painted)) == (
        (A, mended.model_copy(update={"colour": "白"})),
        [],
    )


def test_another_car_in_a_rows_place_does_not_get_what_was_typed_for_the_first_one() -> None:
    painted = B.model_copy(update={"colour": "白"})
    assert vehicles((A, B), (A, C), (A, painted)) == ((A, C, painted), ["/vehicles/2"])


def test_both_add_at_the_end_and_the_same_car_is_there_once() -> None:
    ours, others = B.model_copy(update={"colour": "白"}), B.model_copy(update={"model": "M"})
    assert vehicles((A,), (A, B, C), (A, B)) == ((A, B, C), [])
    assert vehicles((A,), (A, ours), (A, others)) == ((A, ours.model_copy(update={"model": "M"})), [])


def test_more_rows_than_fit_are_refused_and_more_outlets_clash() -> None:
    many = tuple(DraftVehicle(brand=f"{place}") for place in range(MOST_DRAFT_ROWS))
    with pytest.raises(TooLarge):
        vehicles((), many, (A,))
    sides = [tuple(f"{side}{place}" for place in range(30)) for side in "xy"]
    rows = [(A,), *((A.model_copy(update={"outlets": each}),) for each in sides)]
    assert vehicles(*rows) == (rows[2], ["/vehicles/0/outlets"])


@pytest.mark.parametrize(("one", "other"), list(product((None, 0, 1), repeat=2)))
def test_nothing_and_zero_are_two_things(one: int | None, other: int | None) -> None:
    base, mine, theirs = (Draft(commitment=DraftCommitment(parts_years=years)) for years in (5, one, other))
    assert bool(merge(base, mine, theirs).clashes) == (one != other)
