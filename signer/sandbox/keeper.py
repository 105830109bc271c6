"""Keep one nursery for this process, and ask it for a child with a pipe to and from it."""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import socket
import struct
import subprocess
import sys
import threading
from typing import TYPE_CHECKING, Final, Self

if TYPE_CHECKING:
    from collections.abc import Mapping

STATUS: Final = struct.Struct("!i")
LENGTH: Final = struct.Struct("!I")
_GRACE_S = 5


class NoNursery(Exception):
    """No nursery could be started, or it died twice."""


class Cell:
    """Our ends of the pipes of one child. Leaving it ends the child, whatever it is doing."""

    def __init__(self, into: int, out: int, life: socket.socket) -> None:
        self.into, self.out, self.life = into, out, life
        self._is_listening = True

    def close_into(self) -> None:
        """Tell the child that the file is whole."""
        if self._is_listening:
            self._is_listening = False
            os.close(self.into)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close_into()
        os.close(self.out)
        self.life.close()


class _Nursery:
    """The nursery process. It ends when our end of its socket closes, so also when we die."""

    def __init__(self) -> None:
        ours, theirs = socket.socketpair()
        with theirs:
            command = (sys.executable, "-I", "-B", "-X", "utf8", "-m", "signer.sandbox.nursery", str(theirs.fileno()))
            self._process = subprocess.Popen(  # noqa: S603 - the command is ours, and has no part from outside
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                cwd="/",
                env={},
                pass_fds=(theirs.fileno(),),
                start_new_session=True,
            )
        self._socket = ours
        self._taught: dict[str, bytes] = {}

    @property
    def pid(self) -> int:
        """The process's id."""
        return self._process.pid

    def teach(self, task: str, taught: bytes) -> None:
        """Hand over what children of a task are to be born with, unless it was the last. Raises OSError."""
        if taught and self._taught.get(task) != taught:
            self._send({"task": task, "learn": len(taught)})
            self._socket.sendall(taught)
            self._taught[task] = taught

    def ask(self, task: str, limits: Mapping[str, object]) -> Cell:
        """Ask for a child. Raises OSError if the nursery is gone."""
        self._send({"task": task, "limits": limits})
        told, given, _, _ = socket.recv_fds(self._socket, 1, 3)
        if not told or len(given) != 3:
            raise ConnectionError("the nursery ended")
        into, out, life = given
        os.set_blocking(into, False)
        os.set_blocking(out, False)
        return Cell(into, out, socket.socket(fileno=life))

    def _send(self, request: Mapping[str, object]) -> None:
        data = json.dumps(request).encode()
        self._socket.sendall(LENGTH.pack(len(data)) + data)

    def close(self) -> None:
        """End the nursery and with it every child."""
        self._socket.close()
        try:
            self._process.wait(_GRACE_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def disown(self) -> None:
        """After a fork: it is our parent's; our copy of its socket is closed, and the process left alone."""
        self._socket.close()
        self._process.returncode = 0


class Keeper:
    """The one nursery of this process, started when first asked, and anew after a fork of ours or its death."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._nursery: _Nursery | None = None

    def open_cell(self, task: str, limits: Mapping[str, object], taught: bytes) -> Cell:
        """Return a new child's cell; a nursery that died is replaced once."""
        with self._lock:
            for _ in range(2):
                try:
                    nursery = self._ready()
                    nursery.teach(task, taught)
                    return nursery.ask(task, limits)
                except OSError as error:
                    found = error
                    self._end()
        raise NoNursery(f"no child could be started: {found}")

    def pid(self) -> int:
        """Return the id of the nursery's process."""
        with self._lock:
            return self._ready().pid

    def close(self) -> None:
        """End the nursery, if there is one."""
        with self._lock:
            self._end()

    def forget(self) -> None:
        """After a fork: have no nursery, our parent's is not ours."""
        self._lock = threading.Lock()
        nursery, self._nursery = self._nursery, None
        if nursery is not None:
            nursery.disown()

    def _ready(self) -> _Nursery:
        if self._nursery is None:
            self._nursery = _Nursery()
        return self._nursery

    def _end(self) -> None:
        if self._nursery is not None:
            with contextlib.suppress(OSError):
                self._nursery.close()
            self._nursery = None


_KEEPER = Keeper()
os.register_at_fork(after_in_child=_KEEPER.forget)
atexit.register(_KEEPER.close)
open_cell = _KEEPER.open_cell
pid = _KEEPER.pid
close = _KEEPER.close
