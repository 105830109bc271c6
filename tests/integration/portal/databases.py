"""Who comes in, on either database: what is counted, used once and ended is the register's work."""

from __future__ import annotations

import pytest

EITHER = pytest.mark.parametrize("database", ["sqlite", pytest.param("postgresql", marks=pytest.mark.soak)])
"""
For a whole module. PostgreSQL only in soak: a hundred tests, whose races `faults/test_account_races.py` runs on both
databases each time.
"""
