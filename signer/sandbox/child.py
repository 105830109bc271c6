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
_FILE, _ANSWER = 0, 3
"""Where a child finds its two pipes; it has no other descriptor that leads anywhere (1 and 2 are /dev/null)."""
_MOST_FILES = 65_536
_IDLE_S = 60
"""A kept child that has no file for so long ends."""


def live(function: Function, limits: dict[str, Any], file: int, answer: int) -> NoReturn:
    """Be the child: close what is not ours, build the walls, do the task, end."""
    status = NO_WALL
    try:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        os.dup2(file, _FILE)
        os.dup2(answer, _ANSWER)
        os.closerange(_ANSWER + 1, _MOST_FILES)
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
    header_length, length, is_more = FILE.unpack(_exactly(FILE.size))
    header, data = _exactly(header_length), _exactly(length)
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
