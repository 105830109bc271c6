"""One compiler makes page after page, of several lanes, and keeps no more than the last few."""

from __future__ import annotations

from typing import TYPE_CHECKING

import resident

if TYPE_CHECKING:
    from types import ModuleType

    from signer.document.render import Renderer

WARM_UP, TURNS = 24, 60
MOST_KB = 60
"""A new compiler for each page leaks some 150 kB a page; the soak holds the kept one to a twentieth of this."""


def test_memory_does_not_grow_with_the_pages_that_were_made(renderer: Renderer, samples: ModuleType) -> None:
    countries = ("AE", "MX", "KZ")

    def turn(place: int) -> None:
        lane = place * 3 // WARM_UP % 3 if place < WARM_UP else (place - WARM_UP) * 3 // TURNS
        confirmation, encoded = samples.confirmation(vehicles=1, country=countries[lane], contract=f"C-{place}")
        renderer.render(confirmation, encoded=encoded, base_url=samples.BASE_URL)

    for place in range(WARM_UP):
        turn(place)
    assert resident.slope(range(WARM_UP, WARM_UP + TURNS), turn, every=5) < MOST_KB
