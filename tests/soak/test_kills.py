"""kill -9 at random moments between reserve and record, very many times: nothing is lost, nothing doubled."""

from __future__ import annotations

import os
import random
import time

import killing
import pytest
from world import KAZAKHSTAN, YUNZHOU, World, sample

from signer.domain.number import Number
from signer.services.withdraw import Withdrawal

COUNT = int(os.environ.get("SOAK_COUNT", "1000"))
SEED = int(os.environ.get("SOAK_SEED", "20261122"))


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest) -> str:
    kind: str = request.param
    return kind


def _usual_s(world: World) -> float:
    """Return how long a child takes; about a third of it lies between reserve and record, the rest is its start."""
    for turn in range(2):
        begun = time.monotonic()
        assert killing.issue_and_be_killed(world, sample(KAZAKHSTAN), key=f"warm-{turn}", after_s=60) == 0
        taken = time.monotonic() - begun
        _free(world, f"warm-{turn}")
    return taken


def _free(world: World, key: str) -> None:
    number = Number.parse(killing.settle_and_ask_again(world, sample(KAZAKHSTAN), key=key))
    wanted = Withdrawal(number=number, manufacturer=YUNZHOU, by="chen.sample", second="lin.sample", reason="other")
    world.services.ending.withdraw(wanted)


@pytest.mark.soak
def test_killed_at_any_moment_nothing_is_lost_or_doubled(world: World, database: str) -> None:
    chance, usual, killed = random.Random(SEED), _usual_s(world), 0
    for turn in range(COUNT):
        after = chance.uniform(0, usual / 3)
        code = killing.issue_and_be_killed(world, sample(KAZAKHSTAN), key=f"k{turn}", after_s=after)
        assert code in (0, -9), f"seed {SEED}, turn {turn}"
        killed += code == -9
        _free(world, f"k{turn}")
    counted = killing.accounts(world)
    assert counted.pop("withdrawn") == COUNT + 2
    assert counted == {}, f"seed {SEED}"
    left = world.rows("SELECT origin, count(*) FROM seal_uses GROUP BY origin")
    print(f"{database}: seed {SEED}, {COUNT} runs, {killed} killed, 0 lost, 0 doubled, seal uses {dict(left)}")
