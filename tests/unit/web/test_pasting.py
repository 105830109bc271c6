"""VINs pasted into a draft: a row each, once, with the day beside them where there is one and no doubt."""

from __future__ import annotations

import pytest

from signer.domain.confirmation import Draft, DraftVehicle
from signer.web.portal.draft_form import pasted

FIRST, SECOND = "L0YSA3B29T0000101", "L0YSA3B20T0000102"
KEPT = DraftVehicle(
    vin="L0YSA3B22T0000103", brand="云舟", model="YZS6480T1", registered_on="2026-08-01", energy="petrol"
)


def rows(typed: str) -> list[tuple[str, str]]:
    """Return what is new: VIN and day."""
    body = pasted(Draft(vehicles=(KEPT,)), typed, maker="某样例")
    assert body.vehicles[0] == KEPT
    assert all((row.brand, row.energy) == ("云舟", "petrol") for row in body.vehicles)
    return [(row.vin, row.registered_on) for row in body.vehicles[1:]]


WRITTEN = ["2026-09-01", "2026/9/1", "2026.9.1", "20260901", "2026年9月1日"]
BESIDE = [(day, between) for day in WRITTEN for between in ("\t", ";", " ")]


@pytest.mark.parametrize(("day", "between"), [*BESIDE, ("1 Sep 2026", "\t")])
def test_a_day_beside_a_vin_is_its_first_registration_however_it_is_written(day: str, between: str) -> None:
    assert rows(f"{FIRST}{between}{day}\n{day}{between}{SECOND}") == [(FIRST, "2026-09-01"), (SECOND, "2026-09-01")]


@pytest.mark.parametrize("rest", ["", "\tblack", "\t2026-13-45", "\t2026-09-01\t2026-09-02", "\t12345678", "\t2026"])
def test_no_day_is_guessed(rest: str) -> None:
    assert rows(f"{FIRST}{rest}") == [(FIRST, "")]


def test_two_vins_of_one_line_take_no_day() -> None:
    assert rows(f"{FIRST}\t{SECOND}\t2026-09-01") == [(FIRST, ""), (SECOND, "")]


def test_what_is_here_stays_and_what_comes_twice_counts_once_as_it_came_first() -> None:
    assert rows(f"{KEPT.vin.lower()}\t2026-09-01\n{FIRST}\t2026-09-02\n{SECOND}\n{FIRST}\t2026-09-03\nnonsense") == [
        (FIRST, "2026-09-02"),
        (SECOND, ""),
        ("nonsense", ""),
    ]
