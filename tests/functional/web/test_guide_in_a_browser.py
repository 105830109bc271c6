"""The pages that explain the API, as people meet them: phone and desk, light and dark, without scripts, on paper."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import world as worlds
from serving import served

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from playwright.sync_api import Page

PAGES = ("/docs", "/docs/drafts", "/docs/verifying", "/docs/shapes")


@pytest.fixture(scope="module")
def address(live_template_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server whose register is empty: these pages ask nothing of it."""
    folder = worlds.copy(live_template_folder, tmp_path_factory.mktemp("guide") / "data")
    with served({"SIGNER_DATA_DIR": str(folder)}) as url:
        yield url


@pytest.mark.parametrize(
    ("tag", "width", "dark"),
    [
        pytest.param("zh-CN", 360, True, id="zh-phone-dark"),
        pytest.param("en", 1280, False, id="en-desk", marks=pytest.mark.soak),  # the same pages, wider
    ],
)
def test_they_fit_read_well_and_need_no_scripts(
    open_page: Callable[..., Page], faults: Callable[[Page], list[str]], tag: str, width: int, dark: bool
) -> None:
    page = open_page(width=width, dark=dark, scripts=False)
    for place in PAGES:
        page.goto(f"{place}?lang={tag}")
        assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 0, place
        assert faults(page) == [], place


def test_an_operation_is_reached_from_the_list_and_printed_whole(open_page: Callable[..., Page]) -> None:
    page = open_page(scripts=False)
    page.goto("/docs?lang=en")
    page.click('a[href="/docs/drafts?lang=en#create_draft"]')
    assert page.evaluate("location.hash") == "#create_draft"
    page.emulate_media(media="print")
    for part in ("#create_draft", "table.api >> nth=0", "pre.sample >> nth=0"):
        assert page.locator(part).first.is_visible(), part
    cut = "[...document.querySelectorAll('pre.sample')].filter(one => one.scrollHeight > one.clientHeight + 1).length"
    assert page.evaluate(cut) == 0
