"""What a first time costs: two people who were just invited, from their links to a sealed confirmation of 20 cars."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pyotp
import pytest
import world as worlds
from makers import USCC, Hand, sheet_of, until_sealed

from signer.domain.parties import Role, Uscc
from signer.services.invitations import Invited

if TYPE_CHECKING:
    from collections.abc import Callable

    from makers import House
    from playwright.sync_api import Browser
    from tabs import Tabs

WAYS = ("sheet", "paste", "form")
POINT_S, KEY_S, THINK_S = 1.3, 0.28, 1.35
"""
How long a click, a key and a decision take somebody who knows what to do.

Source: Card, Moran and Newell, The Keystroke-Level Model (CACM 23:7, 1980): P + BB, K of an average typist, M.
"""
CAR = ("vin", "brand", "model", "registered_on", "certificate_manufacturer")
MORE = ("certificate_no", "engine_no", "colour")


@dataclass
class Counted(Hand):
    """A hand whose fields and characters are counted too, and that knows when its phone shows another code."""

    fields: int = 0
    characters: int = 0
    secret: str = ""
    begun: float = 0.0
    waited_s: float = 0.0

    def fill(self, what: str, text: str, *, is_pasted: bool = False) -> None:
        """Put a text into a field: by typing it, or (what was copied elsewhere) by two keys."""
        self.fields += 1
        self.characters += 2 if is_pasted else len(text)
        self.page.fill(what, text)

    def code(self, *, used: str = "") -> str:
        """Return the phone's code, the next one if the last was used: that wait is not the page's."""
        begun, app = time.monotonic(), pyotp.TOTP(self.secret)
        while (now := app.at(datetime.now(UTC), counter_offset=1)) == used:
            time.sleep(1)
        self.waited_s += time.monotonic() - begun
        return now

    def told(self) -> str:
        """Return the figures: as counted, as the browser took, and as a person would take at the least."""
        took_s = time.monotonic() - self.begun - self.waited_s
        person_s = self.clicks * (POINT_S + THINK_S) + self.fields * (POINT_S + THINK_S) + self.characters * KEY_S
        counted = f"{self.clicks} clicks, {self.fields} fields, {self.characters} keys"
        return f"{counted}; {took_s:.0f} s by machine, {person_s / 60:.1f} min by hand"


@pytest.fixture(scope="module")
def links(house: House) -> dict[tuple[str, str], str]:
    """A link for each way and role, made before a browser's loop starts."""
    return {
        (way, role.value): house.world.services.inviting.appoint(
            Invited(login=f"{role}.{way}@example.com", name=f"首次样例{way}", roles=frozenset({role})),
            maker=Uscc(USCC),
            actor="test",
        )
        for way in WAYS
        for role in (Role.PREPARER, Role.APPROVER)
    }


@pytest.fixture(scope="module")
def house_browser(links: dict[tuple[str, str], str], house_browser: Browser) -> Browser:
    del links
    return house_browser


def join(hand: Counted, token: str) -> str:
    """Open the link, choose a password, set up an app; return the code that was used."""
    hand.begun = time.monotonic()
    hand.open(f"/invitations/{token}")
    hand.fill("#password", "four words of somebody")
    hand.go("main button.primary")
    hand.go("form[action='/account/app'] button")
    hand.secret = re.sub(r"\s", "", hand.page.inner_text("code.secret"))
    code = hand.code()
    hand.fill("#code", code)
    hand.go("main button.primary")
    hand.go("main a.button.primary")
    hand.go("a.brand")
    return code


def by_sheet(hand: Counted, plain: Any) -> None:
    """Hand in a sheet as the exporter sent it."""
    hand.go(f"nav a[href$='/{USCC}/imports']")
    file: Any = {"name": "20.xlsx", "mimeType": "application/octet-stream", "buffer": sheet_of(plain, "zh")}
    hand.clicks += 2  # the file's field, and the file
    hand.page.set_input_files("#sheet", file)
    hand.go("form[enctype] button.primary")
    hand.go("form[action$='/run'] button")
    while not hand.page.locator("ul.choices a").count():
        hand.page.wait_for_timeout(300)
        hand.page.reload()
    hand.go("ul.choices a")


def begin(hand: Counted, plain: Any) -> None:
    hand.go(f"nav a[href$='/{USCC}/drafts']")
    hand.go("form[action$='/drafts'] button.primary")
    hand.fill("#exporter", plain["exporter"])
    hand.fill("#destination-country", plain["destination"]["country"])
    hand.fill("#application_planned_on", plain["application_planned_on"])


def type_car(hand: Counted, place: int, car: Any, *, names: tuple[str, ...] = CAR) -> None:
    for name in names:
        hand.fill(f"#vehicles-{place}-{name}", car[name])


def by_paste(hand: Counted, plain: Any) -> None:
    """Type the first car, and paste the others' VINs with their dates, as two columns of a sheet."""
    begin(hand, plain)
    first, *others = plain["vehicles"]
    type_car(hand, 0, first)
    hand.click("details.fold:has(#paste) summary")
    lines = "\n".join(f"{car['vin']}\t{car['registered_on']}" for car in others)
    hand.fill("#paste", lines, is_pasted=True)
    hand.go("button[name=do][value=paste]")
    for place, car in enumerate(others, start=1):
        if hand.page.input_value(f"#vehicles-{place}-registered_on") != car["registered_on"]:
            type_car(hand, place, car, names=("registered_on",))


def by_form(hand: Counted, plain: Any) -> None:
    """Type every car, with what the sheet says of it."""
    begin(hand, plain)
    for place, car in enumerate(plain["vehicles"]):
        type_car(hand, place, car)
        hand.click(f"[data-row='{place}'] details summary")
        type_car(hand, place, car, names=MORE)


def send(hand: Counted) -> None:
    for name, text in (("text_zh", "以本网点承担保修服务。"), ("text_en", "Served here.")):
        if not hand.page.input_value(f"#commitment-{name}"):
            hand.fill(f"#commitment-{name}", text)
    hand.go("button[name=do][value=review]:visible")
    assert hand.page.locator("form[action$='/send']").count(), hand.page.inner_text("main")
    hand.go("form[action$='/send'] button.primary")


@pytest.mark.parametrize(
    ("way", "fill_in"),
    [
        pytest.param("sheet", by_sheet, id="sheet"),
        pytest.param("paste", by_paste, id="paste", marks=pytest.mark.soak),
        pytest.param("form", by_form, id="form", marks=pytest.mark.soak),
    ],
)
def test_two_people_who_were_just_invited_seal_twenty_cars(
    house_tabs: Tabs,
    links: dict[tuple[str, str], str],
    way: str,
    fill_in: Callable[[Counted, Any], None],
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The sheet in every run; the other two ways are figures for a report, and their pages have tests of their own."""
    plain = worlds.sample(worlds.RUSSIA, today=datetime.now(UTC).date())
    for car, fresh in zip(
        plain["vehicles"], worlds.fresh(worlds.RUSSIA, 60 + WAYS.index(way))["vehicles"], strict=True
    ):
        car["vin"] = fresh["vin"]
    preparer = Counted(house_tabs.open(), "zh")
    join(preparer, links[way, "preparer"])
    fill_in(preparer, plain)
    assert preparer.page.locator("tbody.vehicle:not(.vehicle-blank)").count() == 20
    send(preparer)
    prepared = preparer.told()
    approver = Counted(house_tabs.open(), "zh")
    used = join(approver, links[way, "approver"])
    approver.go(f"nav a[href$='/{USCC}/approvals']")
    approver.go("main a[href*='/approvals/']")
    approver.fill("#factor_code", approver.code(used=used))
    approver.go("form[action$='/approve'] button.primary")
    until_sealed(approver)
    approver.go("main a[href*='/confirmations/']")
    assert approver.page.locator("main .badge-yes").count()
    with capsys.disabled():
        print(f"\n{way}: preparer {prepared}\n{way}: approver {approver.told()}")  # noqa: T201 -- asked for as figures
