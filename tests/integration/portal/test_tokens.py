"""The page of tokens: made with a second factor, shown once, revoked by whom they are or who administers."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from exporting import let_in
from machine import Machine
from world import BEICHEN, PEOPLE, TIANSHAN, YUNZHOU

from signer.register import parties

if TYPE_CHECKING:
    from portal import Portal, Visitor

CHEN = PEOPLE[YUNZHOU][0]


def base(portal: Portal, maker: str = YUNZHOU) -> str:
    with portal.world.services.database.read() as tx:
        return f"/portal/{parties.tenant(tx, maker).manufacturer.uscc}"


def make(portal: Portal, person: str, place: str, *rights: str, code: str = "") -> tuple[int, str]:
    visitor = portal.visitor(person)
    app = portal.give_factor(person)
    form = {"label": "Yard 7", "rights": list(rights), "days": "30", "factor_code": code or app.at(portal.world.at)}
    answer = visitor.post(f"{place}/tokens", form)
    found = re.search(r"<code[^>]*>(sgnr_test_[0-9A-Za-z]+)</code>", answer.text)
    return answer.status_code, found[1] if found else ""


def test_a_token_is_made_with_a_factor_and_shown_this_once(portal: Portal, chen: Visitor) -> None:
    status, secret = make(portal, CHEN, base(portal), "drafts:read")
    assert (status, bool(secret)) == (201, True)
    machine = Machine(portal.app, secret, "")
    assert machine.get("/drafts").status_code == 200
    assert machine.post("/drafts", {"draft": {}}).status_code == 403
    seen = chen.get(f"{base(portal)}/tokens").text
    assert ("Yard 7" in seen, secret in seen) == (True, False)


def test_without_the_factor_no_token_is_made(portal: Portal) -> None:
    assert make(portal, CHEN, base(portal), "drafts:read", code="000000") == (422, "")
    assert portal.world.rows("SELECT count(*) FROM tokens") == [(0,)]


def test_the_form_offers_and_takes_no_right_beyond_the_role(portal: Portal, chen: Visitor) -> None:
    assert 'value="approvals:decide"' not in chen.get(f"{base(portal)}/tokens").text
    status, _ = make(portal, CHEN, base(portal), "approvals:decide")
    assert status == 403
    assert portal.world.rows("SELECT count(*) FROM tokens") == [(0,)]


def test_an_administrator_sees_and_revokes_others_tokens_and_nobody_else_does(portal: Portal, lin: Visitor) -> None:
    _, secret = make(portal, CHEN, base(portal), "drafts:read")
    ref = portal.world.rows("SELECT ref FROM tokens")[0][0]
    stranger = portal.visitor(PEOPLE[BEICHEN][0])
    assert stranger.post(f"{base(portal, BEICHEN)}/tokens/revoke", {"token": ref}).status_code == 404
    assert lin.post(f"{base(portal)}/tokens/revoke", {"token": ref}).status_code == 404
    assert "Yard 7" not in lin.get(f"{base(portal)}/tokens").text
    portal.world.give("admin", "admin.sample")
    admin = portal.visitor("admin.sample")
    assert "Yard 7" in admin.get(f"{base(portal)}/tokens").text
    assert admin.post(f"{base(portal)}/tokens/revoke", {"token": ref}).status_code == 303
    assert Machine(portal.app, secret, "").get("/drafts").status_code == 401


def test_an_exporters_and_an_officers_tokens_are_made_in_their_own_rooms(portal: Portal) -> None:
    let_in(portal.world, "member.sample", TIANSHAN)
    status, _ = make(portal, "member.sample", f"/exporter/{TIANSHAN}", "requests:read")
    assert status == 201
    portal.world.appoint("officer", "officer.sample")
    status, _ = make(portal, "officer.sample", "/portal/office", "bundles:read")
    assert status == 201
    assert portal.world.rows("SELECT kind FROM tokens ORDER BY id") == [("exporter",), ("house",)]
