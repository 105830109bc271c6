"""kill -9 at every named step; PostgreSQL ends in the middle; a commit is cut off; the register's disk fails."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import cutting
import killing
import mishaps
import pytest
from mishaps import IN_TRANSACTION, Disk, Tally, interrupted
from world import KAZAKHSTAN, World, sample

from signer.errors import RegisterUnavailable, StorageUnavailable

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import postgres

KEY = killing.KEY
UNAVAILABLE = {RegisterUnavailable.code, StorageUnavailable.code}


@pytest.mark.parametrize("step", killing.STEPS)
def test_killed_at_any_step_nothing_is_lost_or_doubled(world: World, step: str) -> None:
    world.services.database.close()
    death = killing.issue_and_die(world, step, sample(KAZAKHSTAN))
    assert (death.code, death.step) == (-9, step)
    reserved = world.rows("SELECT number FROM confirmations")
    number = killing.settle_and_ask_again(world, sample(KAZAKHSTAN))
    assert killing.accounts(world) == {"issued": 1}
    assert reserved in ([], [(number,)])


def ends_of_postgresql() -> list[Any]:
    """Return (step, fault): a lost connection at every step; a restart at three, at all in soak."""
    few = ("reserved", "in transaction 2", "recorded")
    restarts = [pytest.param(step, "restart", marks=() if step in few else pytest.mark.soak) for step in killing.STEPS]
    return [*restarts, *((step, "connection lost") for step in killing.STEPS)]


@pytest.mark.parametrize("database", ["postgresql"])
@pytest.mark.parametrize(("step", "fault"), ends_of_postgresql())
def test_postgresql_ends_at_any_step(world: World, server: postgres.Server, step: str, fault: str) -> None:
    if server.folder is None and fault == "restart":
        pytest.skip("a named server is not restarted")
    tally = Tally(world)
    end = server.restart if fault == "restart" else lambda: mishaps.drop_connections(world)
    answer = interrupted(tally, sample(KAZAKHSTAN), KEY, step, lambda *_: end())
    assert (answer == RegisterUnavailable.code) == (step in IN_TRANSACTION)
    left = {"before reserve": {}, "in transaction 1": {}, "in transaction 2": {"abandoned": 1}}.get(step, {"issued": 1})
    assert killing.accounts(world) == left
    tally.recover(sample(KAZAKHSTAN), KEY)
    assert killing.accounts(world) == {**left, "issued": 1}
    assert (tally.lost(), tally.doubled()) == (0, 0)


@pytest.mark.parametrize("database", ["postgresql"])
@pytest.mark.parametrize(
    ("step", "is_heard", "left"),
    [
        ("in transaction 1", False, {}),
        ("in transaction 1", True, {"pending": 1}),
        ("before the file is stored", False, {"abandoned": 1}),
        ("before the file is stored", True, {"abandoned": 1}),
        ("in transaction 2", False, {"abandoned": 1}),
        ("in transaction 2", True, {"issued": 1}),
    ],
)
def test_a_connection_is_lost_on_commit(
    world: World, server: postgres.Server, step: str, is_heard: bool, left: dict[str, int]
) -> None:
    tally = Tally(world)
    with cutting.between(world, server) as line:
        answer = interrupted(tally, sample(KAZAKHSTAN), KEY, step, lambda *_: line.cut(is_heard=is_heard))
    assert (answer == RegisterUnavailable.code) == (left != {"issued": 1})
    assert dict(world.rows("SELECT standing, count(*) FROM confirmations GROUP BY standing")) == left
    tally.recover(sample(KAZAKHSTAN), KEY)
    assert killing.accounts(world) == {**{name: 1 for name in left if name == "abandoned"}, "issued": 1}
    assert (tally.lost(), tally.doubled()) == (0, 0)


@pytest.fixture
def disk(world: World, tmp_path: Path) -> Iterator[Disk]:
    """A deployment that lies, register and files, on a file system of its own."""
    with mishaps.small_disk(world, tmp_path / "disk", size="16m") as made:
        yield made


@pytest.mark.parametrize("database", ["sqlite"])
@pytest.mark.parametrize("step", killing.STEPS)
def test_the_disk_is_full_at_any_step(disk: Disk, step: str) -> None:
    tally = Tally(disk.world)
    answer = interrupted(tally, sample(KAZAKHSTAN), KEY, step, disk.fill)
    disk.clear()
    number = tally.recover(sample(KAZAKHSTAN), KEY)
    assert answer in ({number} if step == "recorded" else UNAVAILABLE)
    assert killing.accounts(disk.world)["issued"] == 1
    assert (tally.lost(), tally.doubled()) == (0, 0)


@pytest.mark.parametrize("database", ["sqlite"])
@pytest.mark.parametrize("step", [step for step in killing.STEPS if step not in IN_TRANSACTION])
def test_the_disk_is_read_only_from_any_step(disk: Disk, step: str) -> None:
    tally = Tally(disk.world)
    answer = interrupted(tally, sample(KAZAKHSTAN), KEY, step, disk.freeze)
    disk.thaw()
    number = tally.recover(sample(KAZAKHSTAN), KEY)
    assert answer in ({number} if step == "recorded" else UNAVAILABLE)
    assert killing.accounts(disk.world) == {"issued": 1}
    assert (tally.lost(), tally.doubled()) == (0, 0)
