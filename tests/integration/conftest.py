"""
Every test of the register runs on SQLite and on PostgreSQL; of what is built on it, some on PostgreSQL in soak only.

What those do with the database is what the register's own tests, issuing, jobs, keeping and the faults do on both.
"""

from __future__ import annotations

import shutil
from functools import partial
from typing import TYPE_CHECKING

import pytest
import world as worlds
from argon2 import PasswordHasher
from portal import hashed

from signer.identity import passwords

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    import postgres


ON_POSTGRESQL_IN_SOAK = frozenset(
    {
        "test_alarms",
        "test_believing_bundles",
        "test_bundles",
        "test_cars",
        "test_confirming",
        "test_doctor",
        "test_evidence",
        "test_exports",
        "test_importing_job",
        "test_journal",
        "test_keeping",
        "test_keeping_alive",
        "test_life",
        "test_official_copies",
        "test_publishing",
        "test_redacting",
        "test_request_changes",
        "test_requests",
        "test_revocation",
        "test_seal_keeping",
        "test_shares",
    }
)
ON_BOTH = frozenset({"test_a_backup_is_restored_whole_on_either_database"})
"""Of these, what is about the databases themselves."""


AT_EVERY_STEP = frozenset(
    {
        "test_a_clock_that_goes_back_an_hour_at_any_step_breaks_no_order",
        "test_a_queue_deleted_at_any_step_of_a_job_loses_nothing",
        "test_a_withdrawal_in_the_middle_of_superseding_leaves_one_in_force",
        "test_killed_at_any_step_an_approval_ends_in_the_one_document",
        "test_killed_at_any_step_nothing_is_lost_or_doubled",
    }
)
"""Faults at every step: on SQLite at each, on PostgreSQL at these three, and at each in soak."""
THESE = frozenset({"before reserve", "sealed", "in transaction 2"})
ON_SQLITE = {
    "test_a_clock_that_goes_back_an_hour_at_any_step_breaks_no_order": THESE | {"in transaction 1", "recorded"},
}
"""Of these, what kills nobody: on SQLite at these steps, each side of both transactions, and at each in soak."""


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what runs on PostgreSQL in soak only, before what is soak is left out."""
    for item in items:
        given = getattr(getattr(item, "callspec", None), "params", {})
        name = getattr(item, "originalname", "")
        if given.get("database") != "postgresql":
            if name in ON_SQLITE and given.get("step") not in ON_SQLITE[name]:
                item.add_marker(pytest.mark.soak)
            continue
        is_another_step = name in AT_EVERY_STEP and given.get("step") not in THESE
        if (item.path.stem in ON_POSTGRESQL_IN_SOAK and name not in ON_BOTH) or is_another_step:
            item.add_marker(pytest.mark.soak)


@pytest.fixture(autouse=True, scope="module")
def quick_passwords() -> Iterator[None]:
    """Argon2id with little work: what it costs in earnest is held by the tests of passwords."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(passwords, "PasswordHasher", partial(PasswordHasher, time_cost=1, memory_cost=64, parallelism=1))
        hashed.cache_clear()
        yield
    hashed.cache_clear()


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

    def make(kind: str = "", *, folder: Path | None = None) -> worlds.World:
        """Make one; in a folder that is given it stays after the test."""
        place = folder or tmp_path / f"sister-{len(made)}"
        shutil.copytree(world.folder / "keys", place / "keys")
        on_postgresql = kind == "postgresql" or (not kind and world.database_url)
        url = request.getfixturevalue("server").create() if on_postgresql else ""
        found = worlds.World(place, at=world.at, database_url=url)
        if folder is None:
            made.append(found)
        return found

    yield make
    for each in made:
        each.services.database.close()
        if each.database_url:
            request.getfixturevalue("server").drop(each.database_url)


@pytest.fixture
def again(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[[worlds.World], worlds.World]]:
    """Copy a deployment that was made once, register and all; nobody may be using it."""
    made: list[worlds.World] = []

    def make(of: worlds.World) -> worlds.World:
        server = request.getfixturevalue("server") if of.database_url else None
        url = server.create(template=of.database_url) if server else ""
        made.append(worlds.World(worlds.copy(of.folder, tmp_path / "again"), at=of.at, database_url=url))
        return made[-1]

    yield make
    for each in made:
        each.services.database.close()
        if each.database_url:
            request.getfixturevalue("server").drop(each.database_url)
