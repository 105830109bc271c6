"""kill -9 at random moments between reserve and record, very many times: nothing is lost, nothing doubled."""

from __future__ import annotations

import itertools
import os
import random
import statistics
from collections import Counter
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import killing
import pytest
from killing import Death, Launcher, Turn
from mishaps import Tally
from world import KAZAKHSTAN, World, fresh

from signer.domain.verdict import Outcome

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

COUNT = int(os.environ.get("SOAK_COUNT", "1000"))
SEED = int(os.environ.get("SOAK_SEED", "20261122"))
BATCH, LEAST, ENDED = 50, 0.6, "the end"


@pytest.fixture
def launchers() -> Iterator[tuple[Launcher, ...]]:
    """Two processes that fork the ones to be killed: two issue at a time over one register."""
    made = Launcher(), Launcher()
    yield made
    for each in made:
        each.close()


def run(world: World, launchers: tuple[Launcher, ...], turns: list[Turn]) -> list[Death]:
    """Let the launchers share some turns; return how each ended."""
    for place, launcher in enumerate(launchers):
        launcher.send(world, turns[place :: len(launchers)])
    deaths = [death for launcher in launchers for death in launcher.receive()]
    assert {death.code for death in deaths} <= {0, -9}
    return deaths


def keyed(world: World) -> dict[str, tuple[str, str]]:
    """Return what each idempotency key stands for: a number and its standing."""
    both = "SELECT i.key, c.number, c.standing FROM idempotency i JOIN confirmations c ON c.id = i.confirmation_id"
    return {key: (number, standing) for key, number, standing in world.rows(both)}


def end(world: World, turns: list[Turn], tally: Tally) -> int:
    """Let maintenance finish what was left, and ask each key again, twice; return how many had not been recorded."""
    reserved = keyed(world)
    pending = {number for number, standing in reserved.values() if standing == "pending"}
    assert {reserved[turn.key][1] for turn in turns} <= {"pending", "issued"}
    world.at += timedelta(minutes=11)
    settled = {one.number: one.outcome for one in world.services.maintaining.settle()}
    assert settled == dict.fromkeys(pending, "finished")
    for turn in turns:
        answers = {tally.ask(turn.plain, turn.key), tally.ask(turn.plain, turn.key)}
        assert answers == {reserved[turn.key][0]}
    return len(pending)


def refuse_orphans(world: World) -> int:
    """Hold every file that was stored but never recorded against the register: none is green; return how many."""
    orphans = world.services.keeping.scrub().orphans
    for digest in orphans:
        pdf = world.services.issuing._blobs.get(bytes.fromhex(digest))
        assert world.verify(pdf).outcome is not Outcome.PASS
    return len(orphans)


@pytest.mark.soak
@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_killed_at_any_moment_nothing_is_lost_or_doubled(
    world: World, launchers: tuple[Launcher, ...], report: Callable[..., None]
) -> None:
    """
    Go on until so many were killed: some end before their moment comes.

    The first two turns of a batch are not killed: they tell how long each step takes now.
    """
    chance, tally, reached, unrecorded = random.Random(SEED), Tally(world), Counter[str](), 0
    drafts = ((fresh(KAZAKHSTAN, place), f"k{place}") for place in itertools.count())
    while (killed := reached.total() - reached[ENDED]) < COUNT:
        assert reached.total() <= 2 * COUNT + BATCH
        whole = [Turn(*next(drafts)) for _ in range(2)]
        usual_s = lengths(run(world, launchers, whole))
        turns = [killed_within(chance, usual_s, *next(drafts)) for _ in range(min(BATCH, COUNT - killed))]
        deaths = run(world, launchers, turns)
        reached.update(death.step if death.code else ENDED for death in deaths)
        unrecorded += end(world, [*whole, *turns], tally)
    assert set(killing.accounts(world)) == {"issued"}
    steps = ", ".join(f"{step} {reached[step]}" for step in (*killing.STEPS, ENDED) if reached[step])
    left = f"{refuse_orphans(world)} files left without a record, none green"
    seen = f"{killed} killed, {unrecorded} before record; last step: {steps}; {left}"
    report("kill -9 between reserve and record", tally, seed=SEED, seen=seen)
    assert unrecorded >= LEAST * killed


def lengths(deaths: list[Death]) -> dict[str, float]:
    """Return how long each step between reserve and record takes until the next (s)."""
    pairs = itertools.pairwise(killing.STEPS[killing.STEPS.index("reserved") :])
    return {step: statistics.mean(one.reached[after] - one.reached[step] for one in deaths) for step, after in pairs}


def killed_within(chance: random.Random, usual_s: dict[str, float], plain: Any, key: str) -> Turn:
    """Draw a moment: within any step alike, and in it at any time; the short ones would hardly be hit otherwise."""
    step = chance.choice(tuple(usual_s))
    return Turn(plain, key, step=step, after_s=chance.uniform(0, usual_s[step]))
