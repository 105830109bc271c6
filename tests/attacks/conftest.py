"""One freshly sealed file for all attacks of a process; those that change the world have one of their own."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

sys.path.insert(0, str(Path(__file__).parent))

import genuine as honest
import world as worlds
from table import CHANGES_THE_WORLD

from signer.sandbox import Limits
from signer.seal import reading

if TYPE_CHECKING:
    from collections.abc import Iterator

WARMING_UP = Limits(wall_s=60)
"""The first child waits for its nursery to begin, and that for a machine that may be busy with other tests."""


@pytest.fixture(scope="session")
def shared(template_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[honest.Genuine]:
    made = sealed(template_folder, tmp_path_factory.mktemp("attacks"))
    yield made
    made.world.services.database.close()


@pytest.fixture
def genuine(
    request: pytest.FixtureRequest, shared: honest.Genuine, template_folder: Path, tmp_path: Path
) -> Iterator[honest.Genuine]:
    """A sealed file and its world; whatever an attack does to the clock is undone."""
    name = request.node.callspec.params.get("name") if hasattr(request.node, "callspec") else None
    if name in CHANGES_THE_WORLD:
        made = sealed(template_folder, tmp_path)
        yield made
        made.world.services.database.close()
        return
    before = shared.world.at
    yield shared
    assert shared.world.at == before, "name it in CHANGES_THE_WORLD"


def sealed(template_folder: Path, folder: Path) -> honest.Genuine:
    """Issue a confirmation in a world whose judge is the real one: a child of its own for every file."""
    world = worlds.World(worlds.copy(template_folder, folder / "data"), is_sandboxed=True)
    reading.facts_of(b"%PDF-1.7\n%%EOF\n", world.services.trust.current(world.at), world.at, limits=WARMING_UP)
    issued = world.issue(worlds.sample(worlds.KAZAKHSTAN))
    return honest.Genuine(world=world, issued=issued, elsewhere=folder / "strangers")
