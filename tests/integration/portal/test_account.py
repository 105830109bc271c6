"""One's own account: factors are added and removed by who has just shown one, under a new token each time."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING

import pyotp
from authenticator import Authenticator
from databases import EITHER
from portal import PASSWORD, Portal
from world import PEOPLE, YUNZHOU

from signer.domain.account import FRESH

if TYPE_CHECKING:
    from pathlib import Path

    from portal import Visitor
    from werkzeug.test import TestResponse

pytestmark = EITHER
CHEN, LIN = PEOPLE[YUNZHOU]


def token_of(visitor: Visitor) -> str:
    cookie = visitor.client.get_cookie("signer")
    assert cookie is not None
    return cookie.value


def codes_on(answer: TestResponse) -> list[str]:
    return re.findall(r"<code>((?:[a-z0-9]{4}-){3}[a-z0-9]{4})</code>", answer.text)


def signed_in(portal: Portal) -> Visitor:
    """Chen, with nothing but a password so far."""
    guest = portal.visitor()
    guest.post("/sign-in", {"login": portal.give_password(CHEN), "password": PASSWORD})
    return guest


def test_a_password_alone_leads_to_a_second_factor_and_nowhere_else(portal: Portal) -> None:
    chen = signed_in(portal)
    for path in ("/portal", "/portal/91440000MA0YX01AAY", "/portal/91440000MA0YX01AAY/people"):
        assert chen.get(path).location == "/account/enrol"
    portal.world.change("UPDATE memberships SET role = 'admin' WHERE person_id = 'chen.sample'")
    answer = chen.post("/portal/91440000MA0YX01AAY/people/invite")
    assert (answer.status_code, answer.location) == (303, "/account/enrol")


def test_an_app_is_set_up_by_its_symbol_or_its_key(portal: Portal) -> None:
    chen = signed_in(portal)
    before = token_of(chen)
    assert chen.post("/account/app").location == "/account/app"
    page = chen.get("/account/app").text
    secret = re.findall(r'class="secret">([A-Z2-7 ]+)<', page)[0].replace(" ", "")
    assert "<svg" in page
    assert "<img" not in page
    assert f"secret={secret}" in page
    assert chen.post("/account/app/confirm", {"code": "000000"}).status_code == 422
    assert chen.get("/portal").location == "/account/enrol"
    code = pyotp.TOTP(secret).at(portal.world.at)
    done = chen.post("/account/app/confirm", {"code": f"{code[:3]} {code[3:]}"})
    assert (done.status_code, len(codes_on(done))) == (200, 10)
    shown = re.findall(r'csrf_token" value="([^"]+)', done.text)[0]
    assert chen.post("/account/language", {"csrf_token": shown}).status_code == 303, "its forms are the new session's"
    assert chen.get("/portal").location.startswith("/portal/")
    assert token_of(chen) != before
    assert portal.world.services.sessions.principal(before) is None, "the former token opens nothing"
    stored = portal.world.rows("SELECT secret FROM factors")
    assert secret.encode() not in bytes(stored[0][0])
    guest = portal.visitor()
    guest.post("/sign-in", {"login": "chen.sample@example.com", "password": PASSWORD})
    assert guest.post("/sign-in/second", {"factor_code": code}).status_code == 422, "the code that set it up is used"


def test_a_recovery_code_stands_in_once_however_it_is_typed(portal: Portal) -> None:
    portal.give_factor(CHEN)
    chen = portal.visitor(CHEN)
    codes = codes_on(chen.post("/account/codes"))
    assert len(set(codes)) == 10
    assert codes[0] not in str(portal.world.rows("SELECT * FROM recovery_codes"))
    login = portal.give_password(CHEN)
    for typed, status in ((codes[0].upper().replace("-", " "), 303), (codes[0], 422), (codes[1], 303)):
        guest = portal.visitor()
        guest.post("/sign-in", {"login": login, "password": PASSWORD})
        assert guest.post("/sign-in/second", {"factor_code": typed}).status_code == status
    newer = codes_on(chen.post("/account/codes"))
    guest = portal.visitor()
    guest.post("/sign-in", {"login": login, "password": PASSWORD})
    assert guest.post("/sign-in/second", {"factor_code": codes[2]}).status_code == 422, "replaced"
    assert guest.post("/sign-in/second", {"factor_code": newer[2]}).status_code == 303


def test_anothers_recovery_code_is_none(portal: Portal) -> None:
    portal.give_factor(LIN)
    codes = codes_on(portal.visitor(LIN).post("/account/codes"))
    portal.give_factor(CHEN)
    guest = portal.visitor()
    guest.post("/sign-in", {"login": portal.give_password(CHEN), "password": PASSWORD})
    assert guest.post("/sign-in/second", {"factor_code": codes[0]}).status_code == 422


def test_whoever_finds_an_open_browser_changes_no_factor(portal: Portal) -> None:
    app = portal.give_factor(CHEN)
    chen = portal.visitor(CHEN)
    portal.world.at += FRESH + timedelta(seconds=1)
    asked = "SELECT id, confirmed_at FROM factors", "SELECT * FROM recovery_codes"
    before = [portal.world.rows(query) for query in asked]
    ((factor, _),) = before[0]
    for path, told in (
        ("/account/app", {}),
        ("/account/codes", {}),
        ("/account/factors/remove", {"factor": str(factor)}),
        ("/account/passkey", {"passkey": "{}"}),
        ("/account/password", {"old": PASSWORD, "password": "another four words here"}),
    ):
        assert chen.post(path, told).location.startswith("/account/confirm?next="), path
    assert chen.post("/account/passkey/challenge").status_code == 403
    assert [portal.world.rows(query) for query in asked] == before
    old = token_of(chen)
    answer = chen.post("/account/confirm", {"factor_code": app.at(portal.world.at), "next": "/account/password"})
    assert answer.location == "/account/password"
    assert token_of(chen) != old
    assert len(codes_on(chen.post("/account/codes"))) == 10


def test_a_wrong_code_confirms_nothing(portal: Portal) -> None:
    portal.give_factor(CHEN)
    chen = portal.visitor(CHEN)
    portal.world.at += FRESH + timedelta(seconds=1)
    answer = chen.post("/account/confirm", {"factor_code": "12345", "next": "/account"})
    assert answer.status_code == 422
    assert 'id="factor_code-wrong"' in answer.text


def test_a_passkey_is_added_and_the_last_factor_stays(portal: Portal) -> None:
    chen = signed_in(portal)
    device = Authenticator()
    answer = chen.post(
        "/account/passkey", {"passkey": device.make(chen.post("/account/passkey/challenge").text), "label": "桌面<b>"}
    )
    assert (answer.status_code, len(codes_on(answer))) == (200, 10)
    page = chen.get("/account").text
    assert "桌面&lt;b&gt;" in page
    (first,) = re.findall(r'name="factor" value="(\d+)"', page)
    assert chen.post("/account/factors/remove", {"factor": first}).status_code == 422, "the last one"
    portal.give_factor(CHEN)
    assert chen.post("/account/factors/remove", {"factor": first}).status_code == 303
    assert [row[0] for row in portal.world.rows("SELECT kind FROM factors")] == ["totp"]


def test_a_made_passkey_is_good_for_its_own_challenge_once_and_for_this_site(portal: Portal) -> None:
    chen = signed_in(portal)
    made = Authenticator().make(chen.post("/account/passkey/challenge").text)
    other = signed_in(portal)
    assert other.post("/account/passkey", {"passkey": made}).status_code == 422, "another session asked"
    assert chen.post("/account/passkey", {"passkey": made}).status_code == 422, "and so it is used"
    foreign = Authenticator(origin="https://evil.example")
    told = {"passkey": foreign.make(chen.post("/account/passkey/challenge").text)}
    assert chen.post("/account/passkey", told).status_code == 422
    unverified = Authenticator(flags=1)
    told = {"passkey": unverified.make(chen.post("/account/passkey/challenge").text)}
    assert chen.post("/account/passkey", told).status_code == 422


def test_one_passkey_is_one_persons(portal: Portal) -> None:
    device = portal.give_passkey(LIN)
    chen = signed_in(portal)
    told = {"passkey": device.make(chen.post("/account/passkey/challenge").text)}
    assert chen.post("/account/passkey", told).status_code == 422


def test_nobody_removes_another_persons_factor(portal: Portal) -> None:
    portal.give_factor(LIN)
    ((lins,),) = portal.world.rows("SELECT id FROM factors")
    portal.give_factor(CHEN)
    chen = portal.visitor(CHEN)
    assert chen.post("/account/factors/remove", {"factor": str(lins)}).status_code == 404
    for nonsense in ("", "x", "-1", "9" * 30, "١"):
        assert chen.post("/account/factors/remove", {"factor": nonsense}).status_code == 404


def test_a_new_password_ends_the_other_sessions(portal: Portal) -> None:
    login = portal.give_password(CHEN)
    portal.give_factor(CHEN)
    chen, elsewhere = portal.visitor(CHEN), portal.visitor(CHEN)
    before = token_of(chen)
    wrong = {"old": "not it at all", "password": "another four words here"}
    assert chen.post("/account/password", wrong).status_code == 422
    for weak in ("short", "aaaaaaaaaaaaaaaaaa", "chen.sample is my name", "x" * 500):
        assert chen.post("/account/password", {"old": PASSWORD, "password": weak}).status_code == 422, weak
    assert elsewhere.get("/account").status_code == 200
    told = {"old": PASSWORD, "password": "another four words here"}
    assert chen.post("/account/password", told).status_code == 303
    assert token_of(chen) != before
    assert chen.get("/account").status_code == 200
    assert elsewhere.get("/account").status_code == 303
    assert portal.visitor().post("/sign-in", {"login": login, "password": PASSWORD}).status_code == 422
    assert portal.visitor().post("/sign-in", {"login": login, "password": told["password"]}).status_code == 303


def test_sessions_are_listed_and_ended_ones_own_only(portal: Portal) -> None:
    portal.give_factor(CHEN)
    chen, elsewhere, lin = portal.visitor(CHEN), portal.visitor(CHEN), portal.visitor(LIN)
    (theirs,) = {one.token_digest.hex()[:16] for one in portal.world.services.sessions.of(LIN)}
    found = re.findall(r'name="session" value="([0-9a-f]{16})"', chen.get("/account").text)
    assert len(found) == 1
    assert chen.post("/account/sessions/end", {"session": theirs}).status_code == 404
    assert lin.get("/account").status_code == 200
    assert chen.post("/account/sessions/end", {"session": found[0]}).status_code == 303
    assert elsewhere.get("/account").status_code == 303
    third = portal.visitor(CHEN)
    chen.post("/account/sessions/end-others")
    assert third.get("/account").status_code == 303
    assert chen.get("/account").status_code == 200


def test_pages_speak_the_language_that_was_chosen(portal: Portal) -> None:
    portal.give_factor(CHEN)
    chen = portal.visitor(CHEN, language="en")
    assert 'lang="en"' in chen.get("/account").text
    chen.post("/account/language", {"language": "zh"})
    assert '<html lang="zh-CN"' in chen.get("/account").text


def test_what_waits_and_what_failed_is_pruned_and_not_restored(portal: Portal, tmp_path: Path) -> None:
    portal.visitor(CHEN)
    guest = portal.visitor()
    guest.post("/sign-in/challenge")
    guest.post("/sign-in", {"login": "nobody@example.com", "password": "x"})
    tables = ("sessions", "challenges", "sign_in_failures")
    assert all(portal.world.rows(f"SELECT 1 FROM {table}") for table in tables)
    manifest = portal.world.services.keeping.backup(tmp_path / "backup.zip")
    assert not {f"tables/{table}.jsonl" for table in tables} & set(manifest.members)
    portal.world.at += timedelta(days=2)
    portal.world.services.maintaining.prune()
    assert not any(portal.world.rows(f"SELECT 1 FROM {table}") for table in tables)
