"""Faults of batches at random points, many times over one register: no number twice, nothing lost, nothing twice."""

from __future__ import annotations

import os
import random
from collections import Counter
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import batched
import killing
import mishaps
import pytest
from batched import CHEN, Count, approved, drafts, finish, head, interrupted
from handing_in import OWN
from killing import Launcher, Turn
from world import EMIRATES, World

from signer import jobs as queues
from signer.domain.batch import BatchState

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import hsm as hsms

    Report = Callable[..., None]

COUNT = int(os.environ.get("SOAK_BATCHES", "50"))
MANY = int(os.environ.get("SOAK_ITEMS", "500"))
SEED = int(os.environ.get("SOAK_SEED", "20261130"))
STEPS = tuple(step for step in killing.BATCH_STEPS if step not in ("recorded", "before the batch is over"))
_LONGEST_S = 0.6
_ITEMS = 3
_NOTED = "the item is noted"
pytestmark = pytest.mark.soak
on_both = pytest.mark.parametrize("database", ["sqlite", "postgresql"])
on_sqlite = pytest.mark.parametrize("database", ["sqlite"])


def turns(name: str) -> Iterator[tuple[random.Random, int]]:
    """Yield chance, and where the vehicles of a turn begin, so many times; the seed is the fault's own."""
    chance = random.Random(f"{SEED} {name}")
    for place in range(COUNT):
        yield chance, place * _ITEMS


def hold(world: World, report: Report, name: str, *, expected: int, seen: Counter[str], runs: int = COUNT) -> None:
    """Hold every promise, and put a line into the table."""
    killing.accounts(world)
    batched.accounts(world)
    told = ", ".join(f"{name} {count}" for name, count in sorted(seen.items()))
    report(name, Count(world, runs=runs, expected=expected), seed=SEED, seen=told)


def seal_through(
    world: World,
    report: Report,
    name: str,
    act: Callable[[random.Random, str], object],
    *,
    mend: Callable[[], object] = lambda: None,
    steps: tuple[str, ...] = STEPS,
) -> None:
    """Seal a batch while something happens at a random step, mend it, and finish; again and again."""
    seen = Counter[str]()
    for chance, start in turns(name):
        ref = approved(world, drafts(_ITEMS, start=start))
        step = chance.choice(steps)
        seen[step] += 1
        interrupted(world, ref, step, lambda *_, chance=chance, ref=ref: act(chance, ref))
        mend()
        finish(world, ref)
        assert batched.state(world, ref) == (BatchState.DONE, _ITEMS, 0)
    hold(world, report, name, expected=COUNT * _ITEMS, seen=seen)


@pytest.fixture
def launchers() -> Iterator[tuple[Launcher, ...]]:
    """Two processes that fork the workers to be killed: two seal one batch at a time."""
    made = Launcher(), Launcher()
    yield made
    for each in made:
        each.close()


@on_both
def test_workers_killed_at_any_moment_of_a_long_batch(
    world: World, launchers: tuple[Launcher, ...], report: Report
) -> None:
    """Two at a time seal a batch and are killed, until so many were; what is left is finished by another."""
    refs, chance, seen, killed = list[str](), random.Random(f"{SEED} killed"), Counter[str](), 0
    while killed < COUNT:
        if not refs or head(world, refs[-1]).state.is_over:
            refs.append(approved(world, drafts(MANY, start=MANY * len(refs))))
            world.services.database.close()
        for launcher in launchers:
            step = chance.choice(("taken up", "reserved", "sealed", "in transaction 2"))
            turn = Turn(None, "", step=step, after_s=chance.uniform(0, _LONGEST_S), batch=refs[-1])
            launcher.send(world, [turn])
        deaths = [death for launcher in launchers for death in launcher.receive()]
        killed += sum(death.code == -9 for death in deaths)
        seen.update(death.step for death in deaths)
        world.at += timedelta(minutes=2)
    finish(world, *refs)
    assert {batched.state(world, ref) for ref in refs} == {(BatchState.DONE, MANY, 0)}
    hold(world, report, "kill -9 of workers in a batch", expected=MANY * len(refs), seen=seen, runs=killed)


@on_both
def test_web_processes_killed_while_a_word_is_given(world: World, report: Report) -> None:
    seen = Counter[str]()
    for chance, start in turns("web killed"):
        ref = batched.ready(world, drafts(1, start=start))
        world.services.batching.send(ref, maker=OWN.maker, by=CHEN)
        said, step = batched.word(world, ref), chance.choice(killing.BATCH_WORD_STEPS)
        seen[step] += 1
        assert killing.say_and_die(world, step, said).code == -9
        world.services.batching.approve(said)
        finish(world, ref)
    hold(world, report, "kill -9 of web in a batch's word", expected=COUNT, seen=seen)


@on_both
def test_the_queue_and_the_jobs_are_deleted(world: World, report: Report) -> None:
    def lose(_chance: random.Random, _ref: str) -> None:
        queues.Queue(world.services).close()  # now there is one
        mishaps.lose_the_queue(world)
        world.change("DELETE FROM jobs")

    world.services.working.run_due()
    outside = tuple(step for step in STEPS if "transaction" not in step and step not in ("before reserve", _NOTED))
    seal_through(world, report, "queue and jobs deleted in a batch", lose, steps=outside)


@on_both
def test_timestamps_fail_for_the_middle_third(world: World, report: Report) -> None:
    seen = Counter[str]()
    with batched.stamping(world) as instead:
        for chance, start in turns("no timestamps"):
            ref = approved(world, drafts(_ITEMS, start=start))
            status = chance.choice((500, 503, 404))

            def fail(_told: str, status: int = status) -> None:
                instead[:] = [status]

            world.services.batch_running.run(ref, fail)
            seen[f"{batched.state(world, ref)[0]} after {batched.state(world, ref)[1]}"] += 1
            world.at += timedelta(minutes=1)
            world.services.working.run_due()
            instead.clear()
            finish(world, ref)
            assert batched.state(world, ref) == (BatchState.DONE, _ITEMS, 0)
        hold(world, report, "TSA down for the middle third", expected=COUNT * _ITEMS, seen=seen)


@on_both
def test_the_token_is_gone(world: World, hsm: hsms.Hsm, report: Report) -> None:
    label = f"batches {'postgresql' if world.database_url else 'sqlite'}"
    hsm.make_token(label)
    hsm.seal_in(world, label)
    seen = Counter[str]()
    for chance, start in turns("HSM gone"):
        ref = approved(world, drafts(_ITEMS, start=start, name=EMIRATES), asked=batched.THEIRS)
        step, away = chance.choice(("taken up", "reserved", "rendered", "recorded")), list[Path]()
        seen[step] += 1
        interrupted(world, ref, step, lambda *_, away=away: away.append(hsm.unplug(label)))
        world.at += timedelta(minutes=1)
        world.services.working.run_due()
        hsm.plug(away[0])
        finish(world, ref, asked=batched.THEIRS)
        assert batched.state(world, ref, asked=batched.THEIRS) == (BatchState.DONE, _ITEMS, 0)
    hold(world, report, "HSM gone in a batch", expected=COUNT * _ITEMS, seen=seen)


@on_sqlite
def test_the_disk_is_full(world: World, tmp_path: Path, report: Report) -> None:
    with mishaps.small_disk(world, tmp_path / "disk", size=f"{32 + 2 * COUNT}m") as disk:
        fill = disk.fill
        seal_through(disk.world, report, "disk full in a batch", lambda *_: fill(), mend=disk.clear)


@on_both
def test_one_file_is_handed_in_by_many_at_once(world: World, report: Report) -> None:
    seen = Counter[str]()
    with mishaps.crew(world, 4) as workers:
        for place in range(COUNT):
            data = f"{SEED} {place}".encode()
            found = mishaps.at_once(
                workers, lambda mine, _, data=data: mine.services.batching.hand_in(OWN, file_name="a", data=data)[0]
            )
            seen[f"{len(set(found))} batch of {len(found)}"] += 1
    assert set(seen) == {"1 batch of 4"}
    assert world.rows("SELECT count(*) FROM batches") == [(COUNT,)]
    hold(world, report, "one file handed in by four at once", expected=0, seen=seen)


@on_both
def test_one_vehicle_is_in_two_batches_at_once(world: World, report: Report) -> None:
    seen, expected = Counter[str](), 0
    with mishaps.crew(world, 2) as workers:
        for _, start in turns("two batches"):
            refs = [approved(world, drafts(_ITEMS, start=start)[:: 1 - 2 * place]) for place in range(2)]
            mishaps.at_once(workers, lambda mine, place, refs=refs: str(mine.services.batch_running.run(refs[place])))
            finish(world, *refs)
            done = [batched.state(world, ref)[1] for ref in refs]
            seen[f"{done[0]} and {done[1]}"] += 1
            assert sum(done) <= _ITEMS
            expected += sum(done)
    hold(world, report, "one vehicle in two batches", expected=expected, seen=seen)


@on_both
def test_batches_are_cancelled_while_they_are_sealed(world: World, report: Report) -> None:
    seen, expected = Counter[str](), 0
    outside = tuple(step for step in STEPS if step in (*mishaps.SEALING, "taken up"))
    for chance, start in turns("cancelled"):
        ref = approved(world, drafts(_ITEMS, start=start))
        step = chance.choice(outside)
        act = lambda *_, ref=ref: world.services.batching.cancel(ref, maker=OWN.maker, by=CHEN)  # noqa: E731
        interrupted(world, ref, step, act)
        finish(world, ref)
        stands, done, failed = batched.state(world, ref)
        assert (stands, failed) == (BatchState.CANCELLED, 0)
        expected += done
        seen[f"{step}: {done}"] += 1
    hold(world, report, "cancelled while sealing", expected=expected, seen=seen)
