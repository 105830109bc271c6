"""A share link in a browser: the fragment is handed over and gone, or pasted without scripts; axe finds nothing."""

from __future__ import annotations

import shutil
import threading
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import exporting
import pytest
import world as worlds
from chromium import FLAGS
from playwright.sync_api import sync_playwright
from portal import Portal
from tabs import PATIENCE_MS, Tabs
from werkzeug.serving import make_server

from signer.domain.parties import Uscc
from signer.web.languages import TAGS
from signer.web.portal.shared import proof_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from typing import TypeAlias

    from signer.domain.number import Number
    from signer.web.languages import Tongue

    Paper: TypeAlias = tuple[worlds.World, Number]

EXPORTER = Uscc(worlds.TIANSHAN)


@pytest.fixture(scope="module")
def paper(live_template_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Paper]:
    """A paper in force, made before a browser's loop shuts out all others."""
    at = datetime.now(UTC)
    world = worlds.World(worlds.copy(live_template_folder, tmp_path_factory.mktemp("sharing") / "data"), at=at)
    exporting.accept(world, EXPORTER, worlds.YUNZHOU)
    issued = world.issue(worlds.sample(worlds.KAZAKHSTAN, today=at.date()))
    yield world, issued.number
    world.services.database.close()


@pytest.fixture(scope="module")
def tabs(paper: Paper) -> Iterator[Tabs]:
    server = make_server("127.0.0.1", 0, Portal.of(paper[0]).app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS, timeout=PATIENCE_MS)
        opened = Tabs(browser, f"http://127.0.0.1:{server.server_port}")
        yield opened
        assert opened.close() == []
        browser.close()
    server.shutdown()
    thread.join()


def link(paper: Paper) -> str:
    world, number = paper
    maker = worlds.PEOPLE[worlds.YUNZHOU][0]
    return f"/share#{world.services.sharing.make(EXPORTER, number, label='', days=7, by=maker)}"


@pytest.mark.parametrize(
    ("width", "dark", "lang"),
    [
        (360, False, "zh"),
        (320, False, "ru"),
        (1200, True, "ar"),
        *(pytest.param(360, lang == "es", lang, marks=pytest.mark.soak) for lang in ("en", "es", "fr")),
    ],
)
def test_a_link_opens_by_itself_and_its_secret_leaves_the_address(
    paper: Paper, tabs: Tabs, width: int, lang: Tongue, *, dark: bool
) -> None:
    page, address = tabs.open(width=width, dark=dark), link(paper)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(address.replace("#", f"?lang={lang}#"))
    page.wait_for_url("**/shared/*")
    assert page.locator("h1").inner_text() == paper[1]
    secret = address.partition("#")[2]
    assert not any(secret in url.partition("#")[0] for url in asked)
    page.go_back()
    assert secret not in page.url
    page.goto(next(url for url in asked if "/shared/" in url))
    tag, turned = TAGS[lang], "rtl" if lang == "ar" else "ltr"
    assert page.evaluate("[document.documentElement.lang, document.documentElement.dir]") == [tag, turned]
    for number in page.query_selector_all("code.vin, code.number"):
        assert number.evaluate("element => getComputedStyle(element).direction") == "ltr"
    assert tabs.faults(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_without_scripts_the_link_is_pasted(paper: Paper, tabs: Tabs) -> None:
    page, address = tabs.open(width=360, scripts=False), link(paper)
    page.goto(address)
    assert tabs.faults(page) == []
    page.fill("#secret", f"http://127.0.0.1{address}")
    page.click("button.primary")
    page.wait_for_url("**/shared/*")
    assert page.locator("h1").inner_text() == paper[1]


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_the_status_page_is_in_order_on_a_phone(paper: Paper, tabs: Tabs, lang: str) -> None:
    world, number = paper
    page = tabs.open(width=320, dark=lang == "en")
    ref = world.services.status_links.make(EXPORTER, number, label="", by="member.sample")
    page.goto(f"/status/{number}/{proof_of(world.services.vault().key('status'), number, ref)}?lang={lang}")
    assert tabs.faults(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
