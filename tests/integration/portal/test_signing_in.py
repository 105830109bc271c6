"""Signing in: two things are shown, one answer is given to all that is wrong, and no stranger locks anybody out."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING

import argon2
import pytest
from databases import EITHER
from portal import PASSWORD, Portal
from world import PEOPLE, YUNZHOU

from signer.domain.account import Proof
from signer.errors import NotPermitted, TooManyRequests
from signer.services.limits import FREE, NETWORK_FREE

if TYPE_CHECKING:
    import pyotp
    from portal import Visitor
    from werkzeug.test import TestResponse

pytestmark = EITHER
CHEN, LIN = PEOPLE[YUNZHOU]
ELSEWHERE = {"REMOTE_ADDR": "198.51.100.7"}


@pytest.fixture
def login(portal: Portal) -> str:
    return portal.give_password(CHEN)


@pytest.fixture
def app(portal: Portal, login: str) -> pyotp.TOTP:
    """Chen's authenticator app."""
    return portal.give_factor(CHEN)


def enter(visitor: Visitor, login: str, password: str = PASSWORD, **more: str) -> TestResponse:
    return visitor.post("/sign-in", {"login": login, "password": password, **more})


def cookies(visitor: Visitor) -> dict[str, str]:
    found = (visitor.client.get_cookie(name) for name in ("signer", "signer-guest"))
    return {cookie.key: cookie.value for cookie in found if cookie is not None}


def test_a_password_and_a_code_open_a_session(portal: Portal, login: str, app: pyotp.TOTP) -> None:
    guest = portal.visitor()
    first = enter(guest, login, next="/portal")
    assert (first.status_code, first.location) == (303, "/sign-in/second?next=%2Fportal&lang=en")
    assert guest.get("/portal").status_code == 303, "a password alone opens nothing"
    second = guest.post("/sign-in/second", {"factor_code": app.at(portal.world.at), "next": "/portal"})
    assert (second.status_code, second.location) == (303, "/portal")
    assert guest.get("/portal").location.startswith("/portal/")
    (session,) = portal.world.services.sessions.of(CHEN)
    assert (session.way, session.factor_at) == ("password", portal.world.at)


def test_nothing_of_a_guests_cookie_survives(portal: Portal, login: str, app: pyotp.TOTP) -> None:
    guest = portal.visitor()
    enter(guest, login)
    before = cookies(guest)
    assert set(before) == {"signer-guest"}
    guest.client.set_cookie("signer", "f" * 64)  # what somebody else put there
    guest.post("/sign-in/second", {"factor_code": app.at(portal.world.at)})
    after = cookies(guest)
    assert set(after) == {"signer"}
    assert after["signer"] != "f" * 64
    stale = portal.app.test_client()
    stale.set_cookie("signer-guest", before["signer-guest"])
    assert stale.get("/sign-in/second").location == "/sign-in?told=over&lang=en", (
        "the first step is good for one second step"
    )


def test_signing_in_ends_the_session_that_the_browser_had(portal: Portal, login: str, app: pyotp.TOTP) -> None:
    visitor = portal.visitor(LIN)
    enter(visitor, login)
    assert not portal.world.services.sessions.of(CHEN), "who is signed in has no guest's cookie to wait with"
    visitor.post("/sign-out")
    assert not portal.world.services.sessions.of(LIN)
    assert cookies(visitor) == {}
    enter(visitor, login)
    visitor.post("/sign-in/second", {"factor_code": app.at(portal.world.at)})
    assert len(portal.world.services.sessions.of(CHEN)) == 1


def test_wrong_login_wrong_password_and_suspended_get_one_answer_for_one_work(
    portal: Portal, login: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    work: list[str] = []
    verify = argon2.PasswordHasher.verify

    def counted(self: argon2.PasswordHasher, *args: str) -> bool:
        work.append(args[0][:9])
        return verify(self, *args)

    monkeypatch.setattr(argon2.PasswordHasher, "verify", counted)
    portal.give_account(LIN)  # has no password at all
    told = []
    for typed, password in (
        (login, "not the password"),
        ("nobody@example.com", PASSWORD),
        ("lin.sample@example.com", PASSWORD),
    ):
        answer = enter(portal.visitor(), typed, password)
        told.append((answer.status_code, page_of(answer, typed)))
        assert (len(work), set(work)) == (len(told), {"$argon2id"})
    portal.world.change("UPDATE accounts SET state = 'suspended'")
    answer = enter(portal.visitor(), login)
    told.append((answer.status_code, page_of(answer, login)))
    assert len(work) == 4
    assert told[0][0] == 422
    assert len(set(told)) == 1


def page_of(answer: TestResponse, typed: str) -> str:
    """A page without what differs each time."""
    return re.sub(r'name="csrf_token" value="[^"]+"|nonce="[^"]*"|nonce-[^ ]+', "", answer.text).replace(typed, "LOGIN")


def test_who_is_suspended_is_out_at_once(portal: Portal) -> None:
    chen = portal.visitor(CHEN)
    assert chen.get("/portal").location.startswith("/portal/")
    portal.world.change("UPDATE accounts SET state = 'suspended'")
    assert chen.get("/portal").location.startswith("/sign-in")


def test_a_suspension_between_the_steps_counts(portal: Portal, login: str, app: pyotp.TOTP) -> None:
    guest = portal.visitor()
    enter(guest, login)
    portal.world.change("UPDATE accounts SET state = 'suspended'")
    answer = guest.post("/sign-in/second", {"factor_code": app.at(portal.world.at)})
    assert answer.location == "/sign-in?told=over&lang=en"


def test_a_login_is_the_same_in_any_form(portal: Portal, login: str, app: pyotp.TOTP) -> None:
    assert enter(portal.visitor(), f"  {login.upper()} ").status_code == 303


def test_a_code_is_used_once(portal: Portal, login: str, app: pyotp.TOTP) -> None:
    code = app.at(portal.world.at)
    for status in (303, 422):
        guest = portal.visitor()
        enter(guest, login)
        assert guest.post("/sign-in/second", {"factor_code": code}).status_code == status
    portal.world.at += timedelta(seconds=30)
    guest = portal.visitor()
    enter(guest, login)
    assert guest.post("/sign-in/second", {"factor_code": code}).status_code == 422, "the step before, used already"
    assert guest.post("/sign-in/second", {"factor_code": app.at(portal.world.at)}).status_code == 303


@pytest.mark.parametrize(("seconds", "is_right"), [(-60, False), (-30, True), (0, True), (30, True), (60, False)])
def test_a_code_is_good_one_step_early_or_late(portal: Portal, app: pyotp.TOTP, seconds: int, is_right: bool) -> None:
    chen = portal.visitor(CHEN)
    principal = portal.world.services.sessions.principal(cookies(chen)["signer"])
    assert principal is not None
    proof = Proof(code=app.at(portal.world.at + timedelta(seconds=seconds)))
    if is_right:
        assert portal.world.services.accounts.confirm(principal, proof, about="x") == "totp"
    else:
        with pytest.raises(NotPermitted):
            portal.world.services.accounts.confirm(principal, proof, about="x")


def test_a_stranger_locks_nobody_out(portal: Portal, login: str, app: pyotp.TOTP) -> None:
    guest = portal.visitor()
    token = guest.token()
    told = {"login": login, "password": "a guess of many", "csrf_token": token}
    found = [guest.post("/sign-in", told, environ_overrides=ELSEWHERE).status_code for _ in range(FREE + 3)]
    assert found == [422] * FREE + [429] * 3
    assert enter(portal.visitor(), login).status_code == 303, "from where the owner is it is as free as before"


def test_waits_grow_and_end(portal: Portal, login: str) -> None:
    guest = portal.visitor()
    for _ in range(FREE):
        assert enter(guest, login, "a guess").status_code == 422
    waits = []
    for _ in range(8):
        refused = enter(guest, login)
        assert refused.status_code == 429, "even the right password waits"
        waits.append(int(refused.headers["Retry-After"]))
        portal.world.at += timedelta(seconds=waits[-1])
        assert enter(guest, login, "a guess").status_code == 422
    assert waits == [15, 30, 60, 120, 240, 480, 900, 900]
    portal.world.at += timedelta(seconds=900)
    assert enter(guest, login).status_code == 303


def test_a_network_that_tries_many_logins_waits(portal: Portal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(argon2.PasswordHasher, "verify", lambda self, stored, typed: (_ for _ in ()).throw(
        argon2.exceptions.VerifyMismatchError()))  # fmt: skip
    known = portal.world.services.signing_in
    from signer.services.sign_in import Origin  # noqa: PLC0415

    for turn in range(NETWORK_FREE):
        with pytest.raises(NotPermitted):
            known.password(f"{turn}@example.com", "x", Origin(network="a", agent=""))
    with pytest.raises(TooManyRequests):
        known.password("new@example.com", "x", Origin(network="a", agent=""))
    with pytest.raises(NotPermitted):
        known.password("new@example.com", "x", Origin(network="b", agent=""))


def test_guesses_at_the_second_step_wait_wherever_they_come_from(portal: Portal, login: str, app: pyotp.TOTP) -> None:
    wrong = f"{(int(app.at(portal.world.at)) + 1) % 10**6:06d}"
    statuses = []
    for turn in range(FREE + 1):
        guest = portal.visitor()
        enter(guest, login)
        answer = guest.post(
            "/sign-in/second", {"factor_code": wrong}, environ_overrides={"REMOTE_ADDR": f"10.{turn}.0.1"}
        )
        statuses.append(answer.status_code)
    assert statuses == [422] * FREE + [429]


def test_a_form_of_another_site_signs_nobody_in(portal: Portal, login: str) -> None:
    guest = portal.visitor()
    assert guest.post("/sign-in", {"login": login, "password": PASSWORD}, forged=True).status_code == 400
    other = portal.visitor().token()
    told = {"login": login, "password": PASSWORD, "csrf_token": other}
    assert portal.visitor().post("/sign-in", told).status_code == 400, "another browser's form: login CSRF"


def test_nobody_is_led_to_another_site(portal: Portal, login: str, app: pyotp.TOTP) -> None:
    guest = portal.visitor()
    assert "evil" not in enter(guest, login, next="https://evil.example/").location
    answer = guest.post("/sign-in/second", {"factor_code": app.at(portal.world.at), "next": "//evil.example"})
    assert answer.location == "/portal"


@pytest.mark.parametrize("typed", ["\0", "x" * 5000, "\u202e@example.com", "<script>alert(1)</script>", "\ud800"])
def test_anything_may_be_typed(portal: Portal, typed: str) -> None:
    typed = typed.encode("utf-8", "replace").decode()
    answer = enter(portal.visitor(), typed, typed)
    assert answer.status_code == 422
    assert "<script>alert" not in answer.text


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 303),
        ({"Origin": "http://localhost", "Sec-Fetch-Site": "same-origin"}, 303),
        ({"Origin": "http://127.0.0.1:8000"}, 303),
        ({"Origin": "https://evil.example"}, 400),
        ({"Origin": "null"}, 400),
        ({"Sec-Fetch-Site": "cross-site"}, 400),
        ({"Sec-Fetch-Site": "same-site"}, 400),
    ],
)
def test_a_form_that_a_browser_sends_from_elsewhere_is_refused_with_the_right_secret_too(
    portal: Portal, login: str, headers: dict[str, str], status: int
) -> None:
    guest = portal.visitor()
    assert guest.post("/sign-in", {"login": login, "password": PASSWORD}, headers=headers).status_code == status


@pytest.mark.parametrize(("lang", "other", "wrong"), [("zh", "en", "邮箱或密码不正确"), ("en", "zh", "is not right")])
def test_a_guest_is_answered_in_the_language_of_the_page(portal: Portal, lang: str, other: str, wrong: str) -> None:
    """Whatever the browser prefers: the page was chosen."""
    login = portal.give_password(CHEN)
    portal.give_factor(CHEN)
    guest = portal.visitor()
    page = guest.get(f"/sign-in?lang={lang}", lang=other).text
    fields = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', page.split("</form>")[0]))
    told = {**fields, "login": login, "password": "not it at all"}
    assert wrong in guest.post("/sign-in", told, headers={"Accept-Language": other}).text
    told["password"] = PASSWORD
    second = guest.post("/sign-in", told, headers={"Accept-Language": other}).location
    tag = re.search(r'<html lang="(\w+)', guest.get(second, lang=other).text)
    assert tag is not None
    assert tag[1] == lang
