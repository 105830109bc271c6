"""Operators at once, on either database: one manufacturer is let in once, suspended once, and goes on once."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest
import world as worlds
from mishaps import at_once, crew

from signer.domain.parties import Uscc

if TYPE_CHECKING:
    from collections.abc import Callable

    from world import World

sys.path.insert(0, str(worlds.ROOT / "tests" / "integration" / "portal"))

import objects

WU, ZHENG, QIAN = "wu.sample", "zheng.sample", "qian.sample"
OWN = Uscc(objects.OWN)


@pytest.fixture
def office(world: World) -> World:
    world.appoint("operator", WU, ZHENG, QIAN)
    return world


def raced(world: World, people: tuple[str, ...], act: Callable[[World, str], object]) -> list[str]:
    """Let people do something at once: `done`, or the code of what was refused, sorted."""

    def run(mine: World, place: int) -> str:
        act(mine, people[place])
        return "done"

    with crew(world, len(people)) as workers:
        return sorted(at_once(workers, run))


def test_two_operators_confirming_at_once_let_one_manufacturer_in_and_invite_one_person(office: World) -> None:
    ref = office.services.onboarding.propose(objects.typed_proposal(), by=WU).ref
    told = raced(office, (ZHENG, QIAN), lambda mine, who: mine.services.onboarding.confirm(ref, by=who, factor="totp"))
    assert told == ["conflict", "done"]
    assert office.rows("SELECT count(*) FROM invitations") == [(1,)]
    assert office.rows("SELECT count(*) FROM audit WHERE event = 'manufacturer.onboarded'") == [(1,)]


def test_two_proposals_of_one_manufacturer_at_once_are_one(office: World) -> None:
    told = raced(
        office, (WU, ZHENG), lambda mine, who: mine.services.onboarding.propose(objects.typed_proposal(), by=who)
    )
    assert told == ["conflict", "done"]


def test_a_manufacturer_suspended_and_resumed_at_once_is_so_once(office: World) -> None:
    def suspend(mine: World, who: str) -> None:
        mine.services.onboarding.suspend(OWN, reason="a test", by=who)

    assert raced(office, (WU, WU), suspend) == ["conflict", "done"]
    told = raced(office, (ZHENG, QIAN), lambda mine, who: mine.services.onboarding.resume(OWN, by=who, factor="totp"))
    assert told == ["conflict", "done"]
