"""The real server in a process of its own, and Debian's chromium: nothing is downloaded, nothing leaves here."""

from __future__ import annotations

import json
import shutil
import sys
import urllib.request
from contextlib import AbstractContextManager, ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import world as worlds
from playwright.sync_api import sync_playwright

sys.path.insert(0, str(Path(__file__).parent))

import exhibits
import makers
from chromium import FLAGS
from serving import served
from tabs import PATIENCE_MS, Tabs

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playwright.sync_api import Browser, Page


@pytest.fixture(scope="session")
def case(live_template_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> exhibits.Case:
    """Every exhibit, over a register by the machine's own clock."""
    at, folder = datetime.now(UTC), tmp_path_factory.mktemp("case")
    stranger = folder / "stranger"
    stranger.mkdir()
    return exhibits.make(
        worlds.copy(live_template_folder, folder / "data"),
        worlds.copy(live_template_folder, folder / "sister"),
        worlds.build(stranger, at=at),
        at=at,
    )


@pytest.fixture(scope="session")
def address(case: exhibits.Case) -> Iterator[str]:
    """The address of the server over the exhibits' register."""
    with served({"SIGNER_DATA_DIR": str(case.folder)}) as url:
        wake(url, case.kz)
        yield url


def wake(url: str, pdf: bytes) -> None:
    """Let a server's first reader begin, which a busy machine may take longer for than a file may take."""
    asked = urllib.request.Request(f"{url}/api/v1/verify", pdf, {"Content-Type": "application/pdf"})
    for _ in range(20):
        with urllib.request.urlopen(asked, timeout=PATIENCE_MS / 1000) as answer:
            if json.load(answer)["code"] != "UNREADABLE":
                return


@pytest.fixture(scope="session")
def elsewhere(
    live_template_folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[str], tuple[str, exhibits.Exhibit]]]:
    """Serve what a verdict needs that needs a deployment of its own: its address, and what to ask there."""
    folder = tmp_path_factory.mktemp("elsewhere")
    with ExitStack() as stack:

        def serve(code: str) -> tuple[str, exhibits.Exhibit]:
            environment, paper = exhibits.make_elsewhere(code, live_template_folder, folder, at=datetime.now(UTC))
            return stack.enter_context(served(environment)), paper

        yield serve


@pytest.fixture(scope="session")
def served_offline() -> Callable[[dict[str, str]], AbstractContextManager[str]]:
    """Serve imported bundles, with the network cut: the socket that listens is the only one it is given."""
    return lambda given: served(given, by="bundles")


@pytest.fixture(scope="session")
def house(live_template_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[makers.House]:
    """A deployment whose people have passwords and authenticator apps, served under the name of this machine."""
    folder = worlds.copy(live_template_folder, tmp_path_factory.mktemp("house") / "data")
    world = worlds.World(folder, at=datetime.now(UTC))
    factors, logins = makers.furnished(world)
    with served({"SIGNER_DATA_DIR": str(folder)}, host="localhost") as address:
        yield makers.House(world, address, factors, logins)
    world.services.database.close()


@pytest.fixture(scope="module")
def browser(address: str) -> Iterator[Browser]:
    """Debian's chromium; started after the papers are sealed and ended with the module: its loop shuts out others."""
    del address
    with launched() as found:
        yield found


@pytest.fixture(scope="module")
def house_browser(house: makers.House) -> Iterator[Browser]:
    """The same, after the house is furnished."""
    del house
    with launched() as found:
        yield found


@contextmanager
def launched() -> Iterator[Browser]:
    path = shutil.which("chromium")
    assert path, "chromium is missing: apt-get install chromium"
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=path, args=FLAGS, timeout=PATIENCE_MS)
        yield found
        found.close()


@pytest.fixture
def house_tabs(house_browser: Browser, house: makers.House) -> Iterator[Tabs]:
    """Tabs at the house."""
    opened = Tabs(house_browser, house.address)
    yield opened
    assert opened.close() == []


@pytest.fixture
def tabs(browser: Browser, address: str) -> Iterator[Tabs]:
    """The tabs of one test; every complaint of the browser fails it."""
    opened = Tabs(browser, address)
    yield opened
    assert opened.close() == []


@pytest.fixture
def open_page(tabs: Tabs) -> Callable[..., Page]:
    """Open pages at a size, with scripts or without."""
    return tabs.open


@pytest.fixture
def faults(tabs: Tabs) -> Callable[[Page], list[str]]:
    """Return what axe-core finds in a page, as it stands."""
    return tabs.faults


@pytest.fixture
def contrast(tabs: Tabs) -> Callable[[Page], list[str]]:
    """Return what axe-core finds of contrast alone, in the theme that a page is shown in now."""
    return tabs.contrast
