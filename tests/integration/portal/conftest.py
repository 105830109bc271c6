"""The portal's own helpers, and who most of its tests are about: a preparer and an approver of one manufacturer."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from portal import Portal
from world import PEOPLE, YUNZHOU

if TYPE_CHECKING:
    from portal import Visitor
    from world import World

sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture
def database() -> str:
    """Pages are the same on either database; where it matters which, a test names both (`databases.py`)."""
    return "sqlite"


@pytest.fixture
def portal(world: World) -> Portal:
    """The portal over a world's services."""
    return Portal.of(world)


@pytest.fixture
def chen(portal: Portal) -> Visitor:
    """A preparer's browser."""
    return portal.visitor(PEOPLE[YUNZHOU][0])


@pytest.fixture
def lin(portal: Portal) -> Visitor:
    """An approver's browser."""
    return portal.visitor(PEOPLE[YUNZHOU][1])
