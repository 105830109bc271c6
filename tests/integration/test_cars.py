"""What a buyer is told follows the register as it stands at that moment, on either database."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

import world as worlds

if TYPE_CHECKING:
    from world import World

VIN = "L0YSA3B29T0000101"
DAY = date.fromisoformat(worlds.sample(worlds.KAZAKHSTAN)["vehicles"][0]["registered_on"])


def opened(world: World) -> World:
    """Let buyers ask about the first manufacturer's cars."""
    world.give("admin", "gao.sample")
    maker = worlds.sample("register")["manufacturers"][0]["record"]["uscc"]
    world.services.facts.answer_buyers(maker, by="gao.sample", is_wanted=True)
    return world


def ask(world: World, vin: str = VIN) -> str:
    """Return the country that a buyer is told, or nothing."""
    found = world.services.cars.ask(vin, DAY, network="192.0.2.0/24")
    return found.country if found else ""


def test_nothing_is_told_before_anything_was_issued(world: World) -> None:
    assert ask(opened(world)) == ""


def test_a_suspension_silences_and_ends_by_itself(world: World) -> None:
    issued = opened(world).issue(worlds.sample(worlds.KAZAKHSTAN))
    assert ask(world) == "KZ"
    by = worlds.PEOPLE[worlds.YUNZHOU][0]
    world.services.ending.suspend(issued.number, manufacturer=worlds.YUNZHOU, by=by)
    assert ask(world) == ""
    world.at += timedelta(hours=73)
    assert ask(world) == "KZ"


def test_the_newer_confirmation_is_told_of_once_it_replaced_the_older(world: World) -> None:
    issued = opened(world).issue(worlds.sample(worlds.KAZAKHSTAN))
    newer = worlds.sample(worlds.KAZAKHSTAN) | {
        "supersedes": issued.number,
        "destination": {"country": "AE", "port": "Jebel Ali"},
    }
    newer["vehicles"] = newer["vehicles"][:1]
    world.issue(newer)
    assert ask(world) == "AE"
    assert ask(world, "L0YSA3B20T0000102") == "KZ"


def test_failures_are_counted_without_keeping_the_vin_and_forgotten_after_a_day(world: World) -> None:
    opened(world).issue(worlds.sample(worlds.KAZAKHSTAN))
    assert ask(world, "L0YSA3B20T0000199") == ""
    ((kept,),) = world.rows("SELECT number FROM lookup_failures")
    assert kept.startswith("car:")
    world.at += timedelta(days=2)
    assert ask(world, "L0YSA3B20T0000198") == ""
    assert len(world.rows("SELECT number FROM lookup_failures")) == 1
