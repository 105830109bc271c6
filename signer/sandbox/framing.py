"""How a file is put into a child's pipe, and an answer into the other: lengths come first, no end is waited for."""

from __future__ import annotations

import struct
from typing import Final

FILE: Final = struct.Struct("!QQ??")
"""
Before a file: the length of what the caller adds, the length of the file, whether another may follow, and whether the
file lies in the memory that the child was born with.
"""
LENT_BYTES: Final = 1 << 20
"""So long a file fits into that memory; a longer one comes through the pipe."""
ANSWER: Final = struct.Struct("!Q?")
"""Before an answer: its length, and whether the child will take another file."""


def whole(output: bytes | bytearray) -> bytes | None:
    """Return the answer, if it is there and all of it, or None: one that is empty is none."""
    if len(output) <= ANSWER.size:
        return None
    length, _ = ANSWER.unpack_from(output)
    return bytes(output[ANSWER.size :]) if len(output) == ANSWER.size + length else None


def is_ready(output: bytes | bytearray) -> bool:
    """Tell whether the child that gave a whole answer will take another file."""
    return bool(ANSWER.unpack_from(output)[1])
