"""The seeds are tried by `make test` too, so that fuzzing is never found broken when it is needed."""

from __future__ import annotations

import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent / "attacks")]
