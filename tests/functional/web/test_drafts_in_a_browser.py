"""The editor saves by itself, and lets go of nothing: not offline, not signed out, not when two people meet."""

from __future__ import annotations

import re
import shutil
import threading
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
import world as worlds
from chromium import FLAGS
from playwright.sync_api import sync_playwright
from portal import Portal
from tabs import PATIENCE_MS, Tabs
from werkzeug.serving import make_server

from signer.domain.drafting import parse_draft
from signer.domain.parties import Uscc
from signer.services.drafting import Typed
from signer.services.sessions import Begun

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Page

    from signer.domain.confirmation import Draft

MAKER = Uscc(worlds.sample("register")["manufacturers"][0]["record"]["uscc"])
CHEN = worlds.PEOPLE[worlds.YUNZHOU][0]


@dataclass
class Desk:
    """A draft that one person has open in a browser, while another one may change it behind her back."""

    portal: Portal
    page: Page
    address: str
    ref: str

    def sign_in(self) -> None:
        begun = Begun(person=CHEN, way="password", agent="test", network="n", has_factor=True)
        token = self.portal.world.services.sessions.begin(begun)
        self.page.context.add_cookies([{"name": "signer", "value": token, "url": self.address}])

    @property
    def body(self) -> Draft:
        return self.portal.world.services.drafting.find(MAKER, self.ref).body

    def other(self, **changed: str) -> None:
        """Somebody else saves."""
        drafting = self.portal.world.services.drafting
        kept = drafting.find(MAKER, self.ref)
        body = kept.body.model_copy(update=changed)
        typed = Typed(body=body, title="", title_shown="", version=kept.head.version)
        drafting.save(MAKER, self.ref, typed, by="zhou")

    def is_told(self, words: str) -> None:
        self.page.locator("[data-status]", has_text=re.compile(words)).wait_for()


@pytest.fixture
def desk(live_world: worlds.World) -> Iterator[Desk]:
    portal = Portal.of(live_world)
    live_world.give("preparer", "zhou")
    portal.give_account(CHEN, language="en")
    body = parse_draft(worlds.as_bytes(worlds.sample(worlds.KAZAKHSTAN, today=datetime.now(UTC).date())))
    ref = live_world.services.drafting.begin(MAKER, by=CHEN, body=body)
    server = make_server("127.0.0.1", 0, portal.app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    address = f"http://127.0.0.1:{server.server_port}"
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS, timeout=PATIENCE_MS)
        tabs = Tabs(chromium, address)
        made = Desk(portal, tabs.open(), address, ref)
        made.sign_in()
        made.page.goto(f"/portal/{MAKER}/drafts/{ref}")
        yield made
        unasked = [told for told in tabs.close() if "Failed to load resource" not in told]
        chromium.close()
    server.shutdown()
    thread.join()
    assert unasked == []


def test_what_is_typed_is_saved_whatever_comes_between(desk: Desk) -> None:
    page = desk.page
    page.fill("#contract", "first")
    desk.is_told("Saved")
    assert desk.body.contract == "first"

    page.fill("#vehicles-3-registered_on", "2026/9/1")
    page.fill("#vehicles-3-vin", "bad vin")
    page.locator("#vehicles-3-vin-told", has_text="Mend").wait_for()
    assert page.input_value("#vehicles-3-registered_on") == "2026-09-01"
    assert page.locator("#vehicles-4-vin").is_visible()

    desk.other(application_planned_on="2026-12-24")
    page.fill("#contract", "second")
    desk.is_told("zhou")
    assert (page.input_value("#application_planned_on"), desk.body.contract) == ("2026-12-24", "second")

    page.context.set_offline(True)
    page.fill("#contract", "offline")
    desk.is_told("No connection")
    page.context.set_offline(False)
    desk.is_told("Saved")
    assert desk.body.contract == "offline"

    page.context.clear_cookies()
    page.fill("#contract", "signed out")
    desk.is_told("signed out")
    desk.sign_in()
    desk.is_told("Saved")
    assert desk.body.contract == "signed out"


def test_who_meets_another_in_one_field_is_told_at_once_and_chooses(desk: Desk) -> None:
    page = desk.page
    desk.other(contract="THEIRS", until="none")
    page.fill("#contract", "MINE")
    desk.is_told("zhou changed this draft")
    assert desk.body.contract == "THEIRS"
    page.click("button.secondary[value=save]")
    page.check("#contract-mine")
    assert page.input_value("#contract") == "MINE"
    page.click("button.secondary[value=save]")
    page.wait_for_url("**done=drafts.saved")
    assert (desk.body.contract, desk.body.until) == ("MINE", "none")
