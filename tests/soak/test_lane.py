"""Two thousand confirmations issued by one process, lane after lane: its memory stays where it was."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
import resident
import world as worlds

if TYPE_CHECKING:
    from world import World

COUNT = int(os.environ.get("SOAK_LANE", "2000"))
WARM_UP = 200
MOST_KB = 3.0
"""A confirmation; what Python and Typst keep of the last few makes the line uneven by about one."""
LANES = (worlds.KAZAKHSTAN, worlds.EMIRATES, worlds.MEXICO)


@pytest.mark.soak  # a quarter of an hour; a hundred pages are made each time by tests/unit/document/test_memory.py
def test_memory_stays_flat_over_two_thousand_confirmations(world: World) -> None:
    def turn(place: int) -> None:
        lane = place % len(LANES) if place < WARM_UP else (place - WARM_UP) * len(LANES) // COUNT
        world.issue(worlds.fresh(LANES[lane], place))

    for place in range(WARM_UP):
        turn(place)
    found = resident.slope(range(WARM_UP, WARM_UP + COUNT), turn, every=20)
    print(f"{found:.2f} kB a confirmation over {COUNT}, at {resident.resident_kb() / 1000:.0f} MB")
    assert found < MOST_KB
