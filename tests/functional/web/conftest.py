"""The real server in a process of its own, and Debian's chromium: nothing is downloaded, nothing leaves here."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import world as worlds
from playwright.sync_api import sync_playwright

sys.path.insert(0, str(Path(__file__).parent))

import exhibits

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playwright.sync_api import Browser, Page

_SERVE = "import sys; from signer import serve, settings; serve.run(settings.load(), port=int(sys.argv[1]), workers=1)"
_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--no-first-run",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
]


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
    with _served({"SIGNER_DATA_DIR": str(case.folder)}) as url:
        yield url


@pytest.fixture(scope="session")
def elsewhere(
    live_template_folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, tuple[str, exhibits.Exhibit]]]:
    """Verdicts that need a deployment of their own, by code: its address, and what to ask there."""
    at, folder = datetime.now(UTC), tmp_path_factory.mktemp("elsewhere")
    papers = exhibits.make_elsewhere(live_template_folder, folder, at=at)
    with ExitStack() as stack:
        yield {
            code: (stack.enter_context(_served(environment)), paper) for code, (environment, paper) in papers.items()
        }


@contextmanager
def _served(given: dict[str, str]) -> Iterator[str]:
    """Serve a folder; the server is ended by its own handle."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    clean = {name: value for name, value in os.environ.items() if not name.upper().startswith("SIGNER_")}
    environment = {**clean, "SIGNER_MODE": "test", "SIGNER_LOG_LEVEL": "warning", **given}
    server = subprocess.Popen([sys.executable, "-c", _SERVE, str(port)], env=environment, cwd=worlds.ROOT)
    try:
        _wait(f"http://127.0.0.1:{port}/healthz", server)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait(timeout=40)


def _wait(url: str, server: subprocess.Popen[bytes]) -> None:
    for _ in range(150):
        assert server.poll() is None, "the server ended by itself"
        try:
            with urllib.request.urlopen(url, timeout=2):
                return
        except OSError:
            time.sleep(0.1)
    pytest.fail("the server does not answer")


@pytest.fixture(scope="module")
def browser(address: str) -> Iterator[Browser]:
    """Debian's chromium; started after the papers are sealed and ended with the module: its loop shuts out others."""
    del address
    path = shutil.which("chromium")
    assert path, "chromium is missing: apt-get install chromium"
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=path, args=_FLAGS)
        yield found
        found.close()


@pytest.fixture
def open_page(browser: Browser, address: str) -> Iterator[Callable[..., Page]]:
    """Open pages at a size; every complaint of the browser (a broken wall, an error in a script) fails the test."""
    contexts, complaints = [], []

    def opened(*, width: int = 1200, scripts: bool = True, dark: bool = False, at: str = address) -> Page:
        context = browser.new_context(
            base_url=at,
            viewport={"width": width, "height": 900},
            java_script_enabled=scripts,
            color_scheme="dark" if dark else "light",
        )
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda told: complaints.append(told.text) if told.type == "error" else None)
        return page

    yield opened
    for context in contexts:
        context.close()
    assert [told for told in complaints if "status of 4" not in told] == []
