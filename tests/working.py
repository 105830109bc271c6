"""Workers in processes of their own, by the machine's clock: forked from one that has imported the house."""

from __future__ import annotations

import multiprocessing
import os
import signal
from typing import TYPE_CHECKING, Any

from signer import settings, wiring

if TYPE_CHECKING:
    from multiprocessing.process import BaseProcess

    from world import World

_CONTEXT = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload(["signer.wiring"])


def process(world: World, *, dies: bool = False) -> BaseProcess:
    """Start a worker that does what is due; one that dies is killed in the middle of reading all files."""
    made = _CONTEXT.Process(target=_work, args=(world.environment, dies))
    made.start()
    return made


def ended(worker: BaseProcess) -> int | None:
    """Return how a worker ended: what it returned, or the signal that killed it as a negative number."""
    worker.join(60)
    return worker.exitcode


def _work(environment: dict[str, str], dies: bool) -> None:
    working = wiring.wire_ready(settings.load(environment)).working
    if dies:
        working._doing = {**working._doing, "scrub": _die}
    working.run_due()


def _die(doing: Any) -> None:
    doing.tell("half")
    os.kill(os.getpid(), signal.SIGKILL)
