"""
Run one task on one hostile file in a child process: no environment, no keys, bounded in every direction.

The child is spawned by exec, never forked: `python -I -m signer.sandbox TASK LIMITS`, in `/`, without environment.
In by one pipe: the length of the header (8 bytes, big-endian), the header, the file. Out by the other: bytes, capped.
Knows nothing of what the task does. Source: docs/reference/acceptance-rules.md, rule 4.
"""

from __future__ import annotations

import contextlib
import ctypes
import importlib
import json
import os
import re
import selectors
import signal
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from typing import IO, TYPE_CHECKING, Literal, cast

from signer.errors import SignerError

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["ChildFailed", "Limits", "run"]

FailureReason = Literal["CHILD_DIED", "TOO_SLOW", "OUTPUT_TOO_LARGE"]

_TASK = re.compile(r"signer(?:\.[a-z][a-z0-9_]*)+:[a-z][a-z0-9_]*")
_CHUNK = 1 << 16
_LENGTH_BYTES = 8
_TASK_FAILED = 3
_PR_SET_PDEATHSIG, _PR_SET_DUMPABLE, _PR_SET_NO_NEW_PRIVS = 1, 4, 38


class ChildFailed(SignerError):
    """The child gave no answer; `reason` is CHILD_DIED, TOO_SLOW or OUTPUT_TOO_LARGE."""

    code = "child-failed"

    def __init__(self, reason: FailureReason, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a child may use. `memory_bytes` is address space, libraries included; `wall_s` counts from the spawn."""

    wall_s: float = 20.0
    cpu_s: int = 15
    memory_bytes: int = 1 << 30
    output_bytes: int = 1_000_000
    open_files: int = 32


def run(task: str, *, header: bytes, data: bytes, limits: Limits) -> bytes:
    """
    Run a task in a child and return its answer.

    Args:
        task: `signer.some.module:function`; the function takes (header, data) and returns bytes.
        header: what the caller adds to the file, usually JSON.
        data: the hostile file.
        limits: the child's walls.

    Raises:
        ChildFailed: it died, was too slow or said too much; nothing of what it said is returned.

    """
    if not _TASK.fullmatch(task):
        raise ValueError(f"not a task: {task!r}")
    command = (sys.executable, "-I", "-B", "-X", "utf8", "-m", "signer.sandbox", task, json.dumps(asdict(limits)))
    payload = len(header).to_bytes(_LENGTH_BYTES, "big") + header + data
    with subprocess.Popen(  # noqa: S603 - the command is ours; only the task's name varies, and it is checked
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        cwd="/",
        env={},
        start_new_session=True,
    ) as process:
        try:
            return _talk(process, payload, limits)
        finally:
            _kill(process)


def _talk(process: subprocess.Popen[bytes], payload: bytes, limits: Limits) -> bytes:
    deadline = time.monotonic() + limits.wall_s
    output = _exchange(process, memoryview(payload), deadline, limits.output_bytes)
    try:
        status = process.wait(max(0.0, deadline - time.monotonic()))
    except subprocess.TimeoutExpired as error:
        raise ChildFailed("TOO_SLOW", f"no end after {limits.wall_s} s") from error
    if status in (-signal.SIGXCPU, -signal.SIGKILL):
        raise ChildFailed("TOO_SLOW", f"used more than {limits.cpu_s} s of processor time, or was killed")
    if status != 0 or not output:
        raise ChildFailed("CHILD_DIED", f"ended with status {status}")
    return output


def _exchange(process: subprocess.Popen[bytes], payload: memoryview, deadline: float, most_bytes: int) -> bytes:
    """Write the payload and read the answer at the same time, until the child closes its end."""
    stdin, stdout = cast("IO[bytes]", process.stdin), cast("IO[bytes]", process.stdout)
    output = bytearray()
    is_open = True
    with selectors.DefaultSelector() as selector:
        for stream, event in ((stdin, selectors.EVENT_WRITE), (stdout, selectors.EVENT_READ)):
            os.set_blocking(stream.fileno(), False)
            selector.register(stream, event)
        while is_open:
            ready = [key.fileobj for key, _ in selector.select(max(0.0, deadline - time.monotonic()))]
            if not ready:
                raise ChildFailed("TOO_SLOW", "no answer within the time allowed")
            if stdin in ready:
                payload = payload[_write(stdin, payload) :]
                if not payload:
                    selector.unregister(stdin)
                    _close(stdin)
            if stdout in ready:
                chunk = os.read(stdout.fileno(), _CHUNK)
                output += chunk
                is_open = bool(chunk)
            if len(output) > most_bytes:
                raise ChildFailed("OUTPUT_TOO_LARGE", f"said more than {most_bytes} bytes")
    return bytes(output)


def _write(stream: IO[bytes], payload: memoryview) -> int:
    """Return how much of the payload is done with: all of it once the child no longer listens."""
    try:
        return os.write(stream.fileno(), payload[:_CHUNK])
    except BrokenPipeError:
        return len(payload)


def _close(stream: IO[bytes]) -> None:
    with contextlib.suppress(BrokenPipeError):
        stream.close()


def _kill(process: subprocess.Popen[bytes]) -> None:
    """End the child and whatever it may have started."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    for stream in (process.stdin, process.stdout):
        if stream is not None:
            _close(stream)


def _build_walls(limits: Limits) -> None:
    """Give up what the task does not need. Missing walls (macOS has no prctl, and ignores RLIMIT_AS) are skipped."""
    import resource  # noqa: PLC0415 - absent on Windows, where this package must still import

    wanted = (
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_NOFILE, limits.open_files),
        (resource.RLIMIT_CPU, limits.cpu_s),
        (resource.RLIMIT_AS, limits.memory_bytes),
    )
    for which, most in wanted:
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(which, (most, most))
    if sys.platform == "linux":
        library = ctypes.CDLL(None)
        library.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
        library.prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
        library.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def _resolve(task: str) -> Callable[[bytes, bytes], bytes]:
    if not _TASK.fullmatch(task):
        raise ValueError(f"not a task: {task!r}")
    module, name = task.split(":")
    function: Callable[[bytes, bytes], bytes] = getattr(importlib.import_module(module), name)
    return function


def _keep_output() -> int:
    """Return a private descriptor for the answer; whatever else prints goes nowhere."""
    answer, nowhere = os.dup(1), os.open(os.devnull, os.O_RDWR)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    os.close(nowhere)
    return answer


def _serve(task: str, limits: Limits) -> int:
    """Run one task in this process, which is the child, and return its exit status."""
    _build_walls(limits)
    answer = _keep_output()
    function = _resolve(task)
    whole = sys.stdin.buffer.read()
    start = _LENGTH_BYTES + int.from_bytes(whole[:_LENGTH_BYTES], "big")
    try:
        output = memoryview(function(whole[_LENGTH_BYTES:start], whole[start:]))
    except Exception:  # noqa: BLE001 - the child's outermost edge: any failure is one answer, CHILD_DIED
        return _TASK_FAILED
    while output:
        output = output[os.write(answer, output) :]
    return 0


if __name__ == "__main__":
    os._exit(_serve(sys.argv[1], Limits(**json.loads(sys.argv[2]))))
