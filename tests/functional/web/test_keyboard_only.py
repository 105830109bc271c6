"""The whole way of a maker without a mouse: the focus is always seen and never caught, and nothing is out of reach."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import world as worlds
from keys import Keys
from makers import APPROVER, PREPARER, USCC, code, password

if TYPE_CHECKING:
    import pytest
    from makers import House
    from tabs import Tabs


def sign_in(keys: Keys, house: House, person: str) -> None:
    """From a new page, by the link that skips what every page has on top."""
    keys.page.goto("/sign-in?lang=en")
    keys.tab()
    assert keys.is_on("a.skip"), "the first place leads past the head"
    keys.press("Enter")
    keys.tab()
    assert keys.is_on("#login"), "and what follows is the page's own first field"
    keys.type("#login", house.logins[person])
    keys.type("#password", password(person))
    with keys.page.expect_navigation():
        keys.press("Enter")
    keys.type("#factor_code", code(house, person))
    with keys.page.expect_navigation():
        keys.press("Enter")
    assert f"/portal/{USCC}" in keys.page.url


def prepare(keys: Keys, plain: dict) -> None:
    """Fill in the form of a draft, and send it."""
    keys.go(f"nav a[href$='/{USCC}/drafts']")
    keys.go("form[action$='/drafts'] button.primary", "Space")
    keys.type("#exporter", plain["exporter"])
    keys.type("#destination-country", plain["destination"]["country"])
    keys.type("#application_planned_on", plain["application_planned_on"])
    names = ("vin", "brand", "model", "registered_on", "certificate_manufacturer")
    for place, vehicle in enumerate(plain["vehicles"]):
        for name in names:
            keys.type(f"#vehicles-{place}-{name}", vehicle[name])
        keys.to(f"[data-row='{place}'] details summary")
        keys.press("Enter")
        keys.to(f"#vehicles-{place}-energy")
        keys.press("ArrowDown")
        assert keys.page.input_value(f"#vehicles-{place}-energy") == "petrol"
        keys.type(f"#vehicles-{place}-certificate_no", vehicle["certificate_no"])
    if keys.page.locator("input[name=outlets]").count():
        keys.to("input[name=outlets]")
        keys.press("Space")
        assert keys.page.locator("input[name=outlets]").first.is_checked()
    keys.type("#commitment-text_zh", "以本网点承担保修服务。")
    keys.type("#commitment-text_en", "Served by these outlets.")
    keys.go("button[name=do][value=review]:visible")
    assert keys.page.locator("form[action$='/send']").count(), keys.page.inner_text("main")
    keys.go("form[action$='/send'] button.primary")
    keys.page.wait_for_url("**done=approvals.sent**")


def approve(keys: Keys, house: House) -> str:
    """Look at what waits, approve it, and reach the confirmation; return its standing."""
    keys.go(f"nav a[href$='/{USCC}/approvals']")
    keys.go("main a[href*='/approvals/']")
    keys.type("#factor_code", code(house, APPROVER))
    keys.go("form[action$='/approve'] button.primary")
    keys.go("main a[href*='/confirmations/']")
    keys.to("main a[href$='/files/sealed']")
    with keys.page.expect_download() as told:
        keys.press("Enter")
    assert told.value.path().read_bytes().startswith(b"%PDF-")
    return keys.page.inner_text("main .badge >> nth=0")


def test_a_draft_is_sent_and_sealed_by_the_keyboard_alone(
    house_tabs: Tabs, house: House, capsys: pytest.CaptureFixture[str]
) -> None:
    house.forget_codes()
    turn = 90
    vehicles = worlds.fresh(worlds.RUSSIA, turn)["vehicles"][:2]
    plain = worlds.sample(worlds.RUSSIA, today=datetime.now(UTC).date())
    for vehicle, fresh in zip(plain["vehicles"], vehicles, strict=False):
        vehicle["vin"] = fresh["vin"]
    plain["vehicles"] = plain["vehicles"][:2]
    first = Keys(house_tabs.open())
    sign_in(first, house, PREPARER)
    prepare(first, plain)
    second = Keys(house_tabs.open())
    sign_in(second, house, APPROVER)
    assert approve(second, house)
    with capsys.disabled():
        told = f"preparer {first.presses} keys and {first.typed} characters; approver {second.presses}"
        print(f"\nby the keyboard alone: {told}")  # noqa: T201 -- asked for as a figure


def test_the_way_back_is_open_too_and_a_menu_lets_go(house_tabs: Tabs, house: House) -> None:
    house.forget_codes()
    keys = Keys(house_tabs.open())
    sign_in(keys, house, PREPARER)
    keys.to("details.who summary")
    keys.press("Enter")
    keys.tab()
    assert keys.is_on(".who-menu a[href='/account']")
    keys.press("Escape")
    assert keys.is_on("details.who summary"), "Escape closes the menu and gives the focus back"
    assert not keys.page.locator(".who-menu").is_visible()
    keys.go("a.other")
    for _ in range(12):
        keys.tab()
    for _ in range(11):
        assert keys.tab(back=True) is not None
