"""The portal's own helpers, and who most of its tests are about: a preparer and an approver of one manufacturer."""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from argon2 import PasswordHasher
from portal import Portal, hashed
from world import PEOPLE, YUNZHOU

from signer.identity import passwords

if TYPE_CHECKING:
    from collections.abc import Iterator

    from portal import Visitor
    from world import World

sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture(autouse=True, scope="module")
def quick_passwords() -> Iterator[None]:
    """Argon2id with little work: what it costs in earnest is held by the tests of passwords."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(passwords, "PasswordHasher", partial(PasswordHasher, time_cost=1, memory_cost=64, parallelism=1))
        hashed.cache_clear()
        yield
    hashed.cache_clear()


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
