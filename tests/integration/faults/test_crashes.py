"""kill -9 at every named step; PostgreSQL ends in the middle; a commit is cut off; the register's disk is full."""

from __future__ import annotations

import os
import subprocess
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import killing
import psycopg
import pytest
import world as worlds
from world import KAZAKHSTAN, World, sample

from signer.domain.verdict import Code
from signer.errors import RegisterUnavailable
from signer.register import confirmations

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    import postgres


@pytest.mark.parametrize("step", killing.STEPS)
def test_killed_at_any_step_nothing_is_lost_or_doubled(world: World, step: str) -> None:
    world.services.database.close()
    assert killing.issue_and_die(world, step, sample(KAZAKHSTAN)) == -9
    reserved = world.rows("SELECT number FROM confirmations")
    number = killing.settle_and_ask_again(world, sample(KAZAKHSTAN))
    assert killing.accounts(world) == {"issued": 1}
    assert reserved in ([], [(number,)])


def on_call(monkeypatch: pytest.MonkeyPatch, name: str, act: Callable[[Any], None]) -> None:
    """Do something after one of the register's two writes was made, before it is committed."""
    action = getattr(confirmations, name)

    def then(tx: Any, *given: Any, **named: Any) -> Any:
        found = action(tx, *given, **named)
        act(tx)
        monkeypatch.setattr(confirmations, name, action)
        return found

    monkeypatch.setattr(confirmations, name, then)


@pytest.mark.parametrize("database", ["postgresql"])
@pytest.mark.parametrize(("write", "left"), [("reserve", {}), ("record", {"abandoned": 1})])
@pytest.mark.parametrize("fault", ["restart", "connection lost on commit"])
def test_postgresql_ends_in_a_transaction(
    world: World, server: postgres.Server, monkeypatch: pytest.MonkeyPatch, write: str, left: dict[str, int], fault: str
) -> None:
    if server.folder is None and fault == "restart":
        pytest.skip("a named server is not restarted")

    def end(tx: Any) -> None:
        if fault == "restart":
            server.restart()
        else:
            ((pid,),) = tx.exec_driver_sql("SELECT pg_backend_pid()").all()
            with psycopg.connect(world.database_url) as other:
                other.execute("SELECT pg_terminate_backend(%s)", (pid,))

    on_call(monkeypatch, write, end)
    with pytest.raises(RegisterUnavailable):
        world.issue(sample(KAZAKHSTAN))
    assert killing.accounts(world) == left
    assert world.verify(world.issue(sample(KAZAKHSTAN)).pdf).code is Code.VALID
    assert killing.accounts(world) == {**left, "issued": 1}


@pytest.mark.parametrize("database", ["postgresql"])
def test_postgresql_restarts_while_a_page_is_sealed(
    world: World, server: postgres.Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    if server.folder is None:
        pytest.skip("a named server is not restarted")
    seal = world.services.issuing._seals.seal

    def restarted(*given: Any, **named: Any) -> Any:
        server.restart()
        return seal(*given, **named)

    monkeypatch.setattr(world.services.issuing._seals, "seal", restarted)
    assert world.verify(world.issue(sample(KAZAKHSTAN)).pdf).code is Code.VALID
    assert killing.accounts(world) == {"issued": 1}


@pytest.fixture
def tight(world: World, tmp_path: Path) -> Iterator[tuple[World, Path]]:
    """A deployment on a file system that a file `filler` leaves no room on."""
    if os.geteuid() != 0:
        pytest.skip("only root may mount a file system")
    disk = tmp_path / "disk"
    disk.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16m", "tmpfs", str(disk)], check=False).returncode:
        pytest.skip("this machine allows no mounts")
    world.services.database.close()
    moved = worlds.World(worlds.copy(world.folder, disk / "data"))
    yield moved, disk / "filler"
    moved.services.database.close()
    subprocess.run(["umount", str(disk)], check=True)


@pytest.mark.parametrize("database", ["sqlite"])
@pytest.mark.parametrize("write", ["reserve", "record"])
def test_the_register_s_own_disk_is_full(
    tight: tuple[World, Path], monkeypatch: pytest.MonkeyPatch, write: str
) -> None:
    world, filler = tight

    def fill() -> None:
        with filler.open("wb", buffering=0) as out, suppress(OSError):
            while True:
                out.write(b"\0" * 4096)

    action = getattr(confirmations, write)
    monkeypatch.setattr(confirmations, write, lambda *given, **named: (fill(), action(*given, **named))[1])
    with pytest.raises(RegisterUnavailable, match="full"):
        world.issue(sample(KAZAKHSTAN), key=killing.KEY)
    monkeypatch.setattr(confirmations, write, action)
    filler.unlink()
    killing.settle_and_ask_again(world, sample(KAZAKHSTAN))
    assert killing.accounts(world) == {"issued": 1}
