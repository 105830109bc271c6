"""A sealed file for every attack, made just before it; nothing of it is shared."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

sys.path.insert(0, str(Path(__file__).parent))

import genuine as honest
import world as worlds

if TYPE_CHECKING:
    from world import World


@pytest.fixture
def genuine(world: World, tmp_path: Path) -> honest.Genuine:
    issued = world.issue(worlds.sample(worlds.KAZAKHSTAN))
    return honest.Genuine(world=world, issued=issued, elsewhere=tmp_path / "strangers")
