"""A passkey as a person has it: made, shown and removed in a real browser, whose developer tools hold the device."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import approvals
import pytest
import world as worlds
from makers import Hand, sign_in
from playwright.sync_api import expect

if TYPE_CHECKING:
    from makers import House
    from playwright.sync_api import Browser, CDPSession
    from tabs import Tabs

CHEN, LIN = worlds.PEOPLE[worlds.YUNZHOU]
STALE = "UPDATE sessions SET factor_at = '2026-01-01T00:00:00.000000Z'"


class Device:
    """A device in the browser that holds passkeys; `is_verified`: whether its holder shows a face, finger or PIN."""

    def __init__(self, hand: Hand) -> None:
        self._tools: CDPSession = hand.page.context.new_cdp_session(hand.page)
        self._tools.send("WebAuthn.enable")
        options = {
            "protocol": "ctap2",
            "transport": "internal",
            "hasResidentKey": True,
            "hasUserVerification": True,
            "isUserVerified": True,
            "automaticPresenceSimulation": True,
        }
        self._name = self._tools.send("WebAuthn.addVirtualAuthenticator", {"options": options})["authenticatorId"]

    def held(self) -> list[Any]:
        """Return the passkeys on it."""
        found: list[Any] = self._tools.send("WebAuthn.getCredentials", {"authenticatorId": self._name})["credentials"]
        return found

    def verify(self, *, holder: bool) -> None:
        told = {"authenticatorId": self._name, "isUserVerified": holder}
        self._tools.send("WebAuthn.setUserVerified", told)


@pytest.fixture(scope="module")
def waiting(house: House) -> str:
    """The address of what waits for Lin's approval, made before a browser's loop starts."""
    found = approvals.sent(house.world, worlds.sample(worlds.KAZAKHSTAN, today=house.world.at.date()))
    return f"/portal/{approvals.maker(house.world)}/approvals/{found.ref}"


@pytest.fixture(scope="module")
def house_browser(waiting: str, house_browser: Browser) -> Browser:
    del waiting
    return house_browser


def test_a_passkey_is_made_signs_in_approves_and_is_removed(house_tabs: Tabs, house: House, waiting: str) -> None:
    hand = Hand(house_tabs.open(), "zh")
    page, device = hand.page, Device(hand)
    sign_in(hand, house, LIN, to="/account")
    page.fill("#label", "办公室电脑")
    hand.go("[data-passkey-make]")
    expect(page.locator("main li code")).to_have_count(10)  # the first factor of hers that comes with recovery codes
    (held,) = device.held()
    assert held["rpId"] == "localhost"
    assert held["isResidentCredential"]
    hand.open("/account")
    expect(page.locator("main")).to_contain_text("办公室电脑")

    hand.click("details.who summary")
    hand.go("form[action='/sign-out'] button")
    hand.go("[data-passkey-show]")
    assert "/portal/" in page.url
    ((way,),) = house.world.rows("SELECT way FROM sessions ORDER BY created_at DESC LIMIT 1")
    assert way == "passkey"

    hand.open(waiting)
    with page.expect_navigation():
        hand.click("form[action$='/approve'] [data-passkey-show]")
    assert page.locator("main .wrong:visible, main .faults, main .note .hint").all_inner_texts() == []
    newest = f"SELECT factor FROM submissions WHERE decided_by = '{LIN}' ORDER BY decided_at DESC LIMIT 1"
    assert house.world.rows(newest) == [("passkey",)]  # others of the house approved with other factors before
    hand.open("/account")
    hand.go("li:has-text('办公室电脑') button")
    expect(page.locator("p.done")).to_be_visible()
    assert house.world.rows(f"SELECT kind FROM factors WHERE person_id = '{LIN}'") == [("totp",)]


@pytest.mark.parametrize(
    ("language", "unmade", "unshown", "refused"),
    [
        ("zh", "未能创建通行密钥，请重试。", "通行密钥未能使用。请重试，或输入验证码。", "该通行密钥未被接受。"),
        ("en", "No passkey was made. Try again.", "The passkey was not used.", "The passkey was not accepted."),
    ],
)
def test_what_fails_with_a_passkey_is_said_and_another_way_stays_open(
    house_tabs: Tabs, house: House, language: str, unmade: str, unshown: str, refused: str
) -> None:
    house.forget_codes()
    house.world.change(f"UPDATE accounts SET language = '{language}' WHERE person_id = '{CHEN}'")
    hand = Hand(house_tabs.open(), language)
    page, device = hand.page, Device(hand)
    sign_in(hand, house, CHEN, to="/account")
    told = page.locator("[data-passkey-told]")
    device.verify(holder=False)
    hand.click("[data-passkey-make]")
    expect(told).to_have_text(unmade)
    device.verify(holder=True)
    hand.go("[data-passkey-make]")
    hand.open("/account")
    hand.click("[data-passkey-make]")
    expect(told).to_contain_text("already" if language == "en" else "已有")

    house.world.change(STALE)
    hand.go("[data-passkey-make]")
    assert "/account/confirm" in page.url, "who showed a factor long ago is asked for one, and not just refused"
    hand.go("[data-passkey-show]")
    hand.go(
        f"form[action='/account/factors/remove'] button[aria-label*='{'Passkey' if language == 'en' else '通行密钥'}']"
    )

    hand.click("details.who summary")
    hand.go("form[action='/sign-out'] button")
    device.verify(holder=False)
    hand.open("/sign-in")
    hand.click("[data-passkey-show]")
    expect(told).to_contain_text(unshown)
    device.verify(holder=True)
    with page.expect_response("**/sign-in/passkey"):
        hand.click("[data-passkey-show]")
    expect(page.locator(".faults")).to_contain_text(refused)
    sign_in(hand, house, CHEN, to="/account")
