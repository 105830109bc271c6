"""Every other fault of the once-tests (integration/faults) at random points, many times over one register."""

from __future__ import annotations

import os
import random
import time
from collections import Counter
from typing import TYPE_CHECKING, Any

import cutting
import killing
import mishaps
import pytest
from mishaps import IN_TRANSACTION, Disk, Tally, crew, interrupted
from world import KAZAKHSTAN, World, fresh

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    import postgres

    Report = Callable[..., None]

COUNT = int(os.environ.get("SOAK_FAULTS", "50"))
SEED = int(os.environ.get("SOAK_SEED", "20261122"))
WRITERS, ISSUERS = 8, 32
pytestmark = pytest.mark.soak
on_postgresql = pytest.mark.parametrize("database", ["postgresql"])
on_both = pytest.mark.parametrize("database", ["sqlite", "postgresql"])
on_sqlite = pytest.mark.parametrize("database", ["sqlite"])


def turns(name: str) -> Iterator[tuple[random.Random, Any, str]]:
    """Yield chance, a draft of vehicles of its own, and a key, so many times; the seed is the fault's own."""
    chance = random.Random(f"{SEED} {name}")
    for place in range(COUNT):
        yield chance, fresh(KAZAKHSTAN, place), f"k{place}"


def counted(seen: Counter[str]) -> str:
    return ", ".join(f"{name} {count}" for name, count in sorted(seen.items()))


def issue_through(
    world: World,
    report: Report,
    name: str,
    act: Callable[[random.Random], object],
    *,
    mend: Callable[[], object] = lambda: None,
    steps: tuple[str, ...] = killing.STEPS,
) -> None:
    """Issue while something happens at a random step, mend it, and recover, again and again."""
    tally, seen = Tally(world), Counter[str]()
    for chance, plain, key in turns(name):
        step = chance.choice(steps)
        seen[step] += 1
        interrupted(tally, plain, key, step, lambda *_, chance=chance: act(chance))
        mend()
        tally.recover(plain, key)
    assert killing.accounts(world)["issued"] == COUNT
    report(name, tally, seed=SEED, seen=f"at: {counted(seen)}; answers: {counted(tally.answers)}")


@on_postgresql
def test_postgresql_restarts(world: World, server: postgres.Server, report: Report) -> None:
    if server.folder is None:
        pytest.skip("a named server is not restarted")
    issue_through(world, report, "PostgreSQL restarted", lambda _: server.restart())


@on_postgresql
def test_connections_are_lost(world: World, report: Report) -> None:
    issue_through(world, report, "connection lost", lambda _: mishaps.drop_connections(world))


@on_postgresql
def test_connections_are_lost_on_commit(world: World, server: postgres.Server, report: Report) -> None:
    with cutting.between(world, server) as line:
        issue_through(world, report, "connection lost on commit", line.cut_by_chance, steps=killing.STEPS[:-1])


@pytest.fixture
def disk(world: World, tmp_path: Path) -> Iterator[Disk]:
    """A deployment on SQLite that lies, register and files, on a file system of its own."""
    with mishaps.small_disk(world, tmp_path / "disk", size=f"{32 + COUNT}m") as made:
        yield made


@on_sqlite
@pytest.mark.parametrize("name", ["disk full", "disk read-only"])
def test_disks_fail(disk: Disk, report: Report, name: str) -> None:
    fail, mend = {"disk full": (disk.fill, disk.clear), "disk read-only": (disk.freeze, disk.thaw)}[name]
    steps = tuple(step for step in killing.STEPS if name == "disk full" or step not in IN_TRANSACTION)
    issue_through(disk.world, report, name, lambda _: fail(), steps=steps, mend=mend)


@on_both
def test_files_are_cut_short(world: World, report: Report) -> None:
    world.overrides = {"SIGNER_BLOB_URL": "disk:"}
    world.rewire()
    tally = Tally(world)
    for chance, plain, key in turns("file cut short"):
        step = chance.choice(("stored", "in transaction 2", "recorded"))
        mishaps.cut_short(tally, plain, key, step, share=chance.random())
    assert killing.accounts(world) == {"issued": COUNT}
    report("file cut short", tally, seed=SEED, seen="each refused and named, then mended")


@on_both
def test_two_approvers_approve_at_once(world: World, report: Report) -> None:
    tally, approvers = Tally(world), ("lin.sample", mishaps.second_approver(world))
    with crew(world, len(approvers)) as workers:
        for _, plain, key in turns("two approvers at once"):
            mishaps.approve_at_once(tally, plain, key, workers, approvers)
    assert killing.accounts(world) == {"issued": COUNT}
    report("two approvers at once", tally, seed=SEED, seen=counted(tally.answers))


@on_both
def test_32_issue_one_vehicle(world: World, report: Report) -> None:
    tally = Tally(world)
    with crew(world, ISSUERS) as workers:
        for _, plain, key in turns("32 issues of one vehicle"):
            mishaps.issue_at_once(tally, plain, key, workers)
    assert killing.accounts(world) == {"issued": COUNT}
    assert tally.answers == {"issued": COUNT, "conflict": COUNT * (ISSUERS - 1)}
    report("32 issues of one vehicle", tally, seed=SEED, seen=counted(tally.answers))


@on_both
def test_superseding_meets_withdrawing(world: World, report: Report) -> None:
    """Where the withdrawal came first and nothing could be superseded, the vehicles are free to be issued anew."""
    tally = Tally(world)
    with crew(world, 4) as workers:
        for chance, plain, key in turns("superseding while another withdraws"):
            begun = time.monotonic()
            newer = {**plain, "supersedes": tally.ask(plain, f"{key}-first")}
            usual_s = time.monotonic() - begun
            pauses = tuple(chance.uniform(0, 6 * usual_s if place % 2 else usual_s) for place in range(len(workers)))
            mishaps.supersede_and_withdraw(tally, newer, key, workers, pauses)
            if not tally.documents[key]:
                tally.ask(plain, key, suffix="-again")
    found = Counter(killing.accounts(world))
    assert found["superseded"] + found["withdrawn"] == COUNT
    report(
        "superseding while another withdraws",
        tally,
        seed=SEED,
        seen=f"left: {counted(found)}; answers: {counted(tally.answers)}",
    )


@on_sqlite
def test_eight_writers_meet_no_lock(world: World, report: Report) -> None:
    tally = Tally(world)
    with crew(world, WRITERS) as workers:
        for _, plain, key in turns("8 writers"):
            assert mishaps.write_at_once(workers) == ["done"] * WRITERS
            tally.ask(plain, key)
    report("8 writers", tally, seed=SEED, seen=f"{COUNT * WRITERS * 20} transactions, no lock error")


@on_both
def test_the_clock_goes_back(world: World, report: Report) -> None:
    def mend() -> None:
        world.at += mishaps.BACK

    issue_through(world, report, "clock back an hour", lambda _: mishaps.turn_back(world), mend=mend)


@on_both
def test_the_queue_is_deleted_in_the_middle_of_a_job(world: World, report: Report) -> None:
    tally, seen = Tally(world), Counter[str]()
    for chance, plain, key in turns("queue deleted mid-work"):
        step = chance.choice((*mishaps.SEALING, "recorded"))
        seen[step] += 1
        mishaps.leave_pending(world, plain, key)
        mishaps.finish_without_queue(world, step)
        tally.ask(plain, key)
    assert killing.accounts(world) == {"issued": COUNT}
    report("queue deleted mid-work", tally, seed=SEED, seen=f"at: {counted(seen)}")
