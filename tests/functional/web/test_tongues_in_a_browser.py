"""The public pages in Russian, Spanish, Arabic and French, and a buyer's page in all six, as people meet them."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
import world as worlds
from exhibits import VINS
from test_pages_in_a_browser import CODES, ask, overflow, send, unfold

from signer.web.languages import NAMES, OTHERS, TAGS, TONGUES

if TYPE_CHECKING:
    from collections.abc import Callable

    from exhibits import Case
    from playwright.sync_api import Page

    from signer.web.languages import Tongue

    Open = Callable[..., Page]
    Faults = Callable[[Page], list[str]]

SOME = [pytest.param(language, marks=() if language in ("ru", "ar") else pytest.mark.soak) for language in OTHERS]
"""axe-core hears Russian and Arabic each time, the others in soak: what differs between them is words, not pages."""
MORE = [pytest.param(code, marks=() if code == "VALID" else pytest.mark.soak) for code in CODES]
"""Every verdict in every language is for soak, for the same reason."""


def direction(language: Tongue) -> str:
    return "rtl" if language == "ar" else "ltr"


def first_registered() -> str:
    return str(worlds.sample(worlds.KAZAKHSTAN, today=datetime.now(UTC).date())["vehicles"][0]["registered_on"])


def about_a_car(page: Page, vin: str, day: str) -> None:
    page.fill("#vin", vin)
    page.fill("#registered_on", day)
    send(page)


@pytest.mark.parametrize("language", SOME)
def test_form_help_and_refusals_on_a_small_phone(open_page: Open, faults: Faults, language: Tongue) -> None:
    page = open_page(width=320, dark=language in ("ar", "es"))
    page.goto(f"/verify?lang={language}")
    assert page.evaluate("[document.documentElement.lang, document.documentElement.dir]") == [
        TAGS[language],
        direction(language),
    ]
    page.click("details.fold > summary")
    page.click(".tongues summary")
    assert overflow(page) <= 0
    assert faults(page) == []
    page.fill("#box", VINS[0][:-1])
    page.fill("#destination", "Atlantis")
    send(page)
    assert page.evaluate("document.activeElement.className") == "faults"
    assert overflow(page) <= 0
    for address in ("/verify/without-us", "/nothing", "/problems/too-many-requests"):
        page.goto(f"{address}?lang={language}")
        assert overflow(page) <= 0, address
    assert faults(page) == []


@pytest.mark.parametrize("code", MORE)
@pytest.mark.parametrize("language", SOME)
def test_a_verdict_on_a_small_phone_and_on_paper(
    open_page: Open, faults: Faults, case: Case, language: Tongue, code: str
) -> None:
    page = open_page(width=320)
    ask(page, case.exhibits[code], language)
    assert page.evaluate("document.activeElement.id") == "verdict"
    assert page.get_attribute("html", "dir") == direction(language)
    unfold(page)
    assert overflow(page) <= 0
    for number in page.query_selector_all("code.vin, code.number"):
        assert number.evaluate("element => getComputedStyle(element).direction") == "ltr"
    assert faults(page) == []
    page.emulate_media(media="print")
    assert not any(element.is_visible() for element in page.query_selector_all("form, .act, .top-row"))
    assert page.is_visible(".report")


def test_a_licence_in_arabic_is_read_from_the_right(open_page: Open, faults: Faults, case: Case) -> None:
    page = open_page()
    page.goto("/verify?lang=ar")
    files = [
        {"name": name, "mimeType": "application/pdf", "buffer": pdf} for name, pdf in (("a", case.kz), ("b", case.ru))
    ]
    page.set_input_files("#files", files)  # type: ignore[arg-type]
    page.fill("#box", "\n".join(VINS))
    page.click("details.fold > summary")
    page.fill("#destination", "كازاخستان")
    page.fill("#exporter", worlds.TIANSHAN)
    send(page)
    first, second = (page.locator(f"table.cards thead th:nth-child({n})").bounding_box() for n in (1, 2))
    assert first
    assert second
    assert first["x"] > second["x"]
    assert faults(page) == []


def test_no_word_of_an_answer_is_broken_in_the_table_of_a_licence(open_page: Open, case: Case) -> None:
    page = open_page()
    page.goto("/verify?lang=ru")
    files = [
        {"name": name, "mimeType": "application/pdf", "buffer": pdf} for name, pdf in (("a", case.kz), ("b", case.ru))
    ]
    page.set_input_files("#files", files)  # type: ignore[arg-type]
    page.fill("#box", "\n".join((*VINS, "L0YSA3B20T0000199")))
    page.click("details.fold > summary")
    page.fill("#destination", "KZ")
    page.fill("#exporter", worlds.TIANSHAN)
    send(page)
    lines = page.eval_on_selector_all(
        "td .mark > span",
        """marks => marks.map(mark => {
            const range = document.createRange();
            range.selectNodeContents(mark);
            return [mark.textContent, new Set([...range.getClientRects()].map(box => Math.round(box.top))).size];
        })""",
    )
    assert {"Указан, действует", "Не указан", "Нет в лицензии"} <= {text for text, _ in lines}
    assert [text for text, count in lines if count > len(text.split())] == []


def test_the_language_is_chosen_with_the_keyboard(open_page: Open) -> None:
    page = open_page()
    page.goto("/verify/without-us?lang=ru")
    page.focus(".tongues summary")
    page.keyboard.press("Enter")
    for _ in range(6):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.textContent") == NAMES["ar"]:
            break
    page.keyboard.press("Enter")
    page.wait_for_url("**/verify/without-us?lang=ar")
    assert page.get_attribute("html", "dir") == "rtl"


def test_every_language_fits_a_small_phone(open_page: Open, case: Case) -> None:
    page = open_page(width=320)
    for language in TONGUES:
        page.goto(f"/car?lang={language}")
        assert page.evaluate("[document.documentElement.lang, document.documentElement.dir]") == [
            TAGS[language],
            direction(language),
        ]
        assert overflow(page) <= 0, language
        about_a_car(page, VINS[0], first_registered())
        assert page.is_visible(".banner-green")
        assert overflow(page) <= 0, language
    for language in ("es", "fr"):
        page.goto(f"/verify?lang={language}")
        assert overflow(page) <= 0, language
        ask(page, case.exhibits["COVERED"], language)
        unfold(page)
        assert overflow(page) <= 0, language


@pytest.mark.parametrize(
    "language", [pytest.param(each, marks=() if each in ("ru", "ar") else pytest.mark.soak) for each in TONGUES]
)
def test_a_buyers_page_in_each_language_without_scripts(open_page: Open, faults: Faults, language: Tongue) -> None:
    page = open_page(width=320, scripts=False, dark=language in ("ru", "ar", "zh"))
    page.goto(f"/car?lang={language}")
    assert overflow(page) <= 0
    assert faults(page) == []
    about_a_car(page, VINS[0], first_registered())
    assert page.is_visible(".banner-green")
    assert page.locator(".outlets li").count() >= 1
    assert overflow(page) <= 0
    assert faults(page) == []
    page.emulate_media(media="print")
    assert page.is_visible(".outlets li")
    assert not page.is_visible("button")


def test_what_is_not_known_of_a_car_has_no_fault_either(open_page: Open, faults: Faults) -> None:
    page = open_page(width=320)
    page.goto("/car?lang=ar")
    about_a_car(page, VINS[0], "2020-01-01")
    assert page.is_visible(".banner-grey")
    assert overflow(page) <= 0
    assert faults(page) == []


def test_a_buyer_in_russian_finds_the_outlets_of_the_country(open_page: Open, case: Case) -> None:
    page = open_page(width=390)
    page.set_extra_http_headers({"Accept-Language": "kk-KZ,kk;q=0.9,ru;q=0.8"})
    page.goto("/verify")
    page.click("text=Кто обслуживает мой автомобиль")
    assert page.inner_text("h1") == "Кто обслуживает этот автомобиль"
    about_a_car(page, VINS[0][:-1], "")
    assert page.title().startswith("Исправьте ошибки")
    assert page.evaluate("document.activeElement.className") == "faults"
    page.click(".faults a[href='#registered_on']")
    assert page.evaluate("document.activeElement.id") == "registered_on"
    about_a_car(page, VINS[0], first_registered())
    assert page.title().startswith("Обслуживание подтверждено")
    assert page.evaluate("document.activeElement.id") == "verdict"
    text = page.inner_text("main")
    assert re.search(r"Сервисные пункты, работающие сегодня: Казахстан \(\d+\)", text)
    assert "36 месяцев" in text
    assert case.kz_number not in text
    hrefs = page.eval_on_selector_all(".maps a", "links => links.map(link => [link.rel, link.href])")
    assert hrefs
    assert all(rel == "noopener noreferrer" for rel, _ in hrefs)
    assert any(href.startswith("https://www.openstreetmap.org/search?query=") for _, href in hrefs)
    assert ["noopener noreferrer", "geo:43.25,76.95"] in hrefs
