"""
Where the processor time of issuing goes: `steps.py`, run alone, prints one line a step (medians of one warm process).

The self-check's child counts with its own time, which is asked of the kernel.
"""

from __future__ import annotations

import argparse
import functools
import statistics
import sys
import time
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parent.parent)]

import issuing  # noqa: E402 -- the path is set above
import processor  # noqa: E402

from signer import logs  # noqa: E402
from signer.document import finish, lint, page  # noqa: E402
from signer.register import confirmations  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Callable

    from world import World

Taken = dict[str, float]


def places(world: World) -> list[tuple[str, Any, str]]:
    """Return the steps: what it is called, and the function that does it; an inner one is taken off its outer one."""
    issue = world.services.issuing
    sealing = issue._sealing
    render, seals, verifying = issue._page._renderer, issue._seals, sealing._verifying
    return [
        ("rules and reads", issue, "_prepare"),
        ("transaction 1", issue, "_reserve"),
        ("code on paper", sealing._proving._paper, "codes"),
        ("log: intent, proof", sealing._proving._logbook, "wait_for"),
        ("page as data", page, "build"),
        ("Typst", render, "_compile"),
        ("field, ligatures", finish, "finish"),
        ("lint", lint, "lint"),
        ("seal", seals, "seal"),
        ("token", seals.witnesses.timestamper(), "stamp"),
        ("self-check: judge", verifying, "_judge"),
        ("self-check: rest", sealing, "_self_check"),
        ("store", sealing._blobs, "put"),
        ("transaction 2", confirmations, "record"),
        ("log: issued", sealing._proving, "recorded"),
        ("all else", issue, "issue"),
    ]


def watch(world: World, taken: Taken) -> None:
    """Let every step note its own time: what it took, less what the steps inside took."""
    inside = [0.0]
    for name, owner, attribute in places(world):
        setattr(owner, attribute, _timed(name, getattr(owner, attribute), taken, inside))


def _timed(name: str, step: Callable[..., Any], taken: Taken, inside: list[float]) -> Callable[..., Any]:
    @functools.wraps(step)
    def timed(*args: Any, **kwargs: Any) -> Any:
        before, inside[0] = inside[0], 0.0
        begun = time.process_time()
        try:
            return step(*args, **kwargs)
        finally:
            whole = time.process_time() - begun
            taken[name] += 1000 * (whole - inside[0])
            inside[0] = before + whole

    return timed


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=60)
    parser.add_argument("--vehicles", type=int, default=3)
    given = parser.parse_args()
    logs.configure("error")
    made = issuing.EndToEnd(given.vehicles)
    for _ in range(5):
        made.prepare()
        made.ours()
    taken: Taken = defaultdict(float)
    watch(made.world, taken)
    rounds: list[Taken] = []
    before, begun = processor.used_s() - time.process_time(), time.perf_counter()
    for _ in range(given.rounds):
        made.prepare()
        taken.clear()
        made.ours()
        rounds.append(dict(taken))
    below = 1000 * (processor.used_s() - time.process_time() - before) / given.rounds
    wall = 1000 * (time.perf_counter() - begun) / given.rounds
    whole = 0.0
    for name, _, _ in places(made.world):
        median = statistics.median(one.get(name, 0.0) for one in rounds)
        whole += median
        print(f"{name:22} {median:7.2f}")
    print(f"{'in this process':22} {whole:7.2f}\n{'in its children':22} {below:7.2f}\n{'by the clock':22} {wall:7.2f}")


if __name__ == "__main__":
    main()
