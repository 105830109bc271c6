"""The whole way of a maker: sign in, hand in a sheet of 20 cars, send; another signs in, approves and downloads."""

from __future__ import annotations

import shutil
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from io import BytesIO
from typing import TYPE_CHECKING, Any

import pytest
import world as worlds
import xlsxwriter
from chromium import FLAGS
from playwright.sync_api import sync_playwright
from portal import Portal
from serving import served
from tabs import PATIENCE_MS, Tabs

from signer.domain.vehicle_columns import VEHICLE_COLUMNS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import pyotp
    from playwright.sync_api import Browser, Page

PREPARER, APPROVER = worlds.PEOPLE[worlds.BEICHEN]
USCC = next(
    maker["record"]["uscc"]
    for maker in worlds.sample("register")["manufacturers"]
    if maker["record"]["legal_name"] == worlds.BEICHEN
)


@dataclass
class House:
    """A deployment served by processes of its own, and what its two people sign in with."""

    world: worlds.World
    address: str
    factors: dict[str, pyotp.TOTP]
    logins: dict[str, str]


@pytest.fixture(scope="module")
def house(live_template_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    folder = worlds.copy(live_template_folder, tmp_path_factory.mktemp("house") / "data")
    world = worlds.World(folder, at=datetime.now(UTC))
    portal = Portal.of(world)
    factors = {person: portal.give_factor(person) for person in (PREPARER, APPROVER)}
    logins = {person: portal.give_password(person, _password(person)) for person in (PREPARER, APPROVER)}
    with served({"SIGNER_DATA_DIR": str(folder)}) as address:
        yield House(world, address, factors, logins)
    world.services.database.close()


@pytest.fixture(scope="module")
def browser(house: House) -> Iterator[Browser]:
    del house
    with sync_playwright() as playwright:
        path = shutil.which("chromium")
        found = playwright.chromium.launch(executable_path=path, args=FLAGS, timeout=PATIENCE_MS)
        yield found
        found.close()


@pytest.fixture
def tabs(browser: Browser, house: House) -> Iterator[Tabs]:
    opened = Tabs(browser, house.address)
    yield opened
    assert opened.close() == []


@dataclass
class Hand:
    """A person at a page, whose clicks are counted."""

    page: Page
    language: str
    clicks: int = 0
    steps: list[str] = field(default_factory=list)

    def open(self, path: str) -> None:
        self.page.goto(f"{path}{'&' if '?' in path else '?'}lang={self.language}")

    def click(self, what: str) -> None:
        self.clicks += 1
        self.page.locator(what).first.click()

    def go(self, what: str) -> None:
        """Click on what leads to another page, and wait for it."""
        self.steps.append(self.page.title()[:40])
        self.clicks += 1
        with self.page.expect_navigation():
            self.page.locator(what).first.click()


def sign_in(hand: Hand, house: House, person: str) -> None:
    hand.open(f"/sign-in?next=/portal/{USCC}")
    hand.page.fill("#login", house.logins[person])
    hand.page.fill("#password", _password(person))
    hand.go("button.primary")
    hand.page.fill("#factor_code", code(house, person))
    hand.go("button.primary")
    assert f"/portal/{USCC}" in hand.page.url


def code(house: House, person: str) -> str:
    """Return a code that was not shown before: a used one never counts again."""
    factor = house.factors[person]
    used = _USED.setdefault(person, set())
    while (now := factor.at(datetime.now(UTC), counter_offset=1 if factor.now() in used else 0)) in used:
        time.sleep(1)
    used.add(now)
    return now


_USED: dict[str, set[str]] = {}


def prepare(hand: Hand, house: House, sheet: bytes) -> str:
    """Hand the sheet in, and send what comes of it; return the draft's address."""
    sign_in(hand, house, PREPARER)
    hand.go(f"nav a[href$='/{USCC}/imports']")
    file: Any = {"name": "20.xlsx", "mimeType": "application/octet-stream", "buffer": sheet}
    hand.page.set_input_files("#sheet", file)
    hand.go("form[enctype] button.primary")
    hand.go("form[action$='/run'] button")
    while "/imports/" in hand.page.url and not hand.page.locator("ul.choices a").count():
        hand.page.wait_for_timeout(300)
        hand.page.reload()
    hand.go("ul.choices a")
    address = hand.page.url.partition("?")[0]
    assert hand.page.locator("tbody.vehicle:not(.vehicle-blank)").count() == 20
    for name in ("text_zh", "text_en"):
        if not hand.page.input_value(f"#commitment-{name}"):
            hand.page.fill(f"#commitment-{name}", "以本网点承担保修服务。" if name == "text_zh" else "Served here.")
    hand.go("button[name=do][value=review]")
    hand.go("form[action$='/send'] button.primary")
    return address


def approve(hand: Hand, house: House) -> bytes:
    """Look at what was sent, approve it, and return the sealed file."""
    sign_in(hand, house, APPROVER)
    hand.go(f"nav a[href$='/{USCC}/approvals']")
    hand.go("main a[href*='/approvals/']")
    assert hand.page.locator("main .vin").count() >= 20
    hand.page.fill("#factor_code", code(house, APPROVER))
    hand.go("form[action$='/approve'] button.primary")
    for _ in range(100):
        if hand.page.locator("main a[href*='/confirmations/']").count():
            break
        hand.page.wait_for_timeout(200)
        hand.page.reload()
    hand.go("main a[href*='/confirmations/']")
    hand.clicks += 1
    with hand.page.expect_download() as told:
        hand.page.locator("main a[href$='/files/sealed']").click()
    return told.value.path().read_bytes()


@pytest.mark.parametrize(("language", "scripts"), [("zh", True), ("zh", False), ("en", True), ("en", False)])
def test_twenty_cars_from_sign_in_to_a_sealed_confirmation(
    tabs: Tabs, house: House, language: str, scripts: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    turn = 40 + 2 * (language == "zh") + scripts
    house.world.change("UPDATE factors SET counter = 0")  # or each turn would wait for its codes of the next minute
    _USED.clear()
    begun = time.monotonic()
    first = Hand(tabs.open(scripts=scripts), language)
    prepare(first, house, sheet_of(turn, language))
    prepared = time.monotonic()
    second = Hand(tabs.open(scripts=scripts), language)
    pdf = approve(second, house)
    ended = time.monotonic()
    verdict = verified(second.page, pdf)
    assert verdict["code"] == "VALID"
    sealed = verdict["confirmation"]["terms"]["vehicles"]
    assert [vehicle["vin"] for vehicle in sealed] == list(vins(turn))
    with capsys.disabled():
        told = f"preparer {first.clicks} clicks, {prepared - begun:.1f} s; approver {second.clicks}, "
        print(f"\n{language}, scripts {scripts}: {told}{ended - prepared:.1f} s")  # noqa: T201 -- asked for as a figure


def verified(page: Page, pdf: bytes) -> Any:
    """Return what the served API says of a file."""
    file: Any = {"name": "x.pdf", "mimeType": "application/pdf", "buffer": pdf}
    return page.request.post("/api/v1/verify", multipart={"file": file}).json()


def vins(turn: int) -> tuple[str, ...]:
    return tuple(vehicle["vin"] for vehicle in worlds.fresh(worlds.RUSSIA, turn)["vehicles"])


def sheet_of(turn: int, language: str) -> bytes:
    """Return a sheet as an exporter would send it, headers in a language."""
    plain = worlds.fresh(worlds.RUSSIA, turn)
    plain = worlds.sample(worlds.RUSSIA, today=datetime.now(UTC).date()) | {"vehicles": plain["vehicles"]}
    whole = {"exporter": plain["exporter"], "country": plain["destination"]["country"], "contract": f"C-{turn}"}
    whole["port"] = plain["destination"].get("port", "")
    columns = [column for column in VEHICLE_COLUMNS if column.reads != "ignored"]
    out = BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True}) as book:
        page = book.add_worksheet()
        page.write_row(0, 0, [column.zh if language == "zh" else column.en for column in columns])
        for row, vehicle in enumerate(plain["vehicles"], start=1):
            for place, column in enumerate(columns):
                value = {**whole, **vehicle}.get(column.name, "")
                page.write_string(row, place, value if isinstance(value, str) else "")
    return out.getvalue()


def _password(person: str) -> str:
    return f"a long word for {person} of the samples"
