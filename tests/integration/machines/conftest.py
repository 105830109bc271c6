"""Machines of the samples' people."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import world as worlds
from machine import Machines
from world import PEOPLE, YUNZHOU

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from machine import Machine
    from world import World


@pytest.fixture
def database() -> str:
    """The API is the same on either database; where it matters which, a test names both."""
    return "sqlite"


@pytest.fixture
def machines(world: World) -> Machines:
    return Machines.of(world)


@pytest.fixture
def erp(machines: Machines) -> Machine:
    """A preparer's token, with every right that it can have."""
    return machines.of_maker(PEOPLE[YUNZHOU][0], YUNZHOU)


@pytest.fixture
def oa(machines: Machines) -> Machine:
    """An approver's token, with every right that it can have."""
    return machines.of_maker(PEOPLE[YUNZHOU][1], YUNZHOU)


@pytest.fixture(scope="module")
def worlds_erp(template_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    """A preparer's token over a world that the examples of a property share."""
    made = worlds.World(worlds.copy(template_folder, tmp_path_factory.mktemp("shared") / "data"))
    yield Machines.of(made).of_maker(PEOPLE[YUNZHOU][0], YUNZHOU)
    made.services.database.close()
