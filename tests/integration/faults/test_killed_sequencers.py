"""kill -9 of a process that appends to the log, at every step: what is published is held, and nothing is lost."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from logged import leaves, naive_root, published, queue
from world import KAZAKHSTAN, sample

if TYPE_CHECKING:
    from world import World

TESTS = Path(__file__).resolve().parent.parent.parent
STEPS = ("log.append", "log.taken", "log.sign", "sequencing.publish", "heads.write_whole")
_CHILD = """
import os, signal, sys
from pathlib import Path
from datetime import datetime
sys.path.insert(0, sys.argv[1])
from world import World
from signer import logs
from signer.register import heads, log
logs.configure("error")
folder, url, at, step = sys.argv[2:]
world = World(Path(folder), at=datetime.fromisoformat(at), database_url=url)
sequencing = world.services.sequencing
place, name = step.split(".")
owner = {"log": log, "heads": heads, "sequencing": sequencing}[place]
action = getattr(owner, name)

def reached(*given, **named):
    if place != "sequencing":
        action(*given, **named)
    os.kill(os.getpid(), signal.SIGKILL)

setattr(owner, name, reached)
sequencing.run()
"""


@pytest.mark.parametrize("database", ["sqlite", pytest.param("postgresql", marks=pytest.mark.soak)])
@pytest.mark.parametrize(
    "step", [each if each == "sequencing.publish" else pytest.param(each, marks=pytest.mark.soak) for each in STEPS]
)
def test_killed_at_any_step_the_log_holds_what_it_published_and_the_next_goes_on(world: World, step: str) -> None:
    world.issue(sample(KAZAKHSTAN))
    queue(world, count=2)
    world.services.database.close()
    told = (str(TESTS), str(world.folder), world.database_url, world.at.isoformat(), step)
    ended = subprocess.run([sys.executable, "-c", _CHILD, *told], env={**os.environ}, check=False)
    assert ended.returncode == -signal.SIGKILL
    world.rewire()
    head = published(world).checkpoint
    assert head.root == naive_root(leaves(world)[: head.size])
    world.services.sequencing.run()
    assert published(world).checkpoint.size == len(set(leaves(world))) == 4
    assert published(world).checkpoint.root == naive_root(leaves(world))
