"""Printed pages give their code, hundreds of pictures each: nearly all at 200 dpi, and few are lost anywhere."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import printed_pages
import printing
import pytest

if TYPE_CHECKING:
    from world import World

COUNT = int(os.environ.get("SOAK_PICTURES", "100"))
NEARLY_ALL: tuple[printing.Kind, ...] = ("scan-300", "scan-200")


@pytest.mark.soak  # a thousand pictures take ten minutes; one of each kind is read each time by tests/unit/paper
@pytest.mark.parametrize("kind", printing.KINDS)
@pytest.mark.parametrize("vehicles", printed_pages.SIZES)
def test_pages_give_their_code(world: World, kind: printing.Kind, vehicles: int) -> None:
    sheet, code = printed_pages.sheets(world, vehicles)
    found = printed_pages.read(sheet, code, kind, COUNT)
    print(f"{kind}, {vehicles} VIN: {found} of {COUNT}")
    assert found >= COUNT * (0.99 if kind in NEARLY_ALL else 0.9)
