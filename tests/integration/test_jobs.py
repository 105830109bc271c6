"""What is due is done once, whoever wakes us; what fails is tried again; a lost queue loses nothing."""

from __future__ import annotations

import threading
import time
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from huey.registry import Message
from world import EMIRATES, KAZAKHSTAN, YUNZHOU, World, sample

from signer import jobs as waking
from signer.domain.verdict import Code
from signer.errors import RegisterUnavailable
from signer.register import jobs, lookup
from signer.services.work import EVERY

if TYPE_CHECKING:
    from collections.abc import Callable


def state(world: World, kind: str) -> jobs.Job:
    (found,) = [job for job in world.services.working.all() if job.kind == kind]
    return found


def test_every_job_runs_once_and_again_when_it_is_due(world: World) -> None:
    assert sorted(world.services.working.run_due()) == sorted(EVERY)
    assert world.services.working.run_due() == ()
    world.at += timedelta(minutes=1)
    assert sorted(world.services.working.run_due()) == ["end-suspensions", "settle"]
    world.at += timedelta(days=1)
    assert sorted(world.services.working.run_due()) == sorted(EVERY)


def failing(world: World, error: Exception) -> Callable[[], str]:
    def fail() -> str:
        raise error

    world.services.working._doing = {**world.services.working._doing, "settle": fail}
    return fail


@pytest.mark.parametrize("error", [RegisterUnavailable("gone"), ValueError("a defect")])
def test_a_failed_job_waits_twice_as_long_each_time_and_stops_no_other(world: World, error: Exception) -> None:
    failing(world, error)
    assert len(world.services.working.run_due()) == len(EVERY)
    first = state(world, "settle")
    assert (first.attempts, str(error) in (first.error or "")) == (1, True)
    assert first.next_at - world.at == timedelta(seconds=30)
    world.at = first.next_at
    world.services.working.run_due()
    again = state(world, "settle")
    assert (again.attempts, again.next_at - world.at) == (2, timedelta(minutes=1))
    world.rewire()
    world.at = again.next_at
    world.services.working.run_due()
    assert (state(world, "settle").attempts, state(world, "settle").error) == (0, None)


def test_a_job_whose_worker_died_is_taken_over_and_the_late_worker_changes_nothing(world: World) -> None:
    world.services.working.run_due()
    world.at += timedelta(minutes=2)
    database = world.services.database
    with database.write() as tx:
        dead = jobs.take(tx, at=world.at)
    assert dead is not None
    world.at += jobs.LEASE
    with database.write() as tx:
        taken = [jobs.take(tx, at=world.at) for _ in range(5)]
    (heir,) = [job for job in taken if job is not None and job.id == dead.id]
    with database.write() as tx:
        jobs.fail(tx, dead, error="late", at=world.at)
    assert (state(world, heir.kind).state, state(world, heir.kind).error) == ("running", None)


def test_eight_workers_take_each_job_once(world: World) -> None:
    done: list[str] = []

    def work() -> None:
        mine = world.another()
        done.extend(mine.services.working.run_due())
        mine.services.database.close()

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(done) == sorted(EVERY)


def test_suspensions_that_are_over_end_in_the_tables_too(world: World) -> None:
    issued = world.issue(sample(KAZAKHSTAN))
    world.services.ending.suspend(issued.number, manufacturer=YUNZHOU, by="chen.sample")
    world.services.working.run_due()
    assert world.rows("SELECT standing FROM confirmations") == [("suspended",)]
    world.at += timedelta(hours=72)
    world.services.working.run_due()
    assert world.rows("SELECT standing, suspended_until FROM confirmations") == [("issued", None)]
    assert world.rows("SELECT status FROM status_entries") == [(0,)]
    assert world.rows("SELECT actor FROM audit WHERE event = 'confirmation.resumed'") == [("signer",)]
    assert world.verify(issued.pdf).code is Code.VALID


def test_a_seal_s_suspension_that_is_over_ends_in_the_tables_too(world: World) -> None:
    world.change("UPDATE seals SET state = 'suspended', suspended_until = '2026-11-22T04:00:00.000000Z'")
    world.services.working.run_due()
    assert world.rows("SELECT DISTINCT state FROM seals") == [("suspended",)]
    world.at += timedelta(hours=1)
    world.services.working.run_due()
    assert world.rows("SELECT DISTINCT state, suspended_until FROM seals") == [("active", None)]


def test_failed_look_ups_are_forgotten_when_they_count_no_longer(world: World) -> None:
    with world.services.database.write() as tx:
        lookup.note_failure(tx, number="x", network="n", at=world.at)
    world.services.working.run_due()
    assert world.rows("SELECT count(*) FROM lookup_failures") == [(1,)]
    world.at += timedelta(days=1, seconds=1)
    world.services.working.run_due()
    assert world.rows("SELECT count(*) FROM lookup_failures") == [(0,)]


def test_a_damaged_file_is_found_by_re_verifying_and_named(world: World) -> None:
    world.overrides = {"SIGNER_BLOB_URL": "disk:"}
    world.rewire()
    sound, issued = world.issue(sample(EMIRATES)), world.issue(sample(KAZAKHSTAN))
    world.services.working.run_due()
    assert state(world, "re-verify").error is None
    path = world.folder / "blobs"
    for file in path.rglob("*"):
        if file.is_file() and file.read_bytes() == issued.pdf:
            file.write_bytes(issued.pdf[:-1])
    world.at += timedelta(days=1)
    world.services.working.run_due()
    error = state(world, "re-verify").error or ""
    assert (issued.number in error, sound.number in error) == (True, False)


def test_a_message_is_plain_json_and_comes_back_whole() -> None:
    message = Message("1", "wake", None, 0, 0, None, ("a",), {"b": 1}, *[None] * 7)
    assert waking.Plain().deserialize(waking.Plain().serialize(message)) == message
    with pytest.raises(ValueError, match="utf-8"):
        waking.Plain().deserialize(b"\x80\x05K\x01.")


def test_the_queue_wakes_us_and_its_loss_loses_nothing(world: World) -> None:
    queue = waking.queue(world.services)
    consumer = queue.create_consumer(workers=1, periodic=True, scheduler_interval=1)
    consumer.start()
    for _ in range(100):
        if world.services.working.all():
            break
        time.sleep(0.1)
    consumer.stop(graceful=True)
    assert sorted(job.kind for job in world.services.working.all()) == sorted(EVERY)
    queue.storage.flush_all()
    queue.storage.close()
    (world.folder / "queue.sqlite3").unlink(missing_ok=True)
    world.at += timedelta(minutes=2)
    assert sorted(world.services.working.run_due()) == ["end-suspensions", "settle"]
