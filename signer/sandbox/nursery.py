"""
The nursery: a process without keys, environment or files of ours that forks the children that read files.

Started by exec (`python -I -m signer.sandbox.nursery SOCKET`). It loads the code of a task once, so that a child
starts with it, and never reads a file: a request has the task's name and the child's limits, and is answered with
descriptors (the pipe for the file, the pipe with the answer, the socket of the child's life, and on Linux the memory
into which a file is put). It tells on that socket how the child ended, and ends the child when the other end closes.
One child is always ready behind its walls for the next file; one that works for long on an unknown file yields to the
others. What it learns (a trust list) was verified by who asked. Single-threaded, or a fork would not be safe.
"""

from __future__ import annotations

import contextlib
import fcntl
import gc
import importlib
import json
import os
import re
import selectors
import signal
import socket
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from signer.errors import SignerError
from signer.sandbox import child, framing, walls
from signer.sandbox.keeper import LENGTH, STATUS

if TYPE_CHECKING:
    from collections.abc import Callable

_TASK = re.compile(r"signer(?:\.[a-z][a-z0-9_]*)+:[a-z][a-z0-9_]*")
_MOST_REQUEST = 4096
_PIPE_BYTES = 1 << 18
"""A file of a confirmation goes through at once: who writes need not wait for who reads."""
_PATIENCE_S = 0.5
"""Some ten times what an honest file takes: a child that works longer gives way to those that began later."""
_YIELDING = 15


class _Gone(Exception):
    """Who asked is no more."""


@dataclass(frozen=True, slots=True)
class _Child:
    """
    A child, and the ends of its pipes and of its life that go to who asks for it.

    `pid` is 0 where there is none, because its task is none.
    """

    pid: int
    task: str
    limits: dict[str, Any]
    ends: tuple[int, ...]

    def close(self) -> None:
        """Close the ends: who asked has them, or nobody will."""
        for end in self.ends:
            os.close(end)


class Nursery:
    """Fork children on request, tell how they ended, end those that nobody waits for."""

    def __init__(self, control: socket.socket) -> None:
        self._control = control
        self._selector = selectors.DefaultSelector()
        self._lives: dict[int, socket.socket | None] = {}
        self._spare: _Child | None = None
        self._begun: dict[int, float] = {}
        self._woken, waking = os.pipe()
        for end in (self._woken, waking):
            os.set_blocking(end, False)
        signal.set_wakeup_fd(waking, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        self._selector.register(control, selectors.EVENT_READ)
        self._selector.register(self._woken, selectors.EVENT_READ)

    def run(self) -> None:
        """Serve until the other end of the socket closes."""
        try:
            while True:
                for key, _ in self._selector.select(self._let_yield()):
                    if key.fileobj is self._control:
                        self._answer()
                    elif key.fd == self._woken:
                        self._reap()
                    else:
                        self._let_go(key.data)
        except (_Gone, ConnectionError):
            for pid in self._lives:
                os.kill(pid, signal.SIGKILL)

    def _answer(self) -> None:
        (length,) = LENGTH.unpack(self._exactly(LENGTH.size))
        request = json.loads(self._exactly(min(length, _MOST_REQUEST)))
        if "learn" in request:
            self._learn(request["task"], self._exactly(request["learn"]))
            return
        given = self._ready(request["task"], request["limits"])
        socket.send_fds(self._control, [b"\0"], given.ends)
        given.close()
        if given.pid:
            if not request["known"]:
                self._begun[given.pid] = time.monotonic()
            self._spare = self._fork(given.task, given.limits)

    def _ready(self, task: str, limits: dict[str, Any]) -> _Child:
        """Return the spare child, if it is what was asked for, or a new one."""
        spare, self._spare = self._spare, None
        if spare is not None and (spare.task, spare.limits) == (task, limits):
            return spare
        if spare is not None:
            self._discard(spare)
        return self._fork(task, limits)

    def _discard(self, spare: _Child) -> None:
        spare.close()
        self._let_go(spare.pid)

    def _learn(self, task: str, taught: bytes) -> None:
        """Let a task's module learn; one that cannot has children that know nothing, and say so."""
        if self._spare is not None:
            spare, self._spare = self._spare, None
            self._discard(spare)
        with contextlib.suppress(ImportError, AttributeError, ValueError, SignerError):
            function = resolve(task)
            sys.modules[function.__module__].learn(taught)

    def _exactly(self, length: int) -> bytes:
        found = b""
        while len(found) < length:
            chunk = self._control.recv(length - len(found))
            if not chunk:
                raise _Gone
            found += chunk
        return found

    def _fork(self, task: str, limits: dict[str, Any]) -> _Child:
        """Fork a child that builds its walls at once, then waits for its file. A task that is none has no answer."""
        file, into = os.pipe()
        with contextlib.suppress(OSError, AttributeError):  # a narrow pipe is only slower, and only Linux widens it
            fcntl.fcntl(into, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)
        out, answer = os.pipe()
        mine, theirs = socket.socketpair()
        lent = _memory()
        ends = (into, out, theirs.detach(), *lent)
        try:
            function = resolve(task)
        except (ImportError, AttributeError, ValueError):
            _tell(mine, child.NO_TASK)
            function = None
        pid = 0
        if function is not None:
            gc.freeze()
            pid = os.fork()
            if pid == 0:
                child.live(function, limits, (file, answer, *lent))
            self._lives[pid] = mine
            self._selector.register(mine, selectors.EVENT_READ, pid)
        os.close(file)
        os.close(answer)
        return _Child(pid, task, limits, ends)

    def _let_yield(self) -> float | None:
        """Lower the priority of each child that has worked for long; return after how many seconds to look again."""
        now = time.monotonic()
        for pid in [pid for pid, begun in self._begun.items() if now - begun >= _PATIENCE_S]:
            del self._begun[pid]
            os.setpriority(os.PRIO_PROCESS, pid, _YIELDING)
        return min((begun + _PATIENCE_S - now for begun in self._begun.values()), default=None)

    def _reap(self) -> None:
        """Tell of every child that ended; this process alone waits for them, so no id is used again meanwhile."""
        while _read(self._woken):
            pass
        while self._lives:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid == 0:
                return
            life = self._lives.pop(pid)
            self._begun.pop(pid, None)
            if self._spare is not None and self._spare.pid == pid:
                self._spare.close()
                self._spare = None
            if life is not None:
                self._selector.unregister(life)
                _tell(life, os.waitstatus_to_exitcode(status))

    def _let_go(self, pid: int) -> None:
        """End a child for which nobody waits any more."""
        life = self._lives.get(pid)
        if life is not None:
            self._selector.unregister(life)
            life.close()
            self._lives[pid] = None
            os.kill(pid, signal.SIGKILL)


def _memory() -> tuple[int, ...]:
    """Return memory into which a file is put for a child, of one size for good; none where there is no such thing."""
    with contextlib.suppress(OSError, AttributeError):
        made = os.memfd_create("file", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
        os.ftruncate(made, framing.LENT_BYTES)
        fcntl.fcntl(made, fcntl.F_ADD_SEALS, fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW)
        return (made,)
    return ()


def resolve(task: str) -> Callable[[bytes, bytes], bytes]:
    """Return the function of a task, `signer.some.module:function`; its module is loaded now, once."""
    if not _TASK.fullmatch(task):
        raise ValueError(f"not a task: {task!r}")
    module, name = task.split(":")
    function: Callable[[bytes, bytes], bytes] = getattr(importlib.import_module(module), name)
    return function


def _read(end: int) -> bytes:
    try:
        return os.read(end, 512)
    except BlockingIOError:
        return b""


def _tell(life: socket.socket, status: int) -> None:
    with life, contextlib.suppress(OSError):
        life.send(STATUS.pack(status))


def main(descriptor: int) -> None:
    """Be the nursery until whoever started us goes."""
    walls.close_out()
    Nursery(socket.socket(fileno=descriptor)).run()


if __name__ == "__main__":
    main(int(sys.argv[1]))
