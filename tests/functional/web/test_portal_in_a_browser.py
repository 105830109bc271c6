"""Every page behind a sign-in as people meet it: axe finds nothing, nothing runs over, phone and desk, both themes."""

from __future__ import annotations

import re
import shutil
import sys
import threading
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import batched
import handing_in
import pytest
import world as worlds
from playwright.sync_api import sync_playwright
from portal import Portal
from tabs import PATIENCE_MS, Tabs
from werkzeug.serving import make_server

from signer.domain.parties import Role, Uscc
from signer.register import accounts, jobs
from signer.services.inspecting import PER_PAGE
from signer.services.invitations import Invited
from signer.services.sessions import Begun

sys.path.insert(0, str(worlds.ROOT / "tests" / "integration" / "portal"))

import objects
from chromium import FLAGS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Browser, Page

ALL_HATS = "all.hats"
PARTS = 4
"""The sweep takes a minute and a half: in parts, it goes on in several processes."""
"""Somebody with every role of a manufacturer, who sees whatever there is to see."""


@pytest.fixture(scope="module")
def case(live_template_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[objects.Case]:
    folder = tmp_path_factory.mktemp("portal") / "data"
    world = worlds.World(worlds.copy(live_template_folder, folder), at=datetime.now(UTC))
    made = objects.make(Portal.of(world))
    maker = {"manufacturer": made.own, "person": ALL_HATS, "roles": ["preparer", "approver", "admin", "auditor"]}
    plain = {"people": [{"id": ALL_HATS, "name": "多职样例"}], "memberships": [maker]}
    world.services.people.load(worlds.as_bytes(plain), actor="test")
    _open_the_offices(made)
    pages(made)  # makes what the addresses name, before a browser's loop shuts out all others
    yield made
    world.services.database.close()


def _open_the_offices(case: objects.Case) -> None:
    """Let somebody with every hat into the offices too, with checks of one's own, receipts, and what failed."""
    with case.portal.world.services.database.write() as tx:
        for role in (Role.OPERATOR, Role.AUDITOR, Role.OFFICER):
            accounts.appoint(tx, ALL_HATS, role, by="test", at=case.portal.world.at)
        jobs.ensure(tx, ("mail",), at=case.portal.world.at)
    case.made["office", "ref", case.own] = objects.a_check(case, case.own, of=ALL_HATS)
    objects.receipts_of(case, ALL_HATS, PER_PAGE + 1)
    objects.a_failed_job(case, case.own)
    objects.a_delivery(case, case.own)


@pytest.fixture(scope="module")
def address(case: objects.Case) -> Iterator[str]:
    server = make_server("127.0.0.1", 0, case.portal.app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()


@pytest.fixture(scope="module")
def browser(address: str) -> Iterator[Browser]:
    del address
    with sync_playwright() as playwright:
        path = shutil.which("chromium")
        found = playwright.chromium.launch(executable_path=path, args=FLAGS, timeout=PATIENCE_MS)
        yield found
        found.close()


@pytest.fixture
def tabs(browser: Browser, address: str) -> Iterator[Tabs]:
    opened = Tabs(browser, address)
    yield opened
    assert opened.close() == []


def signed_in(tabs: Tabs, case: objects.Case, address: str, **more: object) -> Page:
    page = tabs.open(**more)  # type: ignore[arg-type]
    case.portal.give_account(ALL_HATS)
    begun = Begun(person=ALL_HATS, way="password", agent="test", network="127.0.0.0/24", has_factor=True)
    token = case.portal.world.services.sessions.begin(begun)
    page.context.add_cookies([{"name": "signer", "value": token, "url": address}])
    return page


def pages(case: objects.Case) -> list[tuple[str, bool]]:
    """Return the address of every page, and whether it is for guests: in the doors' order, the same in any process."""
    doors = case.portal.app.extensions["signer.doors"].all
    found = [(case.address(door), door.is_open) for door in doors if door.method == "GET"]
    return list(dict.fromkeys([*found, *more(case)]))


def more(case: objects.Case) -> list[tuple[str, bool]]:
    """Return pages that no address of a door shows: what waits, what ended, what is empty, what is not there."""
    if known := case.made.get(("more", "", "")):
        return [(path, "/portal" not in path) for path in known.split()]
    services, base = case.portal.world.services, f"/portal/{case.own}"
    case.portal.give_account(ALL_HATS)
    asked = Begun(person=ALL_HATS, way="password", agent="test", network="127.0.0.0/24", has_factor=True)
    principal = services.sessions.principal(services.sessions.begin(asked))
    assert principal is not None
    guest = Invited(login=f"{'long' * 12}@example.com", name="样例" * 20, roles=frozenset({Role.PREPARER}))
    token = services.inviting.invite(principal, Uscc(case.own), guest)
    services.members.ask(principal, Uscc(case.own), "only.preparer", "grant-approver")
    services.outlets.close(
        case.own, "kz-astana", on=f"{case.portal.world.at:%Y-%m-%d}", reason="test", by="chen.sample"
    )
    found = (
        f"/invitations/{token}",
        f"{base}/people",
        f"{base}/outlets/id/kz-astana",
        f"{base}/drafts?q=none",
        "/nothing",
        *ended_in_the_offices(case),
        *batches(case, base),
    )
    case.made["more", "", ""] = " ".join((*found, f"{base}/nothing"))
    return more(case)


def batches(case: objects.Case, base: str) -> tuple[str, ...]:
    """Return the pages of batches: one with faults, one that waits for a word, one half sealed with one not issued."""
    world, asked = case.portal.world, handing_in.OWN
    services, start = world.services, 100 * len(case.made)
    faulty, _ = services.batching.hand_in(
        asked, file_name="样例.csv", data=handing_in.as_csv(handing_in.spoilt(handing_in.rows(50, start=start)))
    )
    services.batching.read(faulty)
    waiting = batched.ready(world, batched.drafts(2, start=start))
    services.batching.send(waiting, maker=asked.maker, by=asked.person)
    running = batched.approved(world, batched.drafts(3, start=start + 10))
    world.issue(batched.drafts(1, start=start + 10)[0])
    with suppress(EOFError):
        services.batch_running.run(running, batched.stopping(2))
    paths = (faulty, waiting, running, f"{running}/items", f"{running}/cancel")
    return tuple(f"{base}/batches/{path}" for path in paths)


def ended_in_the_offices(case: objects.Case) -> tuple[str, ...]:
    """Return what operators see afterwards: proposals decided, a maker held, two doors that are shut."""
    onboarding, makers = case.portal.world.services.onboarding, "/portal/office/makers"
    done, dropped = objects.a_proposal(case, case.own), objects.typed_proposal(99)
    third = onboarding.confirm(done, by=ALL_HATS, factor="totp").record.uscc
    left = onboarding.propose(dropped, by=ALL_HATS).ref
    onboarding.drop(left, by=ALL_HATS)
    onboarding.suspend(Uscc(case.other), reason="公告中已无此企业", by=ALL_HATS)
    return (
        f"{makers}/proposed/{done}",
        f"{makers}/proposed/{left}",
        f"{makers}/of/{case.other}",
        f"/portal/{third}/imports",
        f"/portal/{case.other}/imports",
    )


@pytest.mark.parametrize("part", range(PARTS))
@pytest.mark.parametrize(
    ("language", "width", "dark"),
    [("zh", 390, True), pytest.param("en", 1200, False, marks=pytest.mark.soak)],  # the same pages, once more
)
def test_axe_finds_nothing_on_any_page_and_nothing_runs_over(
    tabs: Tabs, case: objects.Case, address: str, language: str, width: int, dark: bool, part: int
) -> None:
    member, guest = signed_in(tabs, case, address, width=width, dark=dark), tabs.open(width=width, dark=dark)
    wrong: dict[str, list[str]] = {}
    for path, is_open in pages(case)[part::PARTS]:
        page = guest if is_open else member
        told = case.portal.app.test_client().head(path) if is_open else page.request.head(path)
        kind = told.headers.get("content-type", told.headers.get("Content-Type", ""))
        if not kind.startswith("text/html"):
            continue  # a file: its own tests look at it
        page.goto(f"{path}{'&' if '?' in path else '?'}lang={language}")
        found = [f"{fault} at {width}" for fault in tabs.faults(page)]
        for narrow in (320, 640, width):
            page.set_viewport_size({"width": narrow, "height": 900})
            if (over := overflow(page)) > 0:
                found.append(f"runs over by {over} at {narrow}")
        if found:
            wrong[path] = found
    if wrong:
        pytest.fail("\n".join(f"{path}: {one}" for path, found in wrong.items() for one in found))


def test_the_progress_of_a_batch_moves_without_the_page_being_read_again(
    tabs: Tabs, case: objects.Case, address: str
) -> None:
    path, world = [path for path, _ in more(case) if path.endswith("/cancel")][-1], case.portal.world
    here, ref = path.removesuffix("/cancel"), path.split("/")[-2]
    page = signed_in(tabs, case, address)
    page.goto(f"{here}?lang=en")
    assert page.locator("meta[http-equiv=refresh]").count() == 0
    page.evaluate("window.first = document.querySelector('progress')")
    world.change(f"UPDATE batches SET done = done + 1 WHERE ref = '{ref}'")
    page.get_by_text("2 of 3 sealed").wait_for()
    assert page.evaluate("[window.first.isConnected, window.first.value]") == [True, 3]
    world.change(f"UPDATE batches SET state = 'paused' WHERE ref = '{ref}'")
    page.get_by_role("button", name="Go on").wait_for()
    assert page.evaluate("window.first === undefined")
    world.change(f"UPDATE batches SET state = 'running', done = done - 1 WHERE ref = '{ref}'")
    plain = signed_in(tabs, case, address, scripts=False)
    plain.goto(f"{here}?lang=en")
    assert plain.locator("meta[http-equiv=refresh]").get_attribute("content") == f"5; url={here}"


def test_a_printed_confirmation_has_its_vehicles_and_nothing_to_press(
    tabs: Tabs, case: objects.Case, address: str
) -> None:
    page = signed_in(tabs, case, address)
    page.goto(next(path for path, _ in pages(case) if re.search(r"/confirmations/[0-9A-Z-]+$", path)))
    page.emulate_media(media="print")
    assert page.locator(".vin").first.is_visible()
    assert not any(button.is_visible() for button in page.locator("button, input").all())


def test_the_pages_of_the_offices_are_printed_with_their_matter_and_nothing_to_press(
    tabs: Tabs, case: objects.Case, address: str
) -> None:
    page, base = signed_in(tabs, case, address), "/portal/office"
    known = [path for path, _ in pages(case)]
    number = next(path for path in known if re.search(r"/office/records/[0-9A-Z-]+$", path))
    shut = [path for path in known if re.search(r"/portal/\w{18}/imports$", path) and case.own not in path]
    ended = [path for path in known if re.search(r"/office/makers/(proposed|of)/", path)]
    matter = {number: ".vin", f"{base}/audit": "tbody tr", f"{base}/receipts": "tbody code"}
    wanted = matter | dict.fromkeys(ended, ".facts") | dict.fromkeys(shut, "main p")
    assert (len(shut), len(ended) >= 3) == (2, True)
    for path, what in wanted.items():
        page.goto(f"{path}?lang=zh")
        page.emulate_media(media="print")
        seen = [page.locator(one).first.is_visible() for one in ("h1", what)]
        pressed = [one for one in page.locator("button, input, select, textarea, nav").all() if one.is_visible()]
        assert (seen, len(pressed)) == ([True, True], 0), path
        page.emulate_media(media="screen")


def overflow(page: Page) -> int:
    return int(page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth"))
