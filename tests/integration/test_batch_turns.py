"""Whose turn it is while batches are sealed: manufacturers take turns, and whoever waits comes before them."""

from __future__ import annotations

import itertools
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import batched
import killing
import pytest
from batched import THEIRS, approved, drafts, head, items, state
from handing_in import OWN
from world import EMIRATES, sample

from signer.domain.batch import BatchState
from signer.errors import SelfCheckFailed
from signer.register import jobs

if TYPE_CHECKING:
    from world import World


@pytest.fixture
def database() -> str:
    """SQLite, but for what depends on the database."""
    return "sqlite"


@pytest.fixture
def slow(world: World, monkeypatch: pytest.MonkeyPatch) -> World:
    """Each item takes a second, so that a slice is two of them."""
    issue = world.services.issuing.issue

    def timed(order: Any) -> Any:
        world.at += timedelta(seconds=1)
        return issue(order)

    monkeypatch.setattr(world.services.issuing, "issue", timed)
    return world


def order_of_sealing(world: World) -> list[int]:
    return [row[0] for row in world.rows("SELECT manufacturer_id FROM seal_uses ORDER BY id")]


def test_manufacturers_take_turns_however_many_batches_each_has(slow: World) -> None:
    """The first has two batches and the second one: each has a slice in turn."""
    approved(slow, drafts(2))
    approved(slow, drafts(2, start=2))
    approved(slow, drafts(4, name=EMIRATES), asked=THEIRS)
    slow.services.working.run_due()
    assert order_of_sealing(slow) == [1, 1, 2, 2, 1, 1, 2, 2]


def test_a_job_that_somebody_waits_for_is_done_between_two_items(slow: World) -> None:
    ref = approved(slow, drafts(4))

    def wait(*_: Any) -> None:
        with slow.services.database.write() as tx:
            jobs.enqueue(tx, "scrub", {"of": "test"}, at=slow.at)

    with killing.at_step(slow, "recorded", wait):
        slow.services.working.run_due()
    slow.at += timedelta(seconds=2)
    slow.services.working.run_due()
    ((at,),) = slow.rows("SELECT changed_at FROM jobs WHERE kind = 'scrub'")
    later = slow.rows(f"SELECT count(*) FROM batch_items WHERE ended_at > '{at}'")
    assert (state(slow, ref), later) == ((BatchState.DONE, 4, 0), [(3,)])


def test_a_worker_rests_while_a_persons_order_is_sealed_and_not_for_what_has_died(world: World) -> None:
    rests: list[float] = []
    world.services.batch_running._rest = rests.append  # type: ignore[method-assign]
    ref, other = approved(world, drafts(2)), world.another()
    with killing.at_step(other, "sealed", lambda *_: world.services.batch_running.run(ref)):
        other.issue(sample(EMIRATES))
    other.services.database.close()
    assert (state(world, ref), len(rests)) == ((BatchState.DONE, 2, 0), 20)
    mine = approved(world, drafts(1, start=9))
    world.change("UPDATE confirmations SET standing = 'pending', recorded_at = NULL WHERE id = 0")
    world.services.batch_running.run(mine)
    assert len(rests) == 20


def test_what_is_new_while_all_hands_are_busy_finds_a_hand(slow: World) -> None:
    first = approved(slow, drafts(3))
    late: list[str] = []
    turn = itertools.count()

    def hand_in(*_: Any) -> None:
        late.append(approved(slow, drafts(1, start=50 + next(turn), name=EMIRATES), asked=THEIRS))

    with killing.at_step(slow, "recorded", hand_in):
        slow.services.working.run_due()
    assert state(slow, first) == (BatchState.DONE, 3, 0)
    assert state(slow, late[0], asked=THEIRS) == (BatchState.DONE, 1, 0)
    slow.at += timedelta(minutes=1)
    slow.services.working.run_due()
    assert slow.rows("SELECT DISTINCT state FROM jobs WHERE kind = 'batch'") == [("done",)]


def test_rate_and_remaining_time_are_told_while_it_runs(slow: World) -> None:
    ref = approved(slow, drafts(4))
    slow.services.batch_running.run(ref, span=timedelta(seconds=2))
    progress = head(slow, ref).progress
    assert (progress.done, progress.left, progress.rate) == (2, 2, 60.0)
    assert progress.remaining == timedelta(seconds=2)


def test_a_file_of_ours_that_does_not_verify_ends_its_item_and_halts_until_a_person_says_otherwise(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    ref = approved(world, drafts(3))

    def unsound(*_: Any, **__: Any) -> None:
        raise SelfCheckFailed("it does not verify")

    with monkeypatch.context() as patched:
        patched.setattr(world.services.issuing._sealing, "_self_check", unsound)
        world.services.batch_running.run(ref)
    world.at += timedelta(hours=1)
    world.services.working.run_due()
    assert (state(world, ref), items(world, ref)) == ((BatchState.HALTED, 0, 1), {"failed": 1, "waiting": 2})
    world.services.batching.go_on(ref, maker=OWN.maker, by=batched.CHEN)
    batched.finish(world, ref)
    assert state(world, ref) == (BatchState.DONE, 2, 1)
    batched.accounts(world)


def test_a_running_batch_of_a_restored_register_waits_for_a_person(world: World) -> None:
    ref = approved(world, drafts(1))
    at = world.at.isoformat().replace("+00:00", ".000000Z")
    columns = "backup_at, restored_at, archive_digest, released_at, released_by"
    world.change(f"INSERT INTO restores ({columns}) VALUES ('{at}', '{at}', zeroblob(32), '{at}', 'x')")
    world.services.batch_running.run(ref)
    assert (state(world, ref)[0], head(world, ref).halted.code) == (BatchState.HALTED, "restored")  # type: ignore[union-attr]
    world.at += timedelta(minutes=1)
    world.services.batching.go_on(ref, maker=OWN.maker, by=batched.LIN)
    assert world.services.batch_running.run(ref) == 1


def test_nothing_that_is_asked_for_an_item_reads_all_items(world: World) -> None:
    """Each question of a slice about items is answered by an index, whatever the batch's size."""
    ref = approved(world, drafts(1))
    number = head(world, ref).id
    waiting = f"SELECT place FROM batch_items WHERE batch_id = {number} AND state = 'waiting'"
    free = "(lease_until IS NULL OR lease_until <= 'x')"
    for question in (f"{waiting} AND {free} ORDER BY lane, place LIMIT 8", f"{waiting} LIMIT 1"):
        plan = " ".join(row[3] for row in world.rows(f"EXPLAIN QUERY PLAN {question}"))
        assert "USING" in plan
        assert "INDEX" in plan
        assert "TEMP B-TREE" not in plan
