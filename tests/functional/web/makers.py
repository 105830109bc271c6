"""Makers' people at a served portal: what they sign in with, and their hands, whose clicks are counted."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from io import BytesIO
from typing import TYPE_CHECKING, Any

import world as worlds
import xlsxwriter
from portal import Portal

from signer.domain.vehicle_columns import VEHICLE_COLUMNS

if TYPE_CHECKING:
    import pyotp
    from playwright.sync_api import Page

PREPARER, APPROVER = worlds.PEOPLE[worlds.BEICHEN]
USCC = next(
    maker["record"]["uscc"]
    for maker in worlds.sample("register")["manufacturers"]
    if maker["record"]["legal_name"] == worlds.BEICHEN
)


@dataclass
class House:
    """A deployment served by processes of its own, and what its people sign in with: a password and an app."""

    world: worlds.World
    address: str
    factors: dict[str, pyotp.TOTP]
    logins: dict[str, str]
    used: dict[str, set[str]] = field(default_factory=dict)

    def forget_codes(self) -> None:
        """Let every code count once more: a test would wait for those of the next minute."""
        self.world.change("UPDATE factors SET counter = 0 WHERE kind = 'totp'")
        self.used.clear()


def furnished(world: worlds.World) -> tuple[dict[str, pyotp.TOTP], dict[str, str]]:
    """Give everybody of the samples a password and an authenticator app; return the apps and the logins."""
    portal = Portal.of(world)
    people = [person for pair in worlds.PEOPLE.values() for person in pair]
    factors = {person: portal.give_factor(person) for person in people}
    return factors, {person: portal.give_password(person, password(person)) for person in people}


def password(person: str) -> str:
    return f"a long word for {person} of the samples"


def code(house: House, person: str) -> str:
    """Return a code that was not shown before: a used one never counts again."""
    factor = house.factors[person]
    used = house.used.setdefault(person, set())
    while (now := factor.at(datetime.now(UTC), counter_offset=1 if factor.now() in used else 0)) in used:
        time.sleep(1)
    used.add(now)
    return now


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


def sign_in(hand: Hand, house: House, person: str, *, to: str = f"/portal/{USCC}") -> None:
    hand.open(f"/sign-in?next={to}")
    hand.page.fill("#login", house.logins[person])
    hand.page.fill("#password", password(person))
    hand.go("button.primary")
    hand.page.fill("#factor_code", code(house, person))
    hand.go("button.primary")
    assert to in hand.page.url


def until_sealed(hand: Hand) -> None:
    """Look again until what was approved is sealed."""
    for _ in range(100):
        if hand.page.locator("main a[href*='/confirmations/']").count():
            return
        hand.page.wait_for_timeout(200)
        hand.page.reload()


def sheet_of(plain: Any, language: str) -> bytes:
    """Return a sheet as an exporter would send it, headers in a language."""
    whole = {"exporter": plain["exporter"], "country": plain["destination"]["country"], "contract": plain["contract"]}
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
