"""What may happen to a batch while it is sealed: no number twice, nothing lost, no vehicle in force twice."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import killing
import mishaps
import pytest
from batched import CHEN, accounts, approved, drafts, finish, head, interrupted, items, ready, stamping, state, word
from handing_in import OWN

from signer import jobs as queues
from signer.domain.batch import BatchState
from signer.register.batch_items import LEASE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from world import World

ON = {"sqlite": ("reserved", "in transaction 2", "the item is noted"), "postgresql": ("sealed",)}
"""The steps of the ordinary run: each takes a process of its own, that makes a page from nothing."""


def at_steps(steps: tuple[str, ...], ordinary: dict[str, tuple[str, ...]]) -> list[Any]:
    return [
        pytest.param(database, step, marks=() if step in some else pytest.mark.soak)
        for database, some in ordinary.items()
        for step in steps
    ]


def hold(world: World, *, issued: int) -> None:
    """Hold every promise of the register and of batches; so many are issued, and none was given up."""
    assert killing.accounts(world) == {"issued": issued}
    accounts(world)


@pytest.mark.parametrize(("database", "step"), at_steps(killing.BATCH_STEPS, ON))
def test_a_worker_killed_at_any_step_of_an_item_loses_and_doubles_nothing(world: World, step: str) -> None:
    count = 1 if step == "before the batch is over" else 2
    ref = approved(world, drafts(count))
    world.services.database.close()
    death = killing.seal_and_die(world, step, ref)
    assert (death.code, death.step) == (-9, step)
    reserved = {row[0] for row in world.rows("SELECT number FROM confirmations")}
    finish(world, ref)
    assert (state(world, ref), items(world, ref)) == ((BatchState.DONE, count, 0), {"done": count})
    assert reserved <= {row[0] for row in world.rows("SELECT number FROM batch_items")}
    hold(world, issued=count)


WORDS = {"sqlite": ("in the transaction that lets it run",), "postgresql": ("the batch runs",)}


@pytest.mark.parametrize(("database", "step"), at_steps(killing.BATCH_WORD_STEPS, WORDS))
def test_a_web_process_killed_while_a_word_is_given_leaves_it_given_or_not(world: World, step: str) -> None:
    ref = ready(world, drafts(1))
    world.services.batching.send(ref, maker=OWN.maker, by=CHEN)
    said = word(world, ref)
    world.services.database.close()
    assert killing.say_and_die(world, step, said).code == -9
    is_given = step == "the batch runs"
    assert state(world, ref)[0] is (BatchState.RUNNING if is_given else BatchState.WAITING)
    assert bool(world.rows("SELECT 1 FROM jobs WHERE kind = 'batch'")) == is_given
    world.services.batching.approve(said)
    finish(world, ref)
    hold(world, issued=1)


BOTH = pytest.mark.parametrize("database", ["sqlite", "postgresql"])
SQLITE = pytest.mark.parametrize("database", ["sqlite"])


@BOTH
def test_a_queue_and_jobs_that_are_deleted_while_a_batch_runs_lose_nothing(world: World) -> None:
    """Not only the queue: the jobs too, as after a restore."""
    ref, lost = approved(world, drafts(2)), list[str]()
    queues.Queue(world.services).close()  # now there is one

    def lose(*_: Any) -> None:
        mishaps.lose_the_queue(world)
        world.change("DELETE FROM jobs")
        lost.append(ref)

    with killing.at_step(world, "sealed", lose):
        world.services.working.run_due()
    finish(world, ref)
    assert lost
    assert state(world, ref) == (BatchState.DONE, 2, 0)
    hold(world, issued=2)


@pytest.fixture
def authority(world: World) -> Iterator[list[int]]:
    """The world's timestamping authority at an address; what is in the list is answered instead, if anything."""
    with stamping(world) as instead:
        yield instead


@SQLITE
def test_timestamps_that_fail_for_the_middle_third_halt_the_batch_and_use_up_no_number(
    world: World, authority: list[int]
) -> None:
    ref = approved(world, drafts(6))
    turns: list[int] = []

    def count(_told: str) -> None:
        turns.append(1)
        if len(turns) == 2:
            authority.append(503)

    world.services.batch_running.run(ref, count)
    assert (state(world, ref), head(world, ref).halted.code) == (  # type: ignore[union-attr]
        (BatchState.HALTED, 2, 0),
        "timestamp-unavailable",
    )
    for _ in range(4):
        world.at += timedelta(minutes=1)
        world.services.working.run_due()
    pending = world.rows("SELECT count(*) FROM confirmations WHERE standing = 'pending'")
    assert (state(world, ref), pending) == ((BatchState.HALTED, 2, 0), [(1,)])
    authority.clear()
    finish(world, ref)
    assert state(world, ref) == (BatchState.DONE, 6, 0)
    hold(world, issued=6)
    assert world.rows("SELECT DISTINCT level FROM files") == [("B-LT",)]


@BOTH
def test_one_vehicle_in_two_approved_batches_is_sealed_once(world: World) -> None:
    first, second = approved(world, drafts(2)), approved(world, drafts(3))
    world.services.batch_running.run(first)
    world.services.batch_running.run(second)
    assert (state(world, first), state(world, second)) == ((BatchState.DONE, 2, 0), (BatchState.DONE, 1, 2))
    failed = [one.error for one in world.services.batching.items(OWN.maker, second, states=("failed",))]
    assert {one.code for one in failed if one} == {"vin.live"}
    hold(world, issued=3)


@BOTH
def test_two_workers_share_a_batch_and_seal_each_item_once(world: World) -> None:
    ref = approved(world, drafts(8))
    with mishaps.crew(world, 2) as workers:
        mishaps.at_once(workers, lambda mine, _: str(mine.services.batch_running.run(ref)))
    shares = world.rows("SELECT sum(tries) FROM batch_items")
    assert (state(world, ref), shares) == ((BatchState.DONE, 8, 0), [(8,)])
    hold(world, issued=8)


@SQLITE
def test_what_is_being_sealed_when_its_batch_is_cancelled_is_finished_and_nothing_more_begun(world: World) -> None:
    ref = approved(world, drafts(3))
    interrupted(world, ref, "sealed", lambda *_: world.services.batching.cancel(ref, maker=OWN.maker, by=CHEN))
    assert (state(world, ref), items(world, ref)) == ((BatchState.CANCELLED, 1, 0), {"done": 1, "cancelled": 2})
    world.at += 2 * LEASE
    world.services.working.run_due()
    assert world.rows("SELECT count(*) FROM batch_items WHERE lease_until IS NOT NULL") == [(0,)]
    hold(world, issued=1)


@SQLITE
def test_a_worker_that_dies_in_a_batch_that_is_cancelled_then_leaves_its_item_known(world: World) -> None:
    ref = approved(world, drafts(2))
    world.services.database.close()
    killing.seal_and_die(world, "sealed", ref)
    world.services.batching.cancel(ref, maker=OWN.maker, by=CHEN)
    for _ in range(4):
        world.at += timedelta(minutes=11)
        world.services.working.run_due()
    assert (state(world, ref), items(world, ref)) == ((BatchState.CANCELLED, 1, 0), {"done": 1, "cancelled": 1})
    hold(world, issued=1)


@SQLITE
def test_the_same_file_handed_in_by_many_at_once_is_one_batch(world: World) -> None:
    with mishaps.crew(world, 4) as workers:
        found = mishaps.at_once(
            workers, lambda mine, _: mine.services.batching.hand_in(OWN, file_name="a.csv", data=b"a")[0]
        )
    assert (len(set(found)), world.rows("SELECT count(*) FROM batches")) == (1, [(1,)])


@SQLITE
@pytest.mark.parametrize("step", ["before reserve", "rendered", "before the file is stored"])
def test_a_disk_that_is_full_halts_the_batch_or_its_worker_and_loses_nothing(
    world: World, tmp_path: Path, step: str
) -> None:
    with mishaps.small_disk(world, tmp_path / "disk", size="16m") as disk:
        mine = disk.world
        ref = approved(mine, drafts(2))
        interrupted(mine, ref, step, disk.fill)
        assert state(mine, ref)[0] in (BatchState.RUNNING, BatchState.HALTED)
        disk.clear()
        finish(mine, ref)
        assert state(mine, ref) == (BatchState.DONE, 2, 0)
        hold(mine, issued=2)


@SQLITE
def test_a_monthly_limit_halts_the_batch_where_it_is_reached(world: World) -> None:
    ref = approved(world, drafts(3))
    world.change("UPDATE seals SET monthly_limit = 2")
    world.services.batch_running.run(ref)
    assert (state(world, ref), items(world, ref)) == ((BatchState.HALTED, 2, 0), {"done": 2, "waiting": 1})
    assert head(world, ref).halted.code == "seal.monthly-limit"  # type: ignore[union-attr]
    world.change("UPDATE seals SET monthly_limit = NULL")
    finish(world, ref)
    hold(world, issued=3)
