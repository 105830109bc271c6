"""
The child: it closes what is not its own, builds the walls, then answers for one file, or for known ones in turn.

It is forked by the nursery and never returns from here. A child that is kept ends by itself when it has grown, or when
no file comes; whoever holds its pipes ends it for every other reason.
"""

from __future__ import annotations

import os
import select
import signal
from typing import TYPE_CHECKING, Any, NoReturn

from signer.sandbox import walls
from signer.sandbox.framing import ANSWER, FILE

if TYPE_CHECKING:
    from collections.abc import Callable

    Function = Callable[[bytes, bytes], bytes]

TASK_FAILED, NO_TASK, NO_WALL = 3, 4, 5
_FILE, _ANSWER, _LENT = 0, 3, 4
"""Where a child finds its pipes and its memory; nothing else that it has leads anywhere (1 and 2 are /dev/null)."""
_MOST_FILES = 65_536
_IDLE_S = 60
"""A kept child that has no file for so long ends."""


def live(function: Function, limits: dict[str, Any], ends: tuple[int, ...]) -> NoReturn:
    """Be the child: close what is not ours, build the walls, do the task, end. `ends`: file, answer, memory if any."""
    status = NO_WALL
    try:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        for end, place in zip(ends, (_FILE, _ANSWER, _LENT), strict=False):
            os.dup2(end, place)
        os.closerange(_ANSWER + len(ends) - 1, _MOST_FILES)
        walls.close_in(limits)
        status = TASK_FAILED
        size = walls.resident_most()
        while _answer(function, cpu_s=limits["cpu_s"], born_bytes=size) and _is_asked():
            pass
        status = 0
    finally:
        os._exit(status)  # whatever happened, and whatever it was called: the parent's code never runs here


def _answer(function: Function, *, cpu_s: float, born_bytes: int) -> bool:
    """Answer for one file; tell whether another may follow."""
    header_length, length, is_more, is_lent = FILE.unpack(_exactly(FILE.size))
    header = _exactly(header_length)
    data = os.pread(_LENT, length, 0) if is_lent else _exactly(length)
    found = function(header, data)
    is_more = is_more and walls.is_as_born(cpu_s=cpu_s, born_bytes=born_bytes)
    output = memoryview(ANSWER.pack(len(found), is_more) + found)
    while output:
        output = output[os.write(_ANSWER, output) :]
    return bool(found) and is_more


def _exactly(length: int) -> bytes:
    data = bytearray()
    while len(data) < length:
        chunk = os.read(_FILE, min(length - len(data), 1 << 20))
        if not chunk:
            raise EOFError
        data += chunk
    return bytes(data)


def _is_asked() -> bool:
    """Wait for another file; tell whether one came."""
    poll = select.poll()
    poll.register(_FILE, select.POLLIN)
    return any(event & select.POLLIN for _, event in poll.poll(_IDLE_S * 1000))
