"""The scripts of docs and deploy, for their tests."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parents[3] / name) for name in ("docs", "deploy")]
