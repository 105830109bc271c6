"""Where tests put what they throw away: in memory where there is room, so that nobody waits for a disk."""

from __future__ import annotations

import os
import shutil
from functools import cache
from pathlib import Path

_SHARED = Path("/dev/shm")
_LEAST_FREE = 2 << 30


@cache
def root() -> Path | None:
    """Return a folder in memory, or None where there is none, too little of it, or programs may not run from it."""
    if not os.access(_SHARED, os.W_OK | os.X_OK) or shutil.disk_usage(_SHARED).free < _LEAST_FREE:
        return None
    return None if os.statvfs(_SHARED).f_flag & os.ST_NOEXEC else _SHARED
