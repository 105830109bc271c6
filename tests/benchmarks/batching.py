"""A batch sealed by two worker processes: how long, at what cost an item, in how much memory, and who waits for it.

`BENCH_ITEMS` says how many vehicles the large batch has (10000 for the full measure), one confirmation each.
"""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import approvals
import handing_in
import registers
import world as worlds
from cases import Case
from handing_in import OWN

from signer.services.batching import Word

if TYPE_CHECKING:
    from collections.abc import Iterator

ITEMS = int(os.environ.get("BENCH_ITEMS", "10000"))
SIZES = tuple(size for size in (100, 1_000) if size < ITEMS)
WORKERS, MOST_MB = 2, 400.0
_MORE_BY, _TIMES = 1.2, 3.0
_WARM, _SINGLES = 20, 100
_PATIENCE = timedelta(hours=2)
_PAUSE_S = 0.2


def all_cases() -> Iterator[Case]:
    for kind in ("sqlite", "postgresql"):
        large = Sealed(kind, ITEMS)
        yield Case(
            name=f"batch.10k.{kind}",
            ours=large.minutes,
            peer=large.minutes_at_the_cost_of_few,
            peer_name=f"minutes for {ITEMS} items, 2 processes; peer: as many at the cost of each of {_few()}",
            target=1 / _MORE_BY,
            unit="min",
        )
        for sealed in (*(Sealed(kind, size) for size in SIZES), large):
            yield Case(
                name=f"batch.item.{sealed.size}.{kind}",
                ours=sealed.ms_an_item,
                peer=partial(_ms_of_few, kind),
                peer_name=f"from one item's end to the next, {WORKERS} processes; peer: among {_few()} items",
                target=1 / _MORE_BY,
                unit="ms/it",
            )
        yield Case(
            name=f"batch.memory.{kind}",
            ours=large.peak_mb,
            peer=lambda: MOST_MB,
            peer_name=f"the largest process of {WORKERS} workers and their children; peer: what each may take",
            target=1.0,
            unit="MB",
        )
    waiting = Waiting()
    yield Case(
        name="batch.person_p99",
        ours=waiting.meanwhile_ms,
        peer=waiting.idle_ms,
        peer_name=f"p99 of {_SINGLES} single issues while a batch runs; peer: on the idle system",
        target=1 / _TIMES,
        unit="p99",
    )


def _few() -> int:
    return min(SIZES, default=ITEMS)


def _ms_of_few(kind: str) -> float:
    return Sealed(kind, _few()).ms_an_item()


@dataclass(frozen=True)
class Measured:
    """What one batch took: from the approval to its end, an item in the middle of it, and the largest process."""

    wall_s: float
    item_ms: float
    peak_mb: float


_MEASURED: dict[tuple[str, int], Measured] = {}


@dataclass(frozen=True)
class Sealed:
    """One batch of so many items, sealed once; whoever asks again is told what was measured."""

    kind: str
    size: int

    @property
    def found(self) -> Measured:
        key = (self.kind, self.size)
        if key not in _MEASURED:
            with deployment(self.kind) as world:
                ref = ready(world, self.size)
                with workers(world) as running:
                    wall_s, peak_mb = _sealed(world, ref, running)
                _MEASURED[key] = Measured(wall_s, _item_ms(world), peak_mb)
        return _MEASURED[key]

    def minutes(self) -> float:
        return self.found.wall_s / 60

    def minutes_at_the_cost_of_few(self) -> float:
        return _ms_of_few(self.kind) * self.size / 60_000

    def ms_an_item(self) -> float:
        return self.found.item_ms

    def peak_mb(self) -> float:
        return self.found.peak_mb


def _item_ms(world: worlds.World) -> float:
    """Return the time from one item's end to the next, once the workers are warm."""
    ended = [datetime.fromisoformat(at) for (at,) in world.rows("SELECT ended_at FROM batch_items ORDER BY ended_at")]
    warm = ended[min(_WARM, len(ended) // 2) :]
    return (warm[-1] - warm[0]) / timedelta(milliseconds=1) / (len(warm) - 1)


@contextmanager
def deployment(kind: str) -> Iterator[worlds.World]:
    """Make a deployment of its own, by the clock of this machine: workers are processes and ask it."""
    folder, at = Path(tempfile.mkdtemp(prefix="bench-")), datetime.now(UTC)
    url = registers._server().create() if kind == "postgresql" else ""
    (folder / "data").mkdir()
    worlds.build(folder / "data", at=at, database_url=url)
    world = worlds.World(folder / "data", at=at, database_url=url)
    try:
        yield world
    finally:
        world.services.database.close()
        shutil.rmtree(folder)
        if url:
            registers._server().drop(url)


def ready(world: worlds.World, count: int) -> str:
    """Have a file of so many vehicles read and sent, each for a confirmation of its own."""
    approvals.draft(world, worlds.sample(worlds.KAZAKHSTAN, today=world.at.date()))  # whose commitment is taken over
    batching, rows = world.services.batching, handing_in.rows(count)
    for row in rows:
        row[3] = str(world.at.date() - timedelta(days=30))
    ref, _ = batching.hand_in(OWN, file_name="cars.csv", data=handing_in.as_csv(rows))
    batching.read(ref)
    shown = batching.find(OWN.maker, ref)
    assert shown.may_send, shown.report
    batching.send(ref, maker=OWN.maker, by=OWN.person)
    return ref


def approve(world: worlds.World, ref: str) -> None:
    world.at = datetime.now(UTC)
    root = (world.services.batching.find(OWN.maker, ref).head.root or b"").hex()
    said = Word(ref=ref, maker=OWN.maker, by=worlds.PEOPLE[worlds.YUNZHOU][1], root=root, factor="totp")
    world.services.batching.approve(said)


@contextmanager
def workers(world: worlds.World) -> Iterator[list[subprocess.Popen[bytes]]]:
    """Run workers as an operator does, until the block ends."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("SIGNER_")}
    told = {**clean, **world.environment, "SIGNER_LOG_LEVEL": "error"}
    command = [sys.executable, "-m", "signer", "worker"]
    running = [subprocess.Popen(command, env=told) for _ in range(WORKERS)]
    try:
        yield running
    finally:
        for each in running:
            each.terminate()
        for each in running:
            each.wait(60)


def _sealed(world: worlds.World, ref: str, running: list[subprocess.Popen[bytes]]) -> tuple[float, float]:
    """Approve a batch and wait for its end; return how long that took, and the peak of the largest process."""
    begun, peak_mb = time.perf_counter(), 0.0
    approve(world, ref)
    while not (head := world.services.batching.find(OWN.maker, ref).head).state.is_over:
        peak_mb = max(peak_mb, *(_peak_mb(process) for each in running for process in _family(each.pid)))
        if time.perf_counter() - begun > _PATIENCE.total_seconds():
            raise TimeoutError(f"{head}")
        time.sleep(_PAUSE_S)
    assert (head.done, head.failed) == (head.items, 0), head
    return time.perf_counter() - begun, peak_mb


def _family(pid: int) -> list[int]:
    """Return a process and its children, and theirs."""
    try:
        told = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii")
    except OSError:
        return [pid]
    return [pid, *(one for child in told.split() for one in _family(int(child)))]


def _peak_mb(pid: int) -> float:
    """Return the most memory that a process ever held (Linux), 0 for one that is gone."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines()
    except OSError:
        return 0.0
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM")), 0.0)


class Waiting:
    """A person issues one confirmation after another, on an idle system and while a batch is sealed."""

    @cached_property
    def _found(self) -> tuple[float, float]:
        with deployment("sqlite") as world, workers(world):
            ref = ready(world, ITEMS)
            idle = self._p99(world, 0)
            approve(world, ref)
            deadline = time.perf_counter() + 60
            while not world.services.batching.find(OWN.maker, ref).head.done and time.perf_counter() < deadline:
                time.sleep(_PAUSE_S)
            meanwhile = self._p99(world, _SINGLES + 10)
            head = world.services.batching.find(OWN.maker, ref).head
            if head.state.is_over:
                print(f"the batch was over before: BENCH_ITEMS={ITEMS} is too few", file=sys.stderr)
        return idle, meanwhile

    @staticmethod
    def _p99(world: worlds.World, start: int) -> float:
        taken = []
        for turn in range(start, start + _SINGLES + 5):
            world.at = datetime.now(UTC)
            plain: Any = worlds.sample(worlds.KAZAKHSTAN, today=world.at.date())
            for vehicle, other in zip(
                plain["vehicles"], worlds.fresh(worlds.KAZAKHSTAN, 100_000 + turn)["vehicles"], strict=True
            ):
                vehicle["vin"] = other["vin"]
            begun = time.perf_counter()
            world.issue(plain)
            taken.append((time.perf_counter() - begun) * 1000)
            time.sleep(_PAUSE_S / 4)
        return statistics.quantiles(taken[5:], n=100)[-1]

    def idle_ms(self) -> float:
        return self._found[0]

    def meanwhile_ms(self) -> float:
        return self._found[1]
