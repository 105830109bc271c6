"""The offices as people meet them: an officer on a phone, two operators and a new maker, a reviewer with a scan."""

from __future__ import annotations

import random
import re
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
import scanning
import world as worlds
from makers import Hand, password, sign_in
from portal import Portal
from world import YUNZHOU

from signer.domain.parties import uscc_check_character

if TYPE_CHECKING:
    from makers import House
    from tabs import Tabs

    from signer.services.sealing import Issued

OFFICE = "/portal/office"
OFFICER, FIRST, SECOND = "guan.sample", "wu.sample", "zheng.sample"
NEW = {
    "legal_name": "新辰样例汽车有限公司",
    "uscc": "91310000MA1K00000",
    "announcement": "第四百批 样例序号 9",
    "address": "样例省样例市样例路 9 号",
    "contact": "+86 10 0000 0009",
    "wmis": "LXZ",
    "admin_name": "谢样例",
    "admin_login": "xie@example.com",
}


@pytest.fixture(scope="module")
def issued(house: House) -> tuple[Issued, Issued]:
    """What a maker issued before a browser's loop shuts out all others: three cars and two; and the offices' people."""
    house.world.at = datetime.now(UTC)
    house.world.appoint("officer", OFFICER)
    house.world.appoint("operator", FIRST, SECOND)
    portal = Portal.of(house.world)
    for person in (OFFICER, FIRST, SECOND):
        portal.give_account(person, language="zh")
        house.factors[person] = portal.give_factor(person)
        house.logins[person] = portal.give_password(person, password(person))
    first, second = (house.world.issue(some_cars(turn), by=YUNZHOU) for turn in (61, 62))
    return first, second


@pytest.fixture(scope="module")
def scans(issued: tuple[Issued, Issued]) -> tuple[scanning.Read, ...]:
    """What a reviewer reads on scans of the two papers at 200 dpi; nothing else of them is known to the story."""
    chance = random.Random(8)
    found = tuple(
        scanning.read(scanning.scan(one.pdf, skew=skew, chance=chance))
        for one, skew in zip(issued, (0.6, -0.4), strict=True)
    )
    assert [one.number for one in found] == [str(one.number) for one in issued]
    return found


@pytest.fixture
def numbers(issued: tuple[Issued, Issued], house: House) -> tuple[str, str]:
    """The numbers of what was issued."""
    house.forget_codes()
    return str(issued[0].number), str(issued[1].number)


def some_cars(turn: int) -> Any:
    """Return a sample with cars that no other turn has: three in the first, two in the second."""
    plain = worlds.sample(worlds.KAZAKHSTAN, today=datetime.now(UTC).date())
    return {**plain, "vehicles": worlds.fresh(worlds.KAZAKHSTAN, turn)["vehicles"][: 3 if turn == 61 else 2]}


def five_vins() -> list[str]:
    return [vehicle["vin"] for turn in (61, 62) for vehicle in some_cars(turn)["vehicles"]]


def test_an_officer_on_a_phone_goes_from_sign_in_to_a_vehicles_record_and_a_receipt(
    numbers: tuple[str, str], house_tabs: Tabs, house: House, capsys: pytest.CaptureFixture[str]
) -> None:
    vin = five_vins()[0]
    begun, hand = time.monotonic(), Hand(house_tabs.open(width=360), "zh")
    page = hand.page
    sign_in(hand, house, OFFICER, to=f"{OFFICE}/vehicles")
    page.fill("#vin", vin[-8:])
    page.fill("#reference", "样例案 12 号")
    hand.go("main form button.primary")
    assert page.locator("h2#found").inner_text() == f"{vin[-8:]}：找到 1 处"
    assert house_tabs.faults(page) == []
    hand.go("main tbody a")
    assert page.locator("h1").inner_text().startswith(numbers[0])
    assert page.locator("[data-sealed] tbody tr").count() == 3
    found = time.monotonic()
    hand.go(f"nav a[href$='{OFFICE}/check']")
    page.fill("#box", f"{numbers[0]}\n{vin[-6:]}")
    hand.go("main form button.primary")
    assert house_tabs.faults(page) == []
    hand.go("p.done a")
    with page.expect_download() as told:
        page.locator("main a.button.primary").click()
    receipt = told.value.path().read_bytes()
    ended = time.monotonic()
    assert house.world.services.receipts.examine(receipt).state == "genuine"
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    with capsys.disabled():
        told_s = f"{found - begun:.1f} s to the record, {ended - begun:.1f} s to the receipt"
        print(f"\nofficer on a phone: {told_s}, {hand.clicks} clicks")  # noqa: T201 -- asked for as a figure


def test_two_operators_let_a_manufacturer_in_and_its_administrator_comes_in(
    numbers: tuple[str, str], house_tabs: Tabs, house: House, capsys: pytest.CaptureFixture[str]
) -> None:
    del numbers
    from_zero, begun = Hand(house_tabs.open(), "zh"), time.monotonic()
    sign_in(from_zero, house, FIRST, to=f"{OFFICE}/makers")
    from_zero.go(f"a[href='{OFFICE}/makers/new']")
    for name, value in (NEW | {"uscc": _uscc(), "checked_on": f"{datetime.now(UTC):%Y-%m-%d}"}).items():
        from_zero.page.fill(f"#{name}", value)
    from_zero.go("main form button.primary")
    proposed = time.monotonic()
    assert house_tabs.faults(from_zero.page) == []
    second = Hand(house_tabs.open(), "en")
    sign_in(second, house, SECOND, to=f"{OFFICE}/makers")
    second.go("main ul.choices a")
    house.forget_codes()
    second.page.fill("#factor_code", house.factors[SECOND].now())
    second.go("main form button.primary")
    ended = time.monotonic()
    assert second.page.locator("p.done").is_visible()
    assert house_tabs.faults(second.page) == []
    ((body,),) = house.world.rows("SELECT body FROM mails WHERE recipient = 'xie@example.com'")
    link = re.search(r"/invitations/[0-9a-f]{64}", body)
    assert link is not None
    guest = house_tabs.open()
    guest.goto(link[0])
    assert NEW["legal_name"] in guest.inner_text("main")
    with capsys.disabled():
        told = f"proposed in {proposed - begun:.1f} s, confirmed in {ended - proposed:.1f} s"
        print(f"\na maker let in: {told}; {from_zero.clicks} and {second.clicks} clicks")  # noqa: T201


def _uscc() -> str:
    from_first = NEW["uscc"]
    return from_first + uscc_check_character(from_first)


def test_the_number_printed_beside_a_code_is_the_codes_own_on_a_scan_at_200_dpi(
    scans: tuple[scanning.Read, ...],
) -> None:
    assert [one.printed for one in scans] == [one.number for one in scans]
    assert len({one.printed for one in scans}) == 2


@pytest.mark.parametrize("inside", [False, True])
def test_a_reviewer_with_a_scans_numbers_gets_five_of_five_and_then_the_vin_that_differs(
    scans: tuple[scanning.Read, ...], house_tabs: Tabs, house: House, capsys: pytest.CaptureFixture[str], inside: bool
) -> None:
    house.forget_codes()
    hand, numbers = Hand(house_tabs.open(), "zh"), tuple(one.printed for one in scans)
    if inside:
        sign_in(hand, house, OFFICER, to=f"{OFFICE}/check")
    vins = five_vins()
    other = worlds.fresh(worlds.KAZAKHSTAN, 63)["vehicles"][0]["vin"]
    titles, seconds = [], []
    for asked in (vins, [*vins[:4], other]):
        seconds.append(_licence(hand, numbers, asked, inside=inside))
        titles.append(hand.page.title())
    assert ("5 个车辆识别代号中 5 个相符" in titles[0], "5 个车辆识别代号中 4 个相符" in titles[1]) == (True, True), (
        titles
    )
    odd = hand.page.locator("main table tbody tr", has=hand.page.locator(".mark-no"))
    assert [row.locator("th .vin").inner_text().replace(" ", "") for row in odd.all()] == [other]
    assert house_tabs.faults(hand.page) == []
    with capsys.disabled():
        told = f"5 of 5 in {seconds[0]:.1f} s, 4 of 5 in {seconds[1]:.1f} s"
        print(f"\nreviewer {'signed in' if inside else 'without account'}: {told}")  # noqa: T201


def _licence(hand: Hand, numbers: tuple[str, ...], vins: list[str], *, inside: bool) -> float:
    """Type what stands on the scans and in the application, key by key; return how long the whole question took."""
    begun = time.monotonic()
    hand.open(f"{OFFICE}/check" if inside else "/verify")
    page = hand.page
    page.locator("#box").press_sequentially("\n".join((*numbers, *vins)))
    page.locator("details.fold summary").click()
    page.locator("#destination").press_sequentially("KZ")
    page.locator("#exporter").press_sequentially(worlds.TIANSHAN)
    hand.go("main form button.primary")
    return time.monotonic() - begun
