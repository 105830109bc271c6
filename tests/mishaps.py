"""Faults that happen to a service, and the count of what they lost or doubled: once at every step, or at random."""

from __future__ import annotations

import hashlib
import os
import subprocess
import threading
import time
from collections import Counter
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import killing
import psycopg
import pytest
from world import YUNZHOU, World, as_bytes, copy

from signer import jobs
from signer.domain.number import Number
from signer.domain.verdict import Code, Outcome
from signer.errors import SignerError, StorageUnavailable
from signer.services.withdraw import Withdrawal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from signer.services.sealing import Issued

IN_TRANSACTION = ("before reserve", "in transaction 1", "in transaction 2")
"""Steps inside a writing transaction: the register is open there."""
SEALING = ("reserved", "rendered", "sealed", "checked", "before the file is stored", "stored")
"""Steps between the two transactions."""
BACK = timedelta(hours=1)
_CODES = {
    "issued": Code.VALID,
    "superseded": Code.SUPERSEDED,
    "withdrawn": Code.WITHDRAWN,
}


@dataclass
class Tally:
    """What was asked for and what was handed out, by key; `answers` counts documents and errors' codes."""

    world: World
    answers: Counter[str] = field(default_factory=Counter)
    documents: dict[str, set[tuple[str, str]]] = field(default_factory=dict)

    @property
    def runs(self) -> int:
        return len(self.documents)

    def ask(self, plain: Any, key: str, *, suffix: str = "", world: World | None = None, **people: str) -> str:
        """Ask for a document; return its number, or an error's code."""
        self.documents.setdefault(key, set())
        try:
            issued = (world or self.world).issue(plain, key=f"{key}{suffix}", **people)
        except SignerError as error:
            self.answers[error.code] += 1
            return error.code
        self.note(key, issued)
        return str(issued.number)

    def note(self, key: str, issued: Issued) -> None:
        self.answers["issued"] += 1
        self.documents.setdefault(key, set()).add((str(issued.number), hashlib.sha256(issued.pdf).hexdigest()))

    def recover(self, plain: Any, key: str) -> str:
        """Let maintenance do its work, then ask again: with the same key, or a new one if its number is abandoned."""
        self.world.at += timedelta(minutes=1)
        self.world.services.maintaining.settle(timedelta(seconds=30))
        answer = self.ask(plain, key)
        if answer == "conflict":
            found = "SELECT c.standing FROM idempotency i JOIN confirmations c ON c.id = i.confirmation_id"
            assert self.world.rows(f"{found} WHERE i.key = '{key}'") == [("abandoned",)]
            answer = self.ask(plain, key, suffix="-again")
        return answer

    def lost(self) -> int:
        """Count keys without a document, documents that are not kept or not what they were, and numbers left over."""
        kept = sum(self._is_kept(*document) for documents in self.documents.values() for document in documents)
        ((pending,),) = self.world.rows("SELECT count(*) FROM confirmations WHERE standing = 'pending'")
        handed_out = sum(map(len, self.documents.values()))
        return sum(not found for found in self.documents.values()) + handed_out - kept + int(pending)

    def doubled(self) -> int:
        """Count keys with two documents, and vehicles in force twice."""
        live = "SELECT vin FROM lines WHERE standing IN ('issued', 'suspended') GROUP BY vin HAVING count(*) > 1"
        return sum(len(found) > 1 for found in self.documents.values()) + len(self.world.rows(live))

    def _is_kept(self, number: str, digest: str) -> bool:
        try:
            pdf = self.world.services.issuing.fetch(Number(number))
        except SignerError:
            return False
        ((standing,),) = self.world.rows(f"SELECT standing FROM confirmations WHERE number = '{number}'")
        is_same = hashlib.sha256(pdf).hexdigest() == digest
        return is_same and self.world.verify(pdf).code is _CODES[standing]


def interrupted(tally: Tally, plain: Any, key: str, step: str, act: Callable[..., object]) -> str:
    """Ask for a document while something happens at a step; return its number, or an error's code."""
    with killing.at_step(tally.world, step, act):
        return tally.ask(plain, key)


def drop_connections(world: World) -> None:
    """End every connection of the deployment's PostgreSQL database."""
    ending = "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = current_database()"
    with psycopg.connect(world.database_url) as other:
        other.execute(f"{ending} AND pid <> pg_backend_pid()".encode())


@dataclass
class Disk:
    """The file system that a deployment on SQLite lies on: it gets full, or read-only, and is mended."""

    world: World
    folder: Path

    @property
    def _filler(self) -> Path:
        return self.folder / "filler"

    def fill(self, *_given: Any) -> None:
        with self._filler.open("wb", buffering=0) as out:
            for size in (1 << 16, 1 << 12):
                with suppress(OSError):
                    while True:
                        out.write(bytes(size))

    def clear(self) -> None:
        self._filler.unlink(missing_ok=True)

    def freeze(self, *_given: Any) -> None:
        """Allow no more writing. Whatever is open for writing is closed first, as the kernel wants it."""
        self._remount("ro")

    def thaw(self) -> None:
        self._remount("rw")

    def _remount(self, option: str) -> None:
        self.world.services.database.close()
        subprocess.run(["mount", "-o", f"remount,{option}", str(self.folder)], check=True)


@contextmanager
def small_disk(world: World, folder: Path, *, size: str) -> Iterator[Disk]:
    """Move a deployment on SQLite, register and files, to a small file system of its own, which it may fill."""
    folder.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)], check=False).returncode:
        pytest.skip("this machine allows no mounts")
    try:
        world.services.database.close()
        moved = World(copy(world.folder, folder / "data"), overrides={"SIGNER_DISK_STOP_MB": "0"})
        yield Disk(moved, folder)
        moved.services.database.close()
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def turn_back(world: World) -> None:
    world.at -= BACK


def cut_short(tally: Tally, plain: Any, key: str, step: str, *, share: float) -> None:
    """Leave only a share of a file just stored, at a step; it is refused and named until its bytes are put back."""
    world, kept = tally.world, list[tuple[Path, bytes]]()
    known = set((world.folder / "blobs").glob("??/*"))

    def cut(*_given: Any) -> None:
        (path,) = set((world.folder / "blobs").glob("??/*")) - known
        kept.append((path, path.read_bytes()))
        os.truncate(path, int(share * path.stat().st_size))

    number = interrupted(tally, plain, key, step, cut)
    ((path, whole),) = kept
    for ask in (lambda: world.services.issuing.fetch(Number(number)), lambda: world.issue(plain, key=key)):
        with pytest.raises(StorageUnavailable, match="damaged"):
            ask()
    assert world.services.keeping.scrub().damaged == (number,)
    assert world.verify(path.read_bytes()).outcome is not Outcome.PASS
    assert world.verify(whole).code is Code.VALID
    world.services.issuing._blobs.put(whole)


def leave_pending(world: World, plain: Any, key: str) -> None:
    """Reserve a number and go no further, as a process that ends does; let it be old enough to be finished."""
    with killing.at_step(world, "reserved", _end), suppress(_Ended):
        world.issue(plain, key=key)
    world.at += timedelta(minutes=11)


class _Ended(BaseException):
    """What stands for the end of a process: nothing catches it."""


def _end(*_given: Any) -> None:
    raise _Ended


def lose_the_queue(world: World) -> None:
    """Delete the queue as a careless hand would: the file, or the tables."""
    if not world.database_url:
        for path in world.folder.glob("queue.sqlite3*"):
            path.unlink()
        return
    for table in ("task", "schedule", "kv", "counter"):
        world.change(f"DROP TABLE huey_{table}")


def finish_without_queue(world: World, step: str) -> None:
    """Let a worker that the queue woke finish a pending record, and delete the queue when it reaches a step."""
    lost = threading.Event()
    queue = jobs.Queue(world.services)
    consumer = jobs.consumer(queue)
    with killing.at_step(world, step, lambda *_: (lose_the_queue(world), lost.set())):
        consumer.start()
        with suppress(*jobs._BROKEN):  # it looks by itself when it starts, and may have lost the queue already
            queue.wake()
        assert lost.wait(60)
        consumer.stop(graceful=True)
    queue.close()


@contextmanager
def crew(world: World, count: int) -> Iterator[list[World]]:
    """Wire a deployment so many times more, as other processes would."""
    made = [world.another() for _ in range(count)]
    try:
        yield made
    finally:
        for each in made:
            each.services.database.close()


def at_once(workers: list[World], act: Callable[[World, int], str]) -> list[str]:
    """Let all do something at the same time, in threads of their own; return the answers and the errors' codes."""
    answers: list[str] = []
    ready = threading.Barrier(len(workers))

    def run(mine: World, place: int) -> None:
        ready.wait()
        try:
            answers.append(act(mine, place))
        except SignerError as error:
            answers.append(error.code)

    threads = [threading.Thread(target=run, args=(mine, place)) for place, mine in enumerate(workers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


def issue_at_once(tally: Tally, plain: Any, key: str, workers: list[World]) -> list[str]:
    """Let all issue for the same vehicles at the same time, each with a key of its own; return their answers."""
    return at_once(workers, lambda mine, place: tally.ask(plain, key, suffix=f"-{place}", world=mine))


def write_at_once(workers: list[World], *, turns: int = 20) -> list[str]:
    """Let all write at the same time, each so often; return their answers."""

    def write(mine: World, place: int) -> str:
        for turn in range(turns):
            mine.services.people.load(as_bytes({"people": [{"id": f"p{place}", "name": f"N{turn}"}]}), actor="test")
        return "done"

    return at_once(workers, write)


def second_approver(world: World) -> str:
    """Let another person approve for Yunzhou; return who."""
    person, uscc = "wu.sample", "91440000MA0YX01AAY"
    member = {"person": person, "manufacturer": uscc, "roles": ["approver"]}
    known = {"people": [{"id": person, "name": "吴样例"}], "memberships": [member]}
    world.services.people.load(as_bytes(known), actor="test")
    return person


def approve_at_once(tally: Tally, plain: Any, key: str, workers: list[World], approvers: tuple[str, ...]) -> list[str]:
    """Let each approver approve the same draft at the same time; return their answers."""
    return at_once(workers, lambda mine, place: tally.ask(plain, key, world=mine, approver=approvers[place]))


def supersede_and_withdraw(
    tally: Tally, newer: Any, key: str, workers: list[World], pauses: tuple[float, ...] = (0, 0, 0, 0)
) -> list[str]:
    """Replace a confirmation twice while it is withdrawn twice, each after a pause; return the answers."""

    def act(mine: World, place: int) -> str:
        time.sleep(pauses[place])
        if place % 2:
            return withdraw(mine, newer["supersedes"])
        return tally.ask(newer, key, suffix=f"-{place}", world=mine)

    return at_once(workers, act)


def withdraw(world: World, number: Any) -> str:
    wanted = Withdrawal(
        number=Number(number), manufacturer=YUNZHOU, by="chen.sample", second="lin.sample", reason="error"
    )
    world.services.ending.withdraw(wanted)
    return "withdrawn"
