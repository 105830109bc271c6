"""
Run one task on one hostile file in a child process: no environment, no keys, bounded in every direction.

Each file has a child of its own, forked from a *nursery* and ended after its one answer; only children that have seen
nothing but files known to the caller take another. The nursery is a process that was started by exec with nothing of
ours (no keys, no environment, no open file, no thread) and that never sees a file: the file goes from us to the child
by a pipe. Knows nothing of what a task does.
Source: docs/reference/acceptance-rules.md, rule 4; docs/adr/0021-one-child-per-file.md, 0033-children-that-are-kept.md.
"""

from __future__ import annotations

import contextlib
import json
import math
import os
import re
import select
import signal
import struct
import time
from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Literal

from signer.errors import SignerError
from signer.sandbox import framing, keeper
from signer.sandbox.framing import ANSWER, FILE

if TYPE_CHECKING:
    from collections.abc import Callable

    from signer.sandbox.keeper import Cell

__all__ = ["ChildFailed", "Limits", "run", "standing_walls"]

FailureReason = Literal["CHILD_DIED", "TOO_SLOW", "OUTPUT_TOO_LARGE"]

_TASK = re.compile(r"signer(?:\.[a-z][a-z0-9_]*)+:[a-z][a-z0-9_]*")
_CHUNK = 1 << 18
_READ = 1 << 16


class ChildFailed(SignerError):
    """The child gave no answer; `reason` is CHILD_DIED, TOO_SLOW or OUTPUT_TOO_LARGE."""

    code = "child-failed"

    def __init__(self, reason: FailureReason, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a child may use. `memory_bytes` is address space, libraries included; `wall_s` counts from its start."""

    wall_s: float = 4.5
    cpu_s: int = 2
    memory_bytes: int = 1 << 30
    output_bytes: int = 1_000_000
    open_files: int = 32


def run(
    task: str,
    *,
    header: bytes,
    data: bytes,
    limits: Limits,
    taught: bytes = b"",
    is_clean: Callable[[bytes], bool] | None = None,
    meanwhile: Callable[[], object] | None = None,
) -> bytes:
    """
    Run a task in a child and return its answer.

    Args:
        task: `signer.some.module:function`; the function takes (header, data) and returns bytes.
        header: what the caller adds to the file, usually JSON.
        data: the hostile file.
        limits: the child's walls. The nursery's own start is not the file's, and does not count.
        taught: what the caller verified and every child may know, such as a trust list; the nursery hands it once to
            the module's `learn(taught)`, so that children are born with it. Never anything of a file, never a secret.
        is_clean: given only for a file that the caller knows, byte for byte, to be one of its own making: such a file
            may go to a child that took nothing but such files. It tells of an answer whether the child may take
            another. One of them that does not answer is replaced by a new child, within the same time.
        meanwhile: what is done while a child that takes known files works. It must not fail.

    Raises:
        ChildFailed: it died, was too slow or said too much; nothing of what it said is returned.

    """
    if not _TASK.fullmatch(task):
        raise ValueError(f"not a task: {task!r}")
    try:
        keeper.wake(task, _told(limits), taught)
        errand = _Errand(task, header, data, limits, taught, time.monotonic() + limits.wall_s)
        answer = _ask_kept(errand, is_clean, meanwhile) if is_clean is not None else None
        if answer is not None:
            return answer
        with keeper.open_cell(task, _told(limits), taught) as cell:
            return errand.talk(cell)[0]
    except keeper.NoNursery as error:
        raise ChildFailed("CHILD_DIED", str(error)) from error


def standing_walls() -> dict[str, bool]:
    """Let a child try to get out in every way, and return which wall held it: False for one that is missing."""
    answer = run("signer.sandbox.walls:probe", header=b"", data=b"", limits=Limits())
    return {str(name): stood is True for name, stood in json.loads(answer).items()}


@lru_cache(maxsize=16)
def _told(limits: Limits) -> dict[str, object]:
    return asdict(limits)


def _ask_kept(
    errand: _Errand, is_clean: Callable[[bytes], bool], meanwhile: Callable[[], object] | None
) -> bytes | None:
    """Ask a child that takes known files; None if it was a used one and gave no answer. Raises ChildFailed."""
    with keeper.known_cell(errand.task, _told(errand.limits), errand.taught) as cell:
        try:
            answer, is_ready = errand.talk(cell, meanwhile or _nothing, may_follow=True)
        except ChildFailed:
            if cell.files:
                return None
            raise
        if is_ready and is_clean(answer):
            cell.keep()
        return answer


def _nothing() -> None:
    """Do nothing meanwhile."""


@dataclass(frozen=True, slots=True)
class _Errand:
    """One file on its way to a child and back; `deadline` is that of the answer, whoever gives it."""

    task: str
    header: bytes
    data: bytes
    limits: Limits
    taught: bytes
    deadline: float

    def talk(
        self, cell: Cell, meanwhile: Callable[[], object] = _nothing, *, may_follow: bool = False
    ) -> tuple[bytes, bool]:
        """Return a child's answer, and whether it will take another file. Raises ChildFailed."""
        is_lent = cell.lend(self.data)
        head = FILE.pack(len(self.header), len(self.data), may_follow, is_lent) + self.header
        payload = memoryview(head if is_lent else head + self.data)
        payload = payload[_write(cell.into, payload) :]
        meanwhile()
        output = _exchange(cell, payload, self.deadline, self.limits.output_bytes + ANSWER.size)
        answer = framing.whole(output)
        if answer is not None:
            return answer, framing.is_ready(output)
        status = _status(cell, self.deadline, self.limits)
        if status in (-signal.SIGXCPU, -signal.SIGKILL):
            raise ChildFailed("TOO_SLOW", f"used more than {self.limits.cpu_s} s of processor time, or was killed")
        raise ChildFailed("CHILD_DIED", f"ended with status {status}")


def _exchange(cell: Cell, payload: memoryview, deadline: float, most_bytes: int) -> bytes:
    """Write what is left of the payload and read the answer at the same time, until it is whole or the child ends."""
    output = bytearray()
    poll = select.poll()
    poll.register(cell.out, select.POLLIN)
    if payload:
        poll.register(cell.into, select.POLLOUT)
    while True:
        ready = dict(poll.poll(math.ceil(max(0.0, deadline - time.monotonic()) * 1000)))
        if not ready:
            raise ChildFailed("TOO_SLOW", "no answer within the time allowed")
        if cell.into in ready:
            payload = payload[_write(cell.into, payload) :]
            if not payload:
                poll.unregister(cell.into)
        if cell.out in ready and _is_told(cell, output, most_bytes):
            return bytes(output)


def _is_told(cell: Cell, output: bytearray, most_bytes: int) -> bool:
    """Read on; tell whether the answer is whole, or no more will come of it."""
    chunk = os.read(cell.out, _READ)
    output += chunk
    if len(output) > most_bytes:
        raise ChildFailed("OUTPUT_TOO_LARGE", f"said more than {most_bytes} bytes")
    return not chunk or framing.whole(output) is not None


def _write(into: int, payload: memoryview) -> int:
    """Return how much of the payload is done with: all of it once the child no longer listens."""
    try:
        return os.write(into, payload[:_CHUNK])
    except BrokenPipeError:
        return len(payload)


def _status(cell: Cell, deadline: float, limits: Limits) -> int:
    """Return how the child ended, as the nursery tells it: an exit status, or a signal's number below zero."""
    cell.life.settimeout(max(0.001, deadline - time.monotonic()))
    told = b""
    with contextlib.suppress(ConnectionError):
        try:
            told = cell.life.recv(keeper.STATUS.size)
        except TimeoutError as error:
            raise ChildFailed("TOO_SLOW", f"no end after {limits.wall_s} s") from error
    try:
        (status,) = keeper.STATUS.unpack(told)
    except struct.error as error:
        raise ChildFailed("CHILD_DIED", "the nursery ended") from error
    return int(status)
