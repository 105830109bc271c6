"""The verify page as people meet it: every verdict, two languages, phone and desk, with and without scripts."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING, Any

import pypdfium2
import pytest
from exhibits import ELSEWHERE, TIANSHAN, VINS, Exhibit
from tabs import PATIENCE_MS

from signer.domain.verdict import Code
from signer.verification import wording

if TYPE_CHECKING:
    from collections.abc import Callable

    from exhibits import Case
    from playwright.sync_api import Page

    Open = Callable[..., Page]
    Elsewhere = Callable[[str], tuple[str, Exhibit]]
    Faults = Callable[[Page], list[str]]

CODES = (
    *("VALID", "VALID_WITH_NOTICE", "COVERED", "ON_RECORD", "OFFICIAL_COPY"),
    *("SUPERSEDED", "PARTLY_SUPERSEDED", "PAST_END", "INDETERMINATE"),
    *("WITHDRAWN", "NOT_COVERED", "NOT_ON_RECORD", "NOT_REGISTERED", "UNKNOWN_SEAL", "ALTERED", "UNSEALED"),
    *("NOT_A_CONFIRMATION", "UNREADABLE"),
)
ONE_A_COLOUR = ("VALID", "ON_RECORD", "INDETERMINATE", "WITHDRAWN", "NOT_A_CONFIRMATION")
SOME = [pytest.param(code, marks=() if code in ONE_A_COLOUR else pytest.mark.soak) for code in CODES]
"""One code a colour is tried on a phone with scripts, in light and dark; in soak every code is, in every way."""
FEWER = [pytest.param(code, marks=() if code in ("VALID", "WITHDRAWN") else pytest.mark.soak) for code in CODES]
"""In the three other ways: one answer with its content and one that is red; colours are the same stylesheet's."""
NO_ENGINE_YET = ("CODE_INVALID", "PAPER_GENUINE")


def ask(page: Page, exhibit: Exhibit, language: str) -> None:
    """Fill in the form as a person does, and send it."""
    page.goto(f"/verify?lang={language}")
    files = [{"name": name, "mimeType": "application/pdf", "buffer": pdf} for name, pdf in exhibit.files.items()]
    if files:
        page.set_input_files("#files", files)  # type: ignore[arg-type]
    page.fill("#box", exhibit.box)
    if exhibit.destination or exhibit.exporter or exhibit.applied_on:
        page.click("details.fold > summary")
        page.fill("#destination", exhibit.destination)
        page.fill("#exporter", exhibit.exporter)
        page.fill("#applied_on", exhibit.applied_on)
    send(page)


def send(page: Page) -> None:
    """Press the button and wait for the answer, however long it takes to come."""
    with page.expect_navigation():
        page.click("button.primary")


def unfold(page: Page) -> None:
    """Open everything that is folded."""
    for summary in page.query_selector_all("main summary"):
        summary.click()


def overflow(page: Page) -> int:
    """Return how many pixels the page is wider than the window."""
    return int(page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth"))


@pytest.mark.parametrize("code", SOME)
def test_every_verdict_on_a_phone_in_chinese_with_scripts_and_each_colour_in_the_dark(
    open_page: Open, faults: Faults, contrast: Faults, case: Case, code: str
) -> None:
    page = open_page(width=390)
    ask(page, case.exhibits[code], "zh")
    banner = wording.banner(Code(code), "zh")
    assert page.title().startswith(banner)
    assert page.inner_text("h1") == banner
    assert page.evaluate("document.activeElement.id") == "verdict"
    assert page.get_attribute("html", "lang") == "zh-CN"
    assert overflow(page) <= 0
    unfold(page)
    assert overflow(page) <= 0
    assert faults(page) == []
    page.emulate_media(color_scheme="dark")
    assert contrast(page) == []


@pytest.mark.parametrize("code", FEWER)
def test_every_verdict_on_a_phone_in_chinese_without_scripts(
    open_page: Open, faults: Faults, case: Case, code: str
) -> None:
    page = open_page(width=390, scripts=False)
    ask(page, case.exhibits[code], "zh")
    assert page.title().startswith(wording.banner(Code(code), "zh"))
    assert page.is_visible(f".banner-{Code(code).colour}")
    unfold(page)
    assert overflow(page) <= 0
    assert faults(page) == []


@pytest.mark.parametrize("code", FEWER)
def test_every_verdict_at_320_pixels_and_at_a_desk_in_english_without_scripts(
    open_page: Open, faults: Faults, case: Case, code: str
) -> None:
    page = open_page(width=320, scripts=False)
    ask(page, case.exhibits[code], "en")
    assert page.title().startswith(wording.banner(Code(code), "en"))
    assert "TEST" in page.title()
    assert page.is_visible(f".banner-{Code(code).colour}")
    assert not page.is_visible(".copy")
    assert page.is_visible(".no-js")
    assert overflow(page) <= 0
    page.set_viewport_size({"width": 1200, "height": 900})
    assert faults(page) == []


@pytest.mark.parametrize("code", FEWER)
def test_every_verdict_at_a_desk_in_english_with_scripts(
    open_page: Open, faults: Faults, case: Case, code: str
) -> None:
    page = open_page()
    ask(page, case.exhibits[code], "en")
    assert page.inner_text("h1") == wording.banner(Code(code), "en")
    assert faults(page) == []


@pytest.mark.parametrize(
    "code", [pytest.param(code, marks=() if code == "SEAL_REVOKED" else pytest.mark.soak) for code in ELSEWHERE]
)
def test_verdicts_that_need_a_deployment_of_their_own(
    open_page: Open, faults: Faults, elsewhere: Elsewhere, code: str
) -> None:
    address, paper = elsewhere(code)
    banners = {language: wording.banner(Code(code), language) for language in ("zh", "en")}  # type: ignore[arg-type]
    for language, scripts in (("zh", True), ("zh", False), ("en", True), ("en", False)):
        page = open_page(width=390 if language == "zh" else 1200, scripts=scripts, at=address)
        ask(page, paper, language)
        assert page.title().startswith(banners[language])
        assert page.is_visible(f".banner-{Code(code).colour}")
        assert overflow(page) <= 0
        assert faults(page) == []


def test_no_verdict_is_missing_here() -> None:
    assert {*CODES, *ELSEWHERE, *NO_ENGINE_YET} == set(Code)


def test_without_scripts_nothing_of_ours_runs_and_nothing_is_hidden_from_axe(open_page: Open, faults: Faults) -> None:
    with_scripts, without = open_page(), open_page(scripts=False)
    for page in (with_scripts, without):
        page.goto("/verify?lang=en")
    assert with_scripts.get_attribute("html", "class") == "js"
    assert without.get_attribute("html", "class") is None
    rules = without.evaluate(
        "[...document.styleSheets].flatMap(sheet => [...sheet.cssRules]).map(rule => rule.cssText)"
    )
    assert not [rule for rule in rules if "(scripting" in rule], "such a rule changes when scripts are lent to axe-core"
    without.evaluate(
        """() => {
            const main = document.querySelector("main");
            main.insertAdjacentHTML("beforeend", "<input class=no-js><p class=no-js>faint</p><p class=no-js>pale</p>");
            const [faint, pale] = main.querySelectorAll("p.no-js");
            faint.style.cssText = "color: #8a8a8a; background: #ffffff";
            pale.style.cssText = "color: #666666; background: #ffffff";
        }"""
    )
    found = sorted(fault.partition(":")[0] for fault in faults(without))
    assert found == ["color-contrast", "color-contrast-enhanced", "label"]


@pytest.mark.parametrize("scripts", [True, False])
def test_the_form_has_no_fault_in_either_language_or_theme(open_page: Open, faults: Faults, scripts: bool) -> None:
    for language, dark in (("zh", False), ("en", True)):
        page = open_page(width=320, dark=dark, scripts=scripts)
        page.goto(f"/verify?lang={language}")
        page.click("details.fold > summary")
        assert faults(page) == []
        assert overflow(page) <= 0
        page.goto(f"/verify/without-us?lang={language}")
        assert faults(page) == []


def test_what_is_wrong_is_focused_and_linked_without_scripts_too(open_page: Open, faults: Faults) -> None:
    page = open_page(width=390, scripts=False)
    ask(page, Exhibit(box=VINS[0][:-1], destination="Atlantis"), "zh")
    assert page.evaluate("document.activeElement.className") == "faults"
    page.click(".faults a[href='#destination']")
    assert page.evaluate("document.activeElement.id") == "destination"
    assert faults(page) == []
    page.goto("/verify/nothing?lang=zh")
    assert page.get_attribute("html", "lang") == "zh-CN"
    assert faults(page) == []


def test_what_is_wrong_is_focused_linked_and_described(open_page: Open, faults: Faults) -> None:
    page = open_page()
    ask(page, Exhibit(box=VINS[0][:-1], destination="Atlantis"), "en")
    assert page.evaluate("document.activeElement.className") == "faults"
    assert page.title().startswith("Please mend")
    page.click(".faults a[href='#destination']")
    assert page.evaluate("document.activeElement.id") == "destination"
    assert "destination-wrong" in (page.get_attribute("#destination", "aria-describedby") or "")
    assert page.input_value("#destination") == "Atlantis"
    assert faults(page) == []


@pytest.mark.parametrize("scripts", [True, False])
def test_a_licence_is_checked_with_and_without_scripts(
    open_page: Open, faults: Faults, case: Case, scripts: bool
) -> None:
    page = open_page(width=390 if scripts else 1200, scripts=scripts)
    papers = {"kz.pdf": case.kz, "ru.pdf": case.ru}
    asked = "\n".join((*VINS, "L0YSA3B20T0000199"))
    ask(page, Exhibit(files=papers, box=asked, destination="哈萨克斯坦", exporter=TIANSHAN), "zh")
    assert "4 个车辆识别代号中 3 个相符" in page.title()
    assert page.locator("tbody tr").count() >= 4
    with page.expect_download() as download:
        page.click("a[download='licence-check.csv']")
    assert VINS[0] in download.value.path().read_text(encoding="utf-8-sig")
    with page.expect_download() as download:
        page.click("a[download^='receipt-']")
    page.click("details.receipt summary")
    assert download.value.path().read_text() == page.input_value("details.receipt textarea").strip()
    assert faults(page) == []
    assert overflow(page) <= 0


def test_twenty_cars_a_long_name_and_an_arabic_address_fit_a_small_phone(open_page: Open, case: Case) -> None:
    page = open_page(width=320)
    ask(page, Exhibit(files={f"{'很长的文件名' * 30}.pdf": case.ru}), "zh")
    assert page.locator("[data-sealed] .vin").count() == 20
    assert overflow(page) <= 0
    ask(page, Exhibit(files={"ae.pdf": case.ae}), "zh")
    arabic = page.locator(".local[lang=ar]").first
    assert arabic.evaluate("element => getComputedStyle(element).direction") == "rtl"
    assert page.locator(".vin").first.get_attribute("dir") == "ltr"
    assert overflow(page) <= 0


def test_pasted_vins_are_compared_at_once_without_sending_anything(open_page: Open, case: Case) -> None:
    page = open_page()
    ask(page, Exhibit(files={"kz.pdf": case.kz}), "en")
    sent: list[str] = []
    page.on("request", lambda request: None if "/static/" in request.url else sent.append(request.url))
    page.fill("#box", f"l0y sa3b29 t0000101\n{VINS[1][:-1]}9")
    rows = page.locator("[data-compared] li").all_inner_texts()
    assert [re.sub(r"\s+", " ", row) for row in rows] == [
        f"{VINS[0]} ✓ Listed, in force",
        f"{VINS[1][:-1]}9 ✗ Not listed",
        f"{VINS[1]} – Not asked for",
        f"{VINS[2]} – Not asked for",
    ]
    assert sent == []


def test_a_vin_is_copied_whole(open_page: Open, case: Case) -> None:
    page = open_page()
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    ask(page, Exhibit(files={"kz.pdf": case.kz}), "en")
    page.click(f"[data-copy='{VINS[0]}']")
    deadline = time.monotonic() + PATIENCE_MS / 1000
    while (copied := page.evaluate("navigator.clipboard.readText()")) == "" and time.monotonic() < deadline:
        page.wait_for_timeout(20)
    assert copied == VINS[0]


def test_a_file_is_dropped_and_its_size_and_digest_are_shown(open_page: Open) -> None:
    page = open_page()
    page.goto("/verify?lang=en")
    page.evaluate(
        """() => {
            const moved = new DataTransfer();
            moved.items.add(new File(["abc"], "dropped.pdf", { type: "application/pdf" }));
            document.dispatchEvent(new DragEvent("drop", { dataTransfer: moved, bubbles: true, cancelable: true }));
        }"""
    )
    page.wait_for_selector("[data-chosen] code")
    shown = page.inner_text("[data-chosen]")
    assert "dropped.pdf" in shown
    assert "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" in shown
    send(page)
    assert page.title().startswith("This file cannot be read")


def test_a_printed_code_fills_in_the_number(open_page: Open, case: Case) -> None:
    page = open_page(width=390)
    page.goto(f"/verify?lang=zh#{case.kz_number}")
    assert page.input_value("#box").strip() == case.kz_number
    assert page.evaluate("document.activeElement.id") == "box"


def test_the_keyboard_alone_is_enough(open_page: Open, case: Case) -> None:
    page = open_page()
    page.goto("/verify?lang=en")
    for _ in range(12):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.id") == "box":
            break
    page.keyboard.type(f"{case.kz_number} {VINS[0][-6:]}")
    for _ in range(3):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.type") == "submit":
            break
    page.keyboard.press("Enter")
    page.wait_for_url("**/verify")
    assert page.title().startswith("On record")


def test_a_file_of_60_megabytes_gets_a_clear_message(open_page: Open, tmp_path: Any) -> None:
    large = tmp_path / "large.pdf"
    large.write_bytes(b"%PDF-1.7\n" + b"\0" * 60_000_000)
    page = open_page()
    page.goto("/verify?lang=en")
    page.set_input_files("#files", str(large))
    assert "larger than 20 MB" in page.inner_text("[data-chosen]")
    send(page)
    assert page.title().startswith("Too large")


def test_the_print_is_short_complete_and_without_controls(open_page: Open, case: Case) -> None:
    page = open_page()
    ask(page, Exhibit(files={"kz.pdf": case.kz}), "zh")
    page.emulate_media(media="print")
    for control in ("form", ".copy", ".act", ".top-row"):
        assert not any(element.is_visible() for element in page.query_selector_all(control)), control
    for kept in (".banner", ".test-panel", ".answers", "[data-sealed]", ".line", ".report", ".print .checks"):
        assert page.is_visible(kept), kept


def test_the_print_is_a_report_with_question_answer_checks_time_host_and_receipt(open_page: Open, case: Case) -> None:
    page = open_page(scripts=False)
    asked = Exhibit(files={"kz.pdf": case.kz}, box="\n".join(VINS), destination="KZ", exporter=TIANSHAN)
    ask(page, asked, "en")
    assert not page.is_visible(".report")
    receipt = page.inner_text("h3#receipt + p code")
    with pypdfium2.PdfDocument(page.pdf(format="A4", display_header_footer=False)) as printed:
        texts = [sheet.get_textpage().get_text_range() for sheet in printed]
    text = " ".join(" ".join(texts).split())
    assert len(texts) <= 4
    assert text.index("Verification report") < text.index("What this means") < text.index("What this does not prove")
    asked_for = (*VINS, "KZ", TIANSHAN)
    for told in (receipt, "Valid", *asked_for, "127.0.0.1:8000", "(UTC+8)", "signature verify", "nothing about today"):
        assert told in text, told
