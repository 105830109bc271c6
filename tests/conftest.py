"""What every test may use: a working service, copied from one made per process."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

sys.path.insert(0, str(Path(__file__).parent))

import world as worlds

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session")
def template_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder: Path = tmp_path_factory.mktemp("template") / "data"
    folder.mkdir()
    return worlds.build(folder)


@pytest.fixture
def world(template_folder: Path, tmp_path: Path) -> Iterator[worlds.World]:
    """A service in which the samples' parties are known and nothing is issued yet."""
    made = worlds.World(worlds.copy(template_folder, tmp_path / "data"))
    yield made
    made.services.database.close()


@pytest.fixture(scope="session")
def live_template_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder: Path = tmp_path_factory.mktemp("live") / "data"
    folder.mkdir()
    return worlds.build(folder, at=datetime.now(UTC))


@pytest.fixture
def live_world(live_template_folder: Path, tmp_path: Path) -> Iterator[worlds.World]:
    """The same by the machine's clock, for processes that ask no test what time it is."""
    made = worlds.World(worlds.copy(live_template_folder, tmp_path / "data"), at=datetime.now(UTC))
    yield made
    made.services.database.close()
