"""The transparency log: appending, proving, and what it adds to issuing when eight issue at once."""

from __future__ import annotations

import hashlib
import multiprocessing
import os
import time
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import world as worlds
from cases import Case
from pymerkle import InmemoryTree
from registers import Filled

from signer import logs
from signer.domain.log_leaf import LeafType
from signer.register import log

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from multiprocessing.connection import Connection

LEAVES = int(os.environ.get("BENCH_LEAVES", "100000"))
ISSUERS, EACH, TURNS = 8, 4, 3
_CONTEXT = multiprocessing.get_context("spawn")


def all_cases() -> Iterator[Case]:
    grown = Grown()
    yield Case(
        name="log.append_100k",
        ours=grown.append,
        peer=grown.hash_alone,
        peer_name=f"pymerkle in memory, the same {LEAVES} leaves, nothing kept or signed; the issue's bound is 5 s",
        unit="s",
    )
    yield Case(
        name="log.proof",
        ours=grown.prove,
        peer=grown.prove_in_memory,
        peer_name=f"pymerkle in memory proves a leaf among {LEAVES}; the issue's bound is 5 ms",
    )
    issuers = Issuers()
    yield Case(
        name="log.issue_overhead",
        ours=lambda: issuers.per_confirmation(with_log=True),
        peer=lambda: issuers.per_confirmation(with_log=False),
        peer_name=f"{ISSUERS} processes issue on PostgreSQL without waiting for the log (at most 1.15 times that)",
        unit="ms each",
    )


class Grown:
    """A log on SQLite into which everything goes that waits, a thousand leaves in a transaction."""

    @cached_property
    def _filled(self) -> Filled:
        filled = Filled("sqlite", LEAVES // 2, is_numbered=True)
        assert filled.issued
        with filled.world.services.database.write() as tx:
            tx.exec_driver_sql("DELETE FROM sqlite_stat1 WHERE tbl LIKE 'log%'")  # counted when the log was empty
            for place in range(LEAVES // 2):
                for kind in (LeafType.INTENT, LeafType.ISSUED):
                    digest = hashlib.sha256(f"{place}{kind}".encode()).digest()
                    log.queue(tx, kind, confirmation_id=100 + place, digest=digest, at=filled.world.at)
        filled.world.rewire()  # each connection keeps the counts that it has read
        return filled

    @property
    def _world(self) -> worlds.World:
        return self._filled.world

    @cached_property
    def _in_memory(self) -> InmemoryTree:
        found = [bytes(row[0]) for row in self._world.rows("SELECT leaf FROM log_leaves ORDER BY sequence")]
        tree = InmemoryTree(algorithm="sha256")
        for leaf in found:
            tree.append_entry(leaf)
        return tree

    def append(self) -> float:
        """Return how long it takes (s) until all of them are under a published head."""
        sequencing = self._world.services.sequencing
        begun = time.perf_counter()
        assert sequencing.drain() >= LEAVES
        return time.perf_counter() - begun

    def hash_alone(self) -> float:
        begun = time.perf_counter()
        tree = self._in_memory
        tree.get_state()
        return time.perf_counter() - begun

    def prove(self) -> None:
        self._world.services.sequencing.drain()
        assert self._world.services.logbook.proof(self._filled.issued.number, LeafType.ISSUED) is not None

    def prove_in_memory(self) -> None:
        self._world.services.sequencing.drain()
        self._in_memory.prove_inclusion(3)


@dataclass
class Issuers:
    """Eight processes that issue over one register on PostgreSQL, all at once, with the log and without, in turn."""

    taken: dict[bool, list[float]] = field(default_factory=lambda: {True: [], False: []})

    def per_confirmation(self, *, with_log: bool) -> float:
        """Return the best of three turns: wall time a confirmation (ms), the two ways taken in turn."""
        if not self.taken[with_log]:
            self._measure()
        return min(self.taken[with_log])

    def _measure(self) -> None:
        filled = Filled("postgresql", 0)
        world = filled.world
        world.services.database.close()
        lines, processes = [], []
        for place in range(ISSUERS):
            ours, theirs = _CONTEXT.Pipe()
            given = (place, str(world.folder), world.database_url, theirs)
            process = _CONTEXT.Process(target=_issue_when_told, args=given, daemon=True)
            process.start()
            lines.append(ours)
            processes.append(process)
        _ask(lines, (0, False))
        for turn in range(1, TURNS + 1):
            for with_log in (False, True):
                begun = time.perf_counter()
                _ask(lines, (2 * turn + with_log, with_log))
                self.taken[with_log].append(1000 * (time.perf_counter() - begun) / (ISSUERS * EACH))
        for line, process in zip(lines, processes, strict=True):
            line.send(None)
            process.join(30)


def _ask(lines: list[Connection], what: tuple[int, bool]) -> None:
    for line in lines:
        line.send(what)
    for line in lines:
        assert line.recv()


def _issue_when_told(place: int, folder: str, url: str, line: Connection) -> None:
    logs.configure("error")
    world = worlds.World(Path(folder), database_url=url)
    proving = world.services.issuing._sealing._proving
    book: Any = proving._logbook

    class NoLog:
        wait_for: Callable[..., None] = staticmethod(lambda *_, **__: None)
        soon: Callable[..., None] = staticmethod(lambda *_, **__: None)

    while (told := line.recv()) is not None:
        turn, with_log = told
        proving._logbook = book if with_log else NoLog()
        for one in range(EACH):
            world.issue(worlds.fresh(worlds.KAZAKHSTAN, (turn * ISSUERS + place) * EACH + one))
        line.send(True)
    world.services.database.close()
