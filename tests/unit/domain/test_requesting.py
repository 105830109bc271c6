"""What an exporter pastes becomes vehicles, each with its window and its manufacturer; nothing is guessed."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from world import BEICHEN, YUNZHOU, sample

from signer.domain.confirmation import DraftVehicle, Standing
from signer.domain.parties import Manufacturer
from signer.domain.requesting import (
    MOST_ROWS,
    Wish,
    as_day,
    faults,
    last_useful,
    makers_of,
    need,
    outcome,
    part,
    pasted,
)
from signer.domain.values import Frozen

TODAY = date(2026, 11, 22)
ONE, TWO, OTHERS = "L0YSA3B29T0000101", "L0YSA3B20T0000102", "L0BEV7C41TB200042"


def makers() -> tuple[Manufacturer, ...]:
    plain = sample("register")["manufacturers"]
    return tuple(Manufacturer.model_validate(_strict(one["record"])) for one in plain)


def _strict(record: dict[str, object]) -> dict[str, object]:
    found = {**record, "wmis": tuple(record["wmis"])}
    if former := record.get("former_names"):
        found["former_names"] = tuple(former)
    return found


def car(vin: str = ONE, registered_on: str = "2026-09-01", maker: str = "") -> DraftVehicle:
    return DraftVehicle(vin=vin, registered_on=registered_on, certificate_manufacturer=maker)


def test_the_window_is_told_with_both_its_days() -> None:
    found = need(car(registered_on="2026-01-01"), on=date(2026, 6, 30))
    assert (found.advice, found.through, found.free_from) == ("wait", date(2026, 6, 30), date(2026, 7, 1))
    assert need(car(registered_on="2026-01-01"), on=date(2026, 7, 1)).advice == "free"


@pytest.mark.parametrize(
    ("registered_on", "advice"),
    [
        ("", "unknown"),
        ("2026/9/1", "unknown"),
        ("2026-11-23", "error"),
        ("2026-11-22", "needed"),
        ("2026-06-25", "needed"),
        ("2026-06-24", "wait"),
        ("2026-05-26", "wait"),
        ("2026-05-25", "free"),
    ],
)
def test_near_its_end_one_is_told_to_wait_and_after_it_that_none_is_needed(registered_on: str, advice: str) -> None:
    assert need(car(registered_on=registered_on), on=TODAY).advice == advice


def test_a_line_is_a_vin_and_what_stands_behind_it() -> None:
    (found,) = pasted(f"{ONE.lower()}\t2026/9/1\t云舟\tYZS6480T1\t{YUNZHOU}")
    assert found == DraftVehicle(
        vin=ONE, registered_on="2026-09-01", brand="云舟", model="YZS6480T1", certificate_manufacturer=YUNZHOU
    )


def test_vins_alone_are_as_many_vehicles_and_each_comes_once() -> None:
    assert [one.vin for one in pasted(f"{ONE} {TWO}\n\n{ONE}\n{TWO},2026-09-01")] == [ONE, TWO]


def test_titles_are_no_vehicle_and_a_wrong_vin_stays_to_be_seen() -> None:
    assert [one.vin for one in pasted(f"车架号\t日期\n{ONE[:-1]}\t2026-09-01")] == [ONE[:-1]]


def test_no_more_rows_are_read_than_tell_that_there_are_too_many() -> None:
    assert len(pasted("\n".join(f"L{turn:016d}" for turn in range(5000)))) == MOST_ROWS + 1


@given(st.text(max_size=300))
def test_whatever_is_pasted_is_read_without_an_error(text: str) -> None:
    assert all(isinstance(one, Frozen) and len(one.vin) <= 1000 for one in pasted(text))


@pytest.mark.parametrize("typed", ["2026-02-30", "1/3/2026", "20260301", "2026-13-01", "x"])
def test_what_is_no_day_year_first_is_none(typed: str) -> None:
    assert as_day(typed) == ""


def test_the_name_on_the_certificate_decides_and_the_vin_only_where_there_is_none() -> None:
    mine, theirs = (maker.uscc for maker in makers())
    assert makers_of(car(), makers()) == (mine,)
    assert makers_of(car(maker=BEICHEN.replace("（", "(").replace("）", ")")), makers()) == (theirs,)
    assert makers_of(car(maker="云舟样例汽车有限公司"), makers()) == (mine,)
    assert makers_of(car(maker="别家"), makers()) == ()


def test_vehicles_of_two_makers_are_parted_and_named() -> None:
    mine, theirs = (maker.uscc for maker in makers())
    found, lost = part((car(), car(OTHERS), car("LZZ"), car(TWO)), makers())
    assert {uscc: [one.vin for one in each] for uscc, each in found.items()} == {mine: [ONE, TWO], theirs: [OTHERS]}
    assert (lost, found[mine][0].certificate_manufacturer) == ((2,), YUNZHOU)


def test_the_last_useful_day_is_the_exporters_word_else_the_first_end_of_a_window() -> None:
    cars = (car(registered_on="2026-09-01"), car(registered_on="2026-07-01"), car(registered_on="2026-01-01"))
    assert last_useful(cars, wished=None, today=TODAY) == date(2026, 12, 28)
    assert last_useful(cars, wished=date(2026, 12, 1), today=TODAY) == date(2026, 12, 1)
    assert last_useful((), wished=None, today=TODAY) == TODAY + timedelta(days=30)


def test_everything_that_is_wrong_is_told_at_once() -> None:
    wish = Wish(
        country="CN",
        planned_on="2026-11-21",
        vehicles=(car(), car(), car("L0YSA3B29T000010I"), car(TWO, "2027-01-01"), car(OTHERS, "", "别家")),
    )
    assert set(faults(wish, makers(), today=TODAY)) == {
        ("country", "country.domestic"),
        ("planned_on", "day.wrong"),
        ("vin-2", "vin.twice"),
        ("vin-3", "vin.look-alike"),
        ("registered_on-4", "registered.error"),
        ("registered_on-5", "registered.unknown"),
        ("certificate_manufacturer-5", "maker.unknown"),
    }
    assert faults(Wish(country="KZ", vehicles=(car(),)), makers(), today=TODAY) == ()


@pytest.mark.parametrize(
    ("standings", "word"),
    [
        (("issued", "issued"), "issued"),
        (("issued", "suspended"), "suspended"),
        (("withdrawn", "suspended"), "suspended"),
        (("issued", "superseded"), "partly-superseded"),
        (("issued", "superseded", "withdrawn"), "partly-withdrawn"),
        (("withdrawn", "withdrawn"), "withdrawn"),
        (("superseded",), "superseded"),
        (("superseded", "withdrawn"), "ended"),
    ],
)
def test_an_issued_request_stands_as_its_vehicles_do(standings: tuple[str, ...], word: str) -> None:
    assert outcome(map(Standing, standings)) == word
