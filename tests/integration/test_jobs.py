"""What is due is done once, whoever wakes us; what fails is tried again; a lost queue loses nothing."""

from __future__ import annotations

import json
import signal
import threading
import time
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from huey.registry import Message
from working import ended, process
from world import EMIRATES, KAZAKHSTAN, YUNZHOU, World, sample

from signer import jobs as waking
from signer.domain.number import Number
from signer.domain.verdict import Code
from signer.errors import Conflict, InvalidInput, Misconfigured, NotFound, RegisterUnavailable
from signer.register import jobs, lookup
from signer.services.work import EVERY, Doing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import postgres

EACH_MINUTE = ["batches", "deliver", "end-suspensions", "log", "mail", "settle", "tally"]
"""The jobs that are due again after a minute."""


def state(world: World, kind: str) -> jobs.Job:
    """Return the periodic job of a kind."""
    (found,) = [job for job in world.services.working.all() if job.kind == kind and job.is_periodic]
    return found


def single(world: World) -> jobs.Job:
    """Return the one job that is done once."""
    (found,) = [job for job in world.services.working.all() if not job.is_periodic]
    return found


@contextmanager
def working(world: World) -> Iterator[waking.Queue]:
    """Let a worker of this process take messages from the queue meanwhile."""
    queue = waking.Queue(world.services)
    consumer = waking.consumer(queue)
    consumer.start()
    try:
        yield queue
    finally:
        consumer.stop(graceful=True)
        queue.close()


def until(claim: Callable[[], bool], *, within_s: float = 20) -> bool:
    """Wait for something to become true."""
    deadline = time.monotonic() + within_s
    while not claim():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def test_every_job_runs_once_and_again_when_it_is_due(world: World) -> None:
    assert sorted(world.services.working.run_due()) == sorted(EVERY)
    assert world.services.working.run_due() == ()
    world.at += timedelta(minutes=1)
    assert sorted(world.services.working.run_due()) == EACH_MINUTE
    world.at += timedelta(days=1)
    assert sorted(world.services.working.run_due()) == sorted(EVERY)


def doing(world: World, kind: str, action: Callable[[Doing], str]) -> None:
    """Have a kind of job done otherwise."""
    world.services.working._doing = {**world.services.working._doing, kind: action}


def failing(world: World, error: Exception, kind: str = "settle") -> None:
    def fail(_doing: Doing) -> str:
        raise error

    doing(world, kind, fail)


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


def test_a_worker_does_what_is_due_at_once_and_its_queue_s_loss_loses_nothing(world: World) -> None:
    with working(world):
        assert until(lambda: len(world.services.working.all()) == len(EVERY))
        assert until(lambda: all(job.state == "waiting" for job in world.services.working.all()))
    (world.folder / "queue.sqlite3").unlink(missing_ok=True)
    world.at += timedelta(minutes=2)
    assert sorted(world.services.working.run_due()) == EACH_MINUTE


def lose_the_queue(world: World) -> None:
    """Delete the queue as a careless hand would: the file, or the tables."""
    if not world.database_url:
        for path in world.folder.glob("queue.sqlite3*"):
            path.unlink()
        return
    for table in ("task", "schedule", "kv", "counter"):
        world.change(f"DROP TABLE huey_{table}")


def test_a_queue_that_is_lost_while_a_worker_runs_is_made_anew_and_stops_no_job(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The worker looks by itself when nobody wakes it, and mends the queue; after that a message wakes it again."""
    monkeypatch.setattr(waking, "SILENCE_S", 2.0)
    number = world.issue(sample(KAZAKHSTAN)).number
    with working(world):
        assert until(lambda: len(world.services.working.all()) == len(EVERY))
        lose_the_queue(world)
        world.services.working.add("re-verify", number=number, actor="test")
        assert until(lambda: single(world).state == "done")
        monkeypatch.setattr(waking, "SILENCE_S", 3600.0)
        world.services.working.add("scrub", actor="test")
        waking.wake(world.services)
        assert until(lambda: {job.state for job in world.services.working.all()} == {"waiting", "done"})


def test_a_job_that_is_added_wakes_the_worker_at_once(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waking, "SILENCE_S", 3600.0)
    number = world.issue(sample(KAZAKHSTAN)).number
    world.services.working.run_due()
    with working(world) as queue:
        queue._looked_at = time.monotonic()
        world.services.working.add("re-verify", number=number, actor="test")
        begun = time.monotonic()
        waking.wake(world.services)
        assert until(lambda: single(world).state == "done", within_s=15)
        assert time.monotonic() - begun < 10
    assert single(world).progress == f"{number}: VALID"


def test_a_job_that_nobody_woke_a_worker_for_is_noticed_soon(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waking, "crontab", lambda **_: lambda _at: False)  # the queue never wakes
    with working(world):
        assert until(lambda: any(job.kind == "prune" and job.progress for job in world.services.working.all()))
        with world.services.database.write() as tx:
            jobs.enqueue(tx, "scrub", {}, at=world.at)
        assert until(lambda: single(world).state == "done", within_s=waking.SILENCE_S / 3)


def test_a_worker_that_nobody_waits_for_does_not_look(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    queue, looks = waking.Queue(world.services), []
    monkeypatch.setattr(queue, "look", lambda: looks.append(1))
    queue._looked_at = time.monotonic()
    world.at += timedelta(minutes=2)  # what is periodic is due, and waits for the minute
    for _ in range(3):
        queue._notice_at = 0.0
        queue.look_if_needed()
    assert looks == []
    with world.services.database.write() as tx:
        jobs.enqueue(tx, "scrub", {}, at=world.at)
    queue.look_if_needed()  # asked a moment ago
    assert looks == []
    queue._notice_at = 0.0
    queue.look_if_needed()
    assert looks == [1]
    queue.close()


def test_a_register_that_fails_is_asked_more_and_more_seldom(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    queue, pauses = waking.Queue(world.services), []
    queue._looked_at = time.monotonic()

    def gone() -> bool:
        raise RegisterUnavailable("gone")

    monkeypatch.setattr(world.services.working, "is_awaited", gone)
    for _ in range(8):
        queue._notice_at = 0.0
        queue.look_if_needed()
        pauses.append(queue._notice_s)
    assert pauses == sorted(pauses)
    assert pauses[-1] == 60.0
    monkeypatch.setattr(world.services.working, "is_awaited", lambda: False)
    queue._notice_at = 0.0
    queue.look_if_needed()
    assert queue._notice_s == waking.NOTICE_S
    queue.close()


def test_a_queue_that_cannot_be_reached_keeps_nobody_from_adding_a_job(world: World) -> None:
    world.overrides = {"SIGNER_QUEUE_URL": f"sqlite:///{world.folder}/no-such-folder/queue.sqlite3"}
    world.rewire()
    number = world.issue(sample(KAZAKHSTAN)).number
    world.services.working.add("re-verify", number=number, actor="test")
    waking.wake(world.services)
    with pytest.raises(Misconfigured, match="no-such-folder"):
        waking.Queue(world.services)
    assert waking.examine(world.services).health == "warning"
    assert "re-verify" in world.services.working.run_due()
    assert single(world).state == "done"


def test_the_queue_may_be_elsewhere_than_the_register(world: World, server: postgres.Server) -> None:
    place = server.create() if not world.database_url else f"sqlite:///{world.folder}/elsewhere.sqlite3"
    world.overrides = {"SIGNER_QUEUE_URL": place}
    world.rewire()
    with working(world):
        assert until(lambda: len(world.services.working.all()) == len(EVERY))
    assert waking.examine(world.services).health == "ok"
    if world.database_url:
        assert (world.folder / "elsewhere.sqlite3").exists()
    else:
        assert not (world.folder / "queue.sqlite3").exists()
        server.drop(place)


@pytest.mark.parametrize("url", ["redis://localhost", "sqlite://", "sqlite:///", "queue.sqlite3", "postgresql://host"])
def test_a_queue_of_no_kind_of_ours_is_refused(world: World, url: str) -> None:
    world.overrides = {"SIGNER_QUEUE_URL": url}
    with pytest.raises(Misconfigured, match="SIGNER_QUEUE_URL"):
        world.rewire()


def test_a_job_is_added_with_what_makes_it_needed_or_not_at_all(world: World) -> None:
    def add_and_fail() -> None:
        with world.services.database.write() as tx:
            jobs.enqueue(tx, "scrub", {}, at=world.at)
            raise NotFound("what it belongs to")

    with pytest.raises(NotFound):
        add_and_fail()
    assert world.services.working.all() == ()


def test_a_job_that_waits_already_is_not_added_twice_and_one_that_is_done_is(world: World) -> None:
    add = world.services.working.add
    first = add("scrub", actor="test")
    assert add("scrub", actor="test") == first
    world.services.working.run_due()
    assert (single(world).state, single(world).progress) == ("done", "0 sound")
    assert add("scrub", actor="test") != first


def test_a_job_says_what_it_needs(world: World) -> None:
    add = world.services.working.add
    for kind, number in (("prune", None), ("re-verify", None), ("scrub", Number.draw(lambda _: 7))):
        with pytest.raises(InvalidInput):
            add(kind, number=number, actor="test")
    with world.services.database.write() as tx, pytest.raises(InvalidInput, match="1000"):
        jobs.enqueue(tx, "scrub", {"x": "x" * 1000}, at=world.at)


def test_a_job_that_fails_too_often_is_given_up_named_and_tried_again_on_demand(world: World) -> None:
    world.services.working.add("re-verify", number=Number.draw(lambda _: 7), actor="test")
    for attempt in range(1, jobs.MOST_ATTEMPTS + 1):
        world.services.working.run_due()
        found = single(world)
        assert (found.attempts, found.state) == (attempt, "waiting" if attempt < jobs.MOST_ATTEMPTS else "failed")
        world.at = found.next_at
    assert "not-found" in (found.error or "")
    world.at += timedelta(days=1)
    assert "re-verify" in world.services.working.run_due()  # the periodic one
    assert single(world).attempts == jobs.MOST_ATTEMPTS
    (told,) = [one.detail for one in world.services.doctor.examine() if one.part == "jobs"]
    assert f"`signer jobs retry {found.id}`" in told
    world.services.working.retry(found.id, actor="test")
    world.services.working.run_due()
    assert single(world).attempts == 1
    with pytest.raises(NotFound):
        world.services.working.retry(99, actor="test")


def test_old_jobs_are_forgotten_the_failed_ones_later(world: World) -> None:
    world.services.working.add("scrub", actor="test")
    world.services.working.run_due()
    world.services.working.add("settle", number=Number.draw(lambda _: 7), actor="test")
    for _ in range(jobs.MOST_ATTEMPTS):
        world.services.working.run_due()
        world.at += timedelta(hours=1)
    world.at += timedelta(days=8)
    world.services.working.run_due()
    assert single(world).kind == "settle"
    world.at += timedelta(days=90)
    world.services.working.run_due()
    assert all(job.is_periodic for job in world.services.working.all())


def test_how_far_a_job_is_can_be_read_while_it_runs_and_keeps_others_from_it(world: World) -> None:
    seen: list[tuple[str | None, list[jobs.Job | None]]] = []

    def slow(given: Doing) -> str:
        given.tell("1 of 2")
        world.at += jobs.LEASE - timedelta(minutes=1)
        given.tell("2 of 2")
        world.at += jobs.LEASE - timedelta(minutes=1)
        with world.services.database.write() as tx:
            others = [jobs.take(tx, at=world.at) for _ in range(6)]
        seen.append((single(world).progress, [job for job in others if job and not job.is_periodic]))
        return "all"

    doing(world, "scrub", slow)
    world.services.working.add("scrub", actor="test")
    world.services.working.run_due()
    assert seen == [("2 of 2", [])]
    assert (single(world).state, single(world).progress) == ("done", "all")


def test_a_worker_that_lost_its_job_is_told_so_and_stops(world: World) -> None:
    stopped: list[Conflict] = []

    def overtaken(given: Doing) -> str:
        world.at += jobs.LEASE
        with world.services.database.write() as tx:
            while (heir := jobs.take(tx, at=world.at)) is not None and heir.is_periodic:
                pass
        try:
            given.tell("still here")
        except Conflict as error:
            stopped.append(error)
            raise
        return "not reached"

    doing(world, "scrub", overtaken)
    world.services.working.add("scrub", actor="test")
    world.services.working.run_due()
    assert len(stopped) == 1
    assert (single(world).state, single(world).progress, single(world).error) == ("running", None, None)


def test_a_clock_that_goes_back_an_hour_stops_no_job(world: World) -> None:
    world.services.working.run_due()
    world.at -= timedelta(hours=1)
    assert sorted(world.services.working.run_due()) == sorted(EVERY)
    assert world.services.working.run_due() == ()
    world.at += timedelta(minutes=1)
    assert sorted(world.services.working.run_due()) == EACH_MINUTE


def test_a_clock_that_goes_back_leaves_no_job_with_a_dead_worker(world: World) -> None:
    world.services.working.add("scrub", actor="test")
    with world.services.database.write() as tx:
        assert jobs.take(tx, at=world.at) is not None
    world.at -= timedelta(hours=1)
    assert "scrub" in world.services.working.run_due()
    assert single(world).state == "done"


def test_two_clocks_that_differ_by_a_second_do_no_job_twice(world: World) -> None:
    world.services.working.run_due()
    world.at -= timedelta(seconds=1)
    assert world.services.working.run_due() == ()


def test_a_job_whose_worker_was_killed_is_done_by_another_once_its_lease_is_over(world: World) -> None:
    world.at = datetime.now(UTC)
    world.services.working.add("scrub", actor="test")
    assert ended(process(world, dies=True)) == -signal.SIGKILL
    assert (single(world).state, single(world).progress) == ("running", "half")
    world.at = datetime.now(UTC)
    assert "scrub" not in world.services.working.run_due()
    world.at = datetime.now(UTC) + jobs.LEASE
    assert "scrub" in world.services.working.run_due()
    assert (single(world).state, single(world).progress) == ("done", "0 sound")


def test_two_workers_in_processes_of_their_own_do_each_job_once(world: World) -> None:
    world.at = datetime.now(UTC) - timedelta(minutes=2)  # what is asked of a seal must speak of a later second
    number = world.issue(sample(KAZAKHSTAN, today=world.at.date())).number
    world.services.working.add("re-verify", number=number, actor="test")
    workers = [process(world) for _ in range(2)]
    assert [ended(worker) for worker in workers] == [0, 0]
    found = world.services.working.all()
    assert {job.state for job in found} == {"waiting", "done"}
    assert {job.error for job in found} == {None}


def test_a_pending_number_is_settled_at_once_on_demand(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as lost:
        lost.setattr(world.services.issuing._sealing, "complete", interrupted)
        with pytest.raises(KeyboardInterrupt):
            world.issue(sample(KAZAKHSTAN))
    ((number,),) = world.rows("SELECT number FROM confirmations")
    world.services.working.add("settle", number=Number(number), actor="test")
    world.services.working.run_due()
    assert single(world).progress == f"{number} finished"
    assert world.rows("SELECT standing FROM confirmations") == [("issued",)]


def interrupted(_work: object) -> None:
    raise KeyboardInterrupt


def test_the_jobs_are_named_in_the_order_in_which_one_reads_them(world: World) -> None:
    world.services.working.add("scrub", actor="test")
    world.services.working.run_due()
    assert [job.kind for job in world.services.working.all()] == [*sorted(EVERY), "scrub"]
    assert json.loads(single(world).argument or "") == {}
