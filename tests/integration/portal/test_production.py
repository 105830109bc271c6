"""A manufacturer's list of what it built marks the lines of its drafts, and is nobody else's."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import pytest
from portal import Portal
from world import BEICHEN, KAZAKHSTAN, PEOPLE, YUNZHOU, World, as_bytes, sample

from signer.domain.drafting import parse_draft
from signer.domain.parties import Uscc
from signer.domain.vehicle import Vin
from signer.register.production import Built

if TYPE_CHECKING:
    from portal import Visitor

USCC = {maker["record"]["legal_name"]: Uscc(maker["record"]["uscc"]) for maker in sample("register")["manufacturers"]}
MAKER, OTHER = USCC[YUNZHOU], USCC[BEICHEN]
CHEN, LIN = PEOPLE[YUNZHOU]
DRAFT = parse_draft(as_bytes(sample(KAZAKHSTAN)))
VINS = [Vin(vehicle.vin) for vehicle in DRAFT.vehicles]


@pytest.fixture
def chen(world: World) -> Visitor:
    world.services.listing.put(
        MAKER, [Built(vin=vin, model="<b>M1", built_on=date(2026, 5, 4)) for vin in VINS[:2]], by=CHEN
    )
    return Portal.of(world).visitor(CHEN)


def marks(world: World) -> list[str]:
    drafting = world.services.drafting
    ref = drafting.begin(MAKER, by=CHEN, body=DRAFT)
    findings = drafting.judge(MAKER, drafting.find(MAKER, ref)).findings
    return [finding.rule for finding in findings if finding.rule.startswith("production.")]


def test_without_a_list_no_line_is_marked(world: World) -> None:
    assert marks(world) == []


def test_lines_are_marked_as_known_or_not(world: World, chen: Visitor) -> None:
    del chen
    assert marks(world) == ["production.known", "production.known", "production.unknown"]


def test_the_list_is_searched_by_part_of_a_vin_and_shows_what_was_listed(chen: Visitor) -> None:
    page = chen.get(f"/portal/{MAKER}/production?q={VINS[0][-6:].lower()}").text
    assert (VINS[0] in page, VINS[1] in page, "&lt;b&gt;M1" in page) == (True, False, True)
    assert VINS[0] not in chen.get(f"/portal/{MAKER}/production?q=%25\x00_").text


def test_what_is_chosen_is_taken_off_and_nothing_else(world: World, chen: Visitor) -> None:
    answer = chen.post(f"/portal/{MAKER}/production/remove", {"vin": [VINS[0], "x\x00", "%"]})
    assert answer.status_code == 303
    assert world.services.listing.page(MAKER)[0] == 1
    assert world.services.listing.page(MAKER)[1][0].vin == VINS[1]


def test_another_manufacturers_list_is_another_list(world: World, chen: Visitor) -> None:
    he = Portal.of(world).visitor(PEOPLE[BEICHEN][0])
    assert VINS[0] not in he.get(f"/portal/{OTHER}/production").text
    he.post(f"/portal/{OTHER}/production/remove", {"vin": VINS[0]})
    assert he.get(f"/portal/{MAKER}/production").status_code == 404
    assert world.services.listing.page(MAKER)[0] == 2
    assert chen.get(f"/portal/{OTHER}/production").status_code == 404


def test_who_approves_reads_the_list_and_takes_nothing_off(world: World, chen: Visitor) -> None:
    del chen
    lin = Portal.of(world).visitor(LIN)
    assert 'type="checkbox"' not in lin.get(f"/portal/{MAKER}/production").text
    assert lin.post(f"/portal/{MAKER}/production/remove", {"vin": VINS[0]}).status_code == 403
