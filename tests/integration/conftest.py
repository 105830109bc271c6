"""Every test of the register runs on SQLite and on PostgreSQL."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import postgres
import pytest
import world as worlds

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


@pytest.fixture(scope="session")
def server() -> Iterator[postgres.Server]:
    """A PostgreSQL server, once per test process."""
    started = postgres.start()
    yield started
    postgres.stop(started)


@pytest.fixture(scope="session")
def postgresql_template(server: postgres.Server, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A deployment on PostgreSQL: its folder and its database, from which tests copy theirs."""
    folder: Path = tmp_path_factory.mktemp("postgresql") / "data"
    folder.mkdir()
    url = server.create()
    return worlds.build(folder, database_url=url), url


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest) -> str:
    """Which database the test runs on."""
    kind: str = request.param
    return kind


@pytest.fixture
def world(database: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[worlds.World]:
    """A service in which the samples' parties are known and nothing is issued yet, on either database."""
    if database == "sqlite":
        made = worlds.World(worlds.copy(request.getfixturevalue("template_folder"), tmp_path / "data"))
        yield made
        made.services.database.close()
        return
    server: postgres.Server = request.getfixturevalue("server")
    folder, template = request.getfixturevalue("postgresql_template")
    url = server.create(template=template)
    made = worlds.World(worlds.copy(folder, tmp_path / "data"), database_url=url)
    yield made
    made.services.database.close()
    server.drop(url)


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
