"""Issuing in a process of its own that is killed (-9): at a named step, or from outside at any moment."""

from __future__ import annotations

import multiprocessing
import os
import signal
from typing import TYPE_CHECKING, Any

import world as worlds
from world import World

from signer.domain.verdict import Code
from signer.register import confirmations

if TYPE_CHECKING:
    from collections.abc import Callable
    from multiprocessing.synchronize import Event

STEPS = (
    "before reserve",
    "in transaction 1",
    "reserved",
    "rendered",
    "sealed",
    "checked",
    "before the file is stored",
    "stored",
    "in transaction 2",
    "recorded",
)
KEY = "one-key"
_CONTEXT = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload(["world"])


def issue_and_die(world: World, step: str, plain: Any, *, key: str = KEY) -> int:
    """Issue in a child that kills itself at a step; return its exit code (-9)."""
    return _ended(_start(world, plain, key, step))


def issue_and_be_killed(world: World, plain: Any, *, key: str, after_s: float) -> int:
    """Issue in a child, and kill it some time after it reserved its number; return its exit code: -9, or 0."""
    reserved = _CONTEXT.Event()
    child = _start(world, plain, key, reserved)
    assert reserved.wait(60)
    child.join(after_s)
    if child.exitcode is None:
        child.kill()
    return _ended(child)


def _start(world: World, plain: Any, key: str, trap: str | Event) -> multiprocessing.process.BaseProcess:
    made = (str(world.folder), world.database_url, world.overrides, world.at)
    child = _CONTEXT.Process(target=_issue, args=(made, plain, key, trap))
    child.start()
    return child


def _ended(child: multiprocessing.process.BaseProcess) -> int:
    child.join(120)
    code = child.exitcode
    child.close()
    assert code is not None
    return code


def _issue(made: tuple[Any, ...], plain: Any, key: str, trap: str | Event) -> None:
    folder, url, overrides, at = made
    world = World(worlds.Path(folder), at=at, database_url=url, overrides=overrides)
    if isinstance(trap, str):
        _set_trap(world, trap)
    else:
        complete = world.services.issuing._sealing.complete
        _replace(world.services.issuing._sealing, "complete", lambda work: (trap.set(), complete(work))[1])
    world.issue(plain, key=key)
    world.services.database.close()


def _set_trap(world: World, step: str) -> None:
    issuing = world.services.issuing
    sealing = issuing._sealing
    owner, name, is_after = {
        "before reserve": (confirmations, "reserve", False),
        "in transaction 1": (confirmations, "reserve", True),
        "reserved": (sealing, "complete", False),
        "rendered": (sealing._page, "render", True),
        "sealed": (sealing._seals, "seal", True),
        "checked": (sealing, "_self_check", True),
        "before the file is stored": (sealing._blobs, "put", False),
        "stored": (sealing._blobs, "put", True),
        "in transaction 2": (confirmations, "record", True),
        "recorded": (sealing, "complete", True),
    }[step]
    _replace(owner, name, _fatal(getattr(owner, name), is_after=is_after))


def _replace(owner: object, name: str, action: Callable[..., Any]) -> None:
    setattr(owner, name, action)


def _fatal(action: Callable[..., Any], *, is_after: bool) -> Callable[..., Any]:
    def trap(*given: Any, **named: Any) -> None:
        if is_after:
            action(*given, **named)
        os.kill(os.getpid(), signal.SIGKILL)

    return trap


def accounts(world: World) -> dict[str, int]:
    """Hold every promise of the register against its tables; return how many records stand how."""
    assert world.rows("SELECT count(*) FROM vin_claims WHERE slot = 'next'") == [(0,)]
    assert world.rows("SELECT count(*) FROM confirmations WHERE standing = 'pending'") == [(0,)]
    issued = "SELECT count(*) FROM confirmations WHERE recorded_at IS NOT NULL"
    assert world.rows("SELECT count(*) FROM files") == world.rows(issued)
    assert world.rows("SELECT count(*) FROM leaves WHERE type = 'issued'") == world.rows(issued)
    assert world.rows("SELECT count(*) FROM leaves WHERE type = 'intent'") == world.rows(
        "SELECT count(*) FROM confirmations"
    )
    live = "SELECT count(*) FROM lines WHERE standing IN ('issued', 'suspended')"
    assert world.rows("SELECT count(*) FROM vin_claims WHERE slot = 'live'") == world.rows(live)
    unused = "SELECT count(*) FROM confirmations c WHERE recorded_at IS NOT NULL AND NOT EXISTS"
    assert world.rows(f"{unused} (SELECT 1 FROM seal_uses u WHERE u.number = c.number)") == [(0,)]
    scrubbed = world.services.keeping.scrub()
    assert (scrubbed.damaged, scrubbed.missing) == ((), ())
    return dict(world.rows("SELECT standing, count(*) FROM confirmations GROUP BY standing"))


def settle_and_ask_again(world: World, plain: Any, *, key: str = KEY) -> str:
    """Let maintenance do its work, ask with the same key, and return the number of the one document."""
    world.at += worlds.timedelta(minutes=11)
    world.services.maintaining.settle()
    first, second = world.issue(plain, key=key), world.issue(plain, key=key)
    assert (first.number, first.pdf, second.is_replay) == (second.number, second.pdf, True)
    assert world.verify(first.pdf).code is Code.VALID
    return str(first.number)
