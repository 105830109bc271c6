"""
The nursery: a process without keys, environment or files of ours that forks a fresh child for each file.

Started by exec (`python -I -m signer.sandbox.nursery SOCKET`). It loads the code of a task once, so that a child
starts with it, and never reads a file: a request has the task's name, the child's limits, and three descriptors (the
pipe with the file, the pipe for the answer, the socket of the child's life). It tells on that socket how the child
ended, and ends the child when the other end closes. What it learns (a trust list) was verified by who asked.
Single-threaded, or a fork would not be safe.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import os
import re
import selectors
import signal
import socket
import sys
from typing import TYPE_CHECKING, Any, NoReturn

from signer.errors import SignerError
from signer.sandbox import walls
from signer.sandbox.keeper import LENGTH, STATUS

if TYPE_CHECKING:
    from collections.abc import Callable

_TASK = re.compile(r"signer(?:\.[a-z][a-z0-9_]*)+:[a-z][a-z0-9_]*")
_LENGTH_BYTES = 8
_TASK_FAILED, _NO_TASK, _NO_WALL = 3, 4, 5
_FILE, _ANSWER = 0, 3
"""Where a child finds its two pipes; it has no other descriptor that leads anywhere (1 and 2 are /dev/null)."""
_MOST_REQUEST = 4096
_MOST_FILES = 65_536


class _Gone(Exception):
    """Who asked is no more."""


class Nursery:
    """Fork children on request, tell how they ended, end those that nobody waits for."""

    def __init__(self, control: socket.socket) -> None:
        self._control = control
        self._selector = selectors.DefaultSelector()
        self._lives: dict[int, socket.socket | None] = {}
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
                for key, _ in self._selector.select():
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
        data, given, _, _ = socket.recv_fds(self._control, LENGTH.size, 3)
        if not data:
            raise _Gone
        (length,) = LENGTH.unpack(data + self._exactly(LENGTH.size - len(data)))
        request = json.loads(self._exactly(min(length, _MOST_REQUEST)))
        if "learn" in request:
            self._learn(request["task"], self._exactly(request["learn"]))
            return
        file, answer, life = given
        try:
            self._start(request, file, answer, socket.socket(fileno=life))
        finally:
            os.close(file)
            os.close(answer)

    def _learn(self, task: str, taught: bytes) -> None:
        """Let a task's module learn; one that cannot has children that know nothing, and say so."""
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

    def _start(self, request: dict[str, Any], file: int, answer: int, life: socket.socket) -> None:
        try:
            function = resolve(request["task"])
        except (ImportError, AttributeError, ValueError):
            life.send(STATUS.pack(_NO_TASK))
            life.close()
            return
        gc.freeze()
        pid = os.fork()
        if pid == 0:
            _live(function, request["limits"], file, answer)
        self._lives[pid] = life
        self._selector.register(life, selectors.EVENT_READ, pid)

    def _reap(self) -> None:
        """Tell of every child that ended; this process alone waits for them, so no id is used again meanwhile."""
        while _read(self._woken):
            pass
        while self._lives:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid == 0:
                return
            life = self._lives.pop(pid)
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


def _live(function: Callable[[bytes, bytes], bytes], limits: dict[str, Any], file: int, answer: int) -> NoReturn:
    """Be the child: close what is not ours, build the walls, do the one task, end."""
    status = _NO_WALL
    try:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        os.dup2(file, _FILE)
        os.dup2(answer, _ANSWER)
        os.closerange(_ANSWER + 1, _MOST_FILES)
        walls.close_in(limits)
        status = _TASK_FAILED
        with open(_FILE, "rb", closefd=False) as whole:
            data = whole.read()
        start = _LENGTH_BYTES + int.from_bytes(data[:_LENGTH_BYTES], "big")
        output = memoryview(function(data[_LENGTH_BYTES:start], data[start:]))
        while output:
            output = output[os.write(_ANSWER, output) :]
        status = 0
    finally:
        os._exit(status)  # whatever happened, and whatever it was called: the parent's code never runs here


def main(descriptor: int) -> None:
    """Be the nursery until whoever started us goes."""
    walls.close_out()
    Nursery(socket.socket(fileno=descriptor)).run()


if __name__ == "__main__":
    main(int(sys.argv[1]))
