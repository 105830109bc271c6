"""What every test may use: a working service, copied from one made per process."""

from __future__ import annotations

import gc
import os
import sys
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

sys.path.insert(0, str(Path(__file__).parent))

import hsm as hsms
import memory
import order
import postgres
import structlog
import werkzeug.test
import world as worlds
from hypothesis import HealthCheck, settings

if TYPE_CHECKING:
    from collections.abc import Iterator


settings.register_profile("tests", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("tests")  # no test fails because the machine is busy


def pytest_configure() -> None:
    """
    Let `tmp_path` be in memory, unless somebody says where; what is imported by now is not swept up ever again.

    Forms that Werkzeug's test client sends stay in memory as well: it never closes the files of those above 500 kB.
    Compiled modules are kept, whatever the environment says: hundreds of processes would each compile the house anew.
    """
    sys.dont_write_bytecode = False
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    werkzeug.test.stream_encode_multipart = partial(werkzeug.test.stream_encode_multipart, use_tempfile=False)
    gc.freeze()
    gc.set_threshold(20_000, 50, 50)
    if found := memory.root():
        os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(found))


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Let what takes long begin first, where several processes run tests; alone, they run as they stand."""
    if processes := getattr(config, "workerinput", {}).get("workercount"):
        items[:] = order.spread(items, processes, module=order.module_of)


@pytest.fixture(scope="session")
def template_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder: Path = tmp_path_factory.mktemp("template") / "data"
    folder.mkdir()
    return worlds.build(folder)


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


@pytest.fixture(scope="session")
def hsm(tmp_path_factory: pytest.TempPathFactory) -> hsms.Hsm:
    """Tokens in software, once per test process: the module reads where they are but once."""
    assert hsms.MODULE, "softhsm2 is missing: deploy/setup.sh installs it"
    return hsms.start(tmp_path_factory.mktemp("softhsm"))


@pytest.fixture
def database() -> str:
    """Which database the test runs on; tests of the register say both."""
    return "sqlite"


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


@pytest.fixture(autouse=True)
def logged_as_before() -> Iterator[None]:
    """Let no test that runs an entrance leave its log, on a stream that ends with the test, to the next one."""
    before = structlog.get_config()
    yield
    structlog.configure(**before)
