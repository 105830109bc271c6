"""
Run one task on one hostile file in a child process: no environment, no keys, bounded in every direction.

Each file has a child of its own, forked from a *nursery* and ended after its one answer. The nursery is a process
that was started by exec with nothing of ours (no keys, no environment, no open file, no thread) and that never sees
a file: the file goes from us to the child by a pipe. Knows nothing of what a task does.
Source: docs/reference/acceptance-rules.md, rule 4; docs/adr/0021-one-child-per-file.md.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import selectors
import signal
import struct
import time
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Literal

from signer.errors import SignerError
from signer.sandbox import keeper

if TYPE_CHECKING:
    from signer.sandbox.keeper import Cell

__all__ = ["ChildFailed", "Limits", "run", "standing_walls"]

FailureReason = Literal["CHILD_DIED", "TOO_SLOW", "OUTPUT_TOO_LARGE"]

_TASK = re.compile(r"signer(?:\.[a-z][a-z0-9_]*)+:[a-z][a-z0-9_]*")
_CHUNK = 1 << 16
_LENGTH_BYTES = 8


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


def run(task: str, *, header: bytes, data: bytes, limits: Limits, taught: bytes = b"") -> bytes:
    """
    Run a task in a child and return its answer.

    Args:
        task: `signer.some.module:function`; the function takes (header, data) and returns bytes.
        header: what the caller adds to the file, usually JSON.
        data: the hostile file.
        limits: the child's walls.
        taught: what the caller verified and every child may know, such as a trust list; the nursery hands it once to
            the module's `learn(taught)`, so that children are born with it. Never anything of a file, never a secret.

    Raises:
        ChildFailed: it died, was too slow or said too much; nothing of what it said is returned.

    """
    if not _TASK.fullmatch(task):
        raise ValueError(f"not a task: {task!r}")
    payload = len(header).to_bytes(_LENGTH_BYTES, "big") + header + data
    try:
        cell = keeper.open_cell(task, asdict(limits), taught)
    except keeper.NoNursery as error:
        raise ChildFailed("CHILD_DIED", str(error)) from error
    with cell:
        return _talk(cell, payload, limits)


def standing_walls() -> dict[str, bool]:
    """Let a child try to get out in every way, and return which wall held it: False for one that is missing."""
    answer = run("signer.sandbox.walls:probe", header=b"", data=b"", limits=Limits())
    return {str(name): stood is True for name, stood in json.loads(answer).items()}


def _talk(cell: Cell, payload: bytes, limits: Limits) -> bytes:
    deadline = time.monotonic() + limits.wall_s
    output = _exchange(cell, memoryview(payload), deadline, limits.output_bytes + _LENGTH_BYTES)
    if _is_whole(output):
        return output[_LENGTH_BYTES:]
    status = _status(cell, deadline, limits)
    if status in (-signal.SIGXCPU, -signal.SIGKILL):
        raise ChildFailed("TOO_SLOW", f"used more than {limits.cpu_s} s of processor time, or was killed")
    raise ChildFailed("CHILD_DIED", f"ended with status {status}")


def _is_whole(output: bytes | bytearray) -> bool:
    """Tell whether an answer is there, and all of it: its length comes before it, so that its end is not waited for."""
    length = int.from_bytes(output[:_LENGTH_BYTES], "big")
    return length > 0 and len(output) == _LENGTH_BYTES + length


def _exchange(cell: Cell, payload: memoryview, deadline: float, most_bytes: int) -> bytes:
    """Write the payload and read the answer at the same time, until it is whole or the child ends."""
    output = bytearray()
    is_open = True
    with selectors.DefaultSelector() as selector:
        selector.register(cell.into, selectors.EVENT_WRITE)
        selector.register(cell.out, selectors.EVENT_READ)
        while is_open:
            ready = [key.fd for key, _ in selector.select(max(0.0, deadline - time.monotonic()))]
            if not ready:
                raise ChildFailed("TOO_SLOW", "no answer within the time allowed")
            if cell.into in ready:
                payload = payload[_write(cell.into, payload) :]
                if not payload:
                    selector.unregister(cell.into)
                    cell.close_into()
            if cell.out in ready:
                chunk = os.read(cell.out, _CHUNK)
                output += chunk
                is_open = bool(chunk) and not _is_whole(output)
            if len(output) > most_bytes:
                raise ChildFailed("OUTPUT_TOO_LARGE", f"said more than {most_bytes} bytes")
    return bytes(output)


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
