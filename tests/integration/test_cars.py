"""What a buyer is told follows the register as it stands at that moment, on either database."""

from __future__ import annotations

import hashlib
from datetime import date, timedelta
from typing import TYPE_CHECKING

import pytest
import world as worlds

from signer.errors import TooManyRequests
from signer.services.cars import FREE_OF_A_VIN, SLOWED
from signer.services.lookups import MOST_PER_NUMBER

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


def ask(world: World, vin: str = VIN, *, day: date = DAY, network: str = "192.0.2.0/24") -> str:
    """Return the country that a buyer is told, or nothing."""
    found = world.services.cars.ask(vin, day, network=network)
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


def test_who_guesses_from_one_network_closes_a_car_for_nobody_else(world: World) -> None:
    opened(world).issue(worlds.sample(worlds.KAZAKHSTAN))
    for turn in range(MOST_PER_NUMBER):
        ask(world, day=DAY - timedelta(days=turn + 1), network="203.0.113.0/24")
    with pytest.raises(TooManyRequests):
        ask(world, network="203.0.113.0/24")
    assert ask(world) == "KZ"


def test_who_has_many_networks_of_ipv6_guesses_no_more_than_who_has_one(world: World) -> None:
    opened(world).issue(worlds.sample(worlds.KAZAKHSTAN))
    for turn in range(MOST_PER_NUMBER):
        ask(world, day=DAY - timedelta(days=turn + 1), network=f"2001:db8:7:{turn:x}00::/56")
    with pytest.raises(TooManyRequests):
        ask(world, network="2001:db8:7:ff00::/56")
    assert ask(world, network="2001:db8:8:100::/56") == "KZ"


def test_guessing_from_many_networks_slows_each_and_closes_the_car_for_none(world: World) -> None:
    opened(world).issue(worlds.sample(worlds.KAZAKHSTAN))
    for turn in range(FREE_OF_A_VIN):
        ask(world, day=DAY - timedelta(days=turn + 1), network=f"203.0.{turn}.0/24")
    assert ask(world) == "KZ", "who has not failed is answered at once"
    assert ask(world, day=DAY - timedelta(days=1)) == ""
    with pytest.raises(TooManyRequests) as slowed:
        ask(world)
    assert slowed.value.retry_after_s == SLOWED.total_seconds()
    assert ask(world, "L0YSA3B20T0000102") == "KZ", "another car is not slowed"
    world.at += SLOWED + timedelta(seconds=1)
    assert ask(world) == "KZ"


def test_what_failures_of_a_car_are_counted_under_tells_its_vin_to_nobody_without_the_secret(world: World) -> None:
    opened(world).issue(worlds.sample(worlds.KAZAKHSTAN))
    ask(world, day=DAY - timedelta(days=1))
    ((kept,),) = world.rows("SELECT number FROM lookup_failures")
    assert hashlib.sha256(VIN.encode()).hexdigest()[:12] not in kept
    world.settings.secret_path.write_text("7" * 64 + "\n", encoding="ascii")
    world.rewire()
    ask(world, day=DAY - timedelta(days=1))
    other = world.rows("SELECT number FROM lookup_failures ORDER BY id DESC")[0][0]
    assert kept != other
