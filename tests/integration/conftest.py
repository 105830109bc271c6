"""Every test of the register runs on SQLite and on PostgreSQL."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest
import world as worlds

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    import postgres


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest) -> str:
    """Which database the test runs on."""
    kind: str = request.param
    return kind


@pytest.fixture
def empty_url(database: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of an empty database."""
    if database == "sqlite":
        yield f"sqlite:///{tmp_path}/empty.sqlite3"
        return
    server: postgres.Server = request.getfixturevalue("server")
    url = server.create()
    yield url
    server.drop(url)


@pytest.fixture
def sister(
    world: worlds.World, request: pytest.FixtureRequest, tmp_path: Path
) -> Iterator[Callable[..., worlds.World]]:
    """Make a deployment with the same keys and an empty register, on a database of the same kind or another."""
    made: list[worlds.World] = []

    def make(kind: str = "") -> worlds.World:
        folder = tmp_path / f"sister-{len(made)}"
        shutil.copytree(world.folder / "keys", folder / "keys")
        on_postgresql = kind == "postgresql" or (not kind and world.database_url)
        url = request.getfixturevalue("server").create() if on_postgresql else ""
        made.append(worlds.World(folder, at=world.at, database_url=url))
        return made[-1]

    yield make
    for each in made:
        each.services.database.close()
        if each.database_url:
            request.getfixturevalue("server").drop(each.database_url)
