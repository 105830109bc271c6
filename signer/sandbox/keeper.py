"""Keep one nursery for this process, ask it for children with pipes to and from them, and keep a few for more files."""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import select
import socket
import struct
import subprocess
import sys
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Self

from signer.sandbox.framing import LENT_BYTES

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

STATUS: Final = struct.Struct("!i")
LENGTH: Final = struct.Struct("!I")
_GRACE_S = 5
MOST_FILES: Final = 50
"""A child answers for at most so many files, then ends."""
_MOST_WAITING = (os.cpu_count() or 1) + 1


class NoNursery(Exception):
    """No nursery could be started, or it died twice."""


class Cell:
    """
    Our ends of the pipes of one child, and the memory that it has in common with us.

    Leaving it ends the child, whatever it is doing, unless it was to be kept.

    `files` is how many files the child has answered for.
    """

    def __init__(self, into: int, out: int, life: socket.socket, lent: int | None) -> None:
        self.into, self.out, self.life = into, out, life
        self._lent = lent
        self.files = 0
        self._waiting: _Waiting | None = None
        self._errand: _Errand | None = None

    def keep(self) -> None:
        """Let the child wait for another file of the same errand, if it was opened for known ones and is not old."""
        if self._errand is not None and self.files + 1 < MOST_FILES:
            self._waiting = self._errand.waiting

    def opened_for(self, errand: _Errand) -> Self:
        """Say which errand the child is on: it may be kept."""
        self._errand = errand
        return self

    @property
    def errand(self) -> _Errand | None:
        """The errand for whose known files it was opened, or None."""
        return self._errand

    def lend(self, data: bytes) -> bool:
        """Put a file where the child reads it from, if there is room: the child may write there too, we never read."""
        with contextlib.suppress(OSError):
            is_room = self._lent is not None and len(data) <= LENT_BYTES
            return is_room and os.pwrite(self._lent or 0, data, 0) == len(data)
        return False

    def close(self) -> None:
        """Let go of the pipes; the nursery ends the child."""
        if self._lent is not None:
            os.close(self._lent)
        os.close(self.into)
        os.close(self.out)
        self.life.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        waiting, self._waiting = self._waiting, None
        self.files += 1
        if waiting is None:
            self.close()
        else:
            waiting.add(self)


@dataclass(frozen=True, slots=True)
class _Errand:
    """What a kept child is for: nothing of it may differ for the next file."""

    task: str
    limits: str
    taught: bytes
    waiting: _Waiting = field(compare=False, repr=False)


class _Waiting:
    """Children that wait for another known file, the last used first: one more of them than processors, no more."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._cells: list[Cell] = []

    def take(self, errand: _Errand) -> Cell | None:
        """Return a child that waits for a file of this errand and lives, or None."""
        with self._lock:
            alive = [cell for cell in self._cells if not _has_ended(cell)]
            gone = [cell for cell in self._cells if cell not in alive]
            found = next((cell for cell in reversed(alive) if cell.errand == errand), None)
            self._cells = [cell for cell in alive if cell is not found]
        _close(gone)
        return found

    def add(self, cell: Cell) -> None:
        """Let a child wait; the one that has waited longest makes room."""
        with self._lock:
            self._cells.append(cell)
            gone, self._cells = self._cells[:-_MOST_WAITING], self._cells[-_MOST_WAITING:]
        _close(gone)

    def disown(self) -> None:
        """After a fork: they are our parent's, who may hold the lock; our copies of the pipes are closed."""
        _close(self._cells)

    def close(self) -> None:
        """Let go of all of them."""
        with self._lock:
            gone, self._cells = self._cells, []
        _close(gone)


def _close(cells: Iterable[Cell]) -> None:
    for cell in cells:
        cell.close()


def _has_ended(cell: Cell) -> bool:
    """Tell whether a child ended while it waited (the nursery said so, or is gone), or spoke without being asked."""
    poll = select.poll()
    for end in (cell.life, cell.out):
        poll.register(end, select.POLLIN)
    return bool(poll.poll(0))


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
        self.loaded: set[str] = set()

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

    def ask(self, task: str, limits: Mapping[str, object], *, is_known: bool) -> Cell:
        """Ask for a child. Raises OSError if the nursery is gone."""
        self._send({"task": task, "limits": limits, "known": is_known})
        told, given, _, _ = socket.recv_fds(self._socket, 1, 4)
        if not told or len(given) < 3:
            raise ConnectionError("the nursery ended")
        self.loaded.add(task)
        into, out, life, *lent = given
        os.set_blocking(into, False)
        os.set_blocking(out, False)
        return Cell(into, out, socket.socket(fileno=life), lent[0] if lent else None)

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
        self._waiting = _Waiting()

    def wake(self, task: str, limits: Mapping[str, object], taught: bytes) -> None:
        """Wait until the nursery runs and has loaded a task's code, which takes it seconds the first time."""
        with self._lock:
            is_awake = self._nursery is not None and task in self._nursery.loaded
        if not is_awake:
            self.open_cell(task, limits, taught).close()

    def known_cell(self, task: str, limits: Mapping[str, object], taught: bytes) -> Cell:
        """Return the cell of a child that waits for another known file, or of a new one that may be kept."""
        errand = _Errand(task, json.dumps(limits), taught, self._waiting)
        return self._waiting.take(errand) or self._new(task, limits, taught, is_known=True).opened_for(errand)

    def open_cell(self, task: str, limits: Mapping[str, object], taught: bytes) -> Cell:
        """Return a new child's cell; a nursery that died is replaced once."""
        return self._new(task, limits, taught, is_known=False)

    def _new(self, task: str, limits: Mapping[str, object], taught: bytes, *, is_known: bool) -> Cell:
        with self._lock:
            for _ in range(2):
                try:
                    nursery = self._ready()
                    nursery.teach(task, taught)
                    return nursery.ask(task, limits, is_known=is_known)
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
        waiting, self._waiting = self._waiting, _Waiting()
        waiting.disown()
        nursery, self._nursery = self._nursery, None
        if nursery is not None:
            nursery.disown()

    def _ready(self) -> _Nursery:
        if self._nursery is None:
            self._nursery = _Nursery()
        return self._nursery

    def _end(self) -> None:
        self._waiting.close()
        if self._nursery is not None:
            with contextlib.suppress(OSError):
                self._nursery.close()
            self._nursery = None


_KEEPER = Keeper()
os.register_at_fork(after_in_child=_KEEPER.forget)
atexit.register(_KEEPER.close)
wake = _KEEPER.wake
open_cell = _KEEPER.open_cell
known_cell = _KEEPER.known_cell
pid = _KEEPER.pid
close = _KEEPER.close
