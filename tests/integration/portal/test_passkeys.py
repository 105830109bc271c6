"""A passkey: shown once for one challenge, on this site, by whoever was asked, for the one purpose it was asked for."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from authenticator import PRESENT, Authenticator
from databases import EITHER
from portal import PASSWORD, Portal
from world import PEOPLE, YUNZHOU

from signer.domain.account import Principal, Proof
from signer.errors import NotPermitted
from signer.services.accounts import CHALLENGE_FOR

if TYPE_CHECKING:
    from portal import Visitor
    from werkzeug.test import TestResponse

pytestmark = EITHER
CHEN, LIN = PEOPLE[YUNZHOU]


@pytest.fixture
def device(portal: Portal) -> Authenticator:
    """Chen's."""
    return portal.give_passkey(CHEN)


def principal_of(portal: Portal, visitor: Visitor) -> Principal:
    cookie = visitor.client.get_cookie("signer")
    assert cookie is not None
    found = portal.world.services.sessions.principal(cookie.value)
    assert found is not None
    return found


def alone(guest: Visitor, device: Authenticator, *, asker: Visitor | None = None) -> TestResponse:
    """Sign in by a passkey alone, with a challenge asked by this browser or another."""
    options = (asker or guest).post("/sign-in/challenge").text
    return guest.post("/sign-in/passkey", {"factor_assertion": device.show(options)})


def test_a_passkey_alone_signs_in(portal: Portal, device: Authenticator) -> None:
    guest = portal.visitor()
    assert alone(guest, device).status_code == 303
    (session,) = portal.world.services.sessions.of(CHEN)
    assert (session.way, session.factor_at) == ("passkey", portal.world.at)


def test_a_passkey_is_a_second_factor(portal: Portal, device: Authenticator) -> None:
    login, guest = portal.give_password(CHEN), portal.visitor()
    guest.post("/sign-in", {"login": login, "password": PASSWORD})
    assertion = device.show(guest.post("/sign-in/second/challenge").text)
    assert guest.post("/sign-in/second", {"factor_assertion": assertion}).status_code == 303
    assert guest.get("/portal").location.startswith("/portal/")


def test_an_answer_is_good_once(portal: Portal, device: Authenticator) -> None:
    guest = portal.visitor()
    assertion = device.show(guest.post("/sign-in/challenge").text)
    told = {"factor_assertion": assertion, "csrf_token": guest.token()}
    cookie = guest.client.get_cookie("signer-guest")
    assert cookie is not None
    assert guest.post("/sign-in/passkey", told).status_code == 303
    guest.client.delete_cookie("signer")
    guest.client.set_cookie("signer-guest", cookie.value)
    assert guest.post("/sign-in/passkey", told).status_code == 422


def test_a_challenge_is_used_even_by_a_wrong_answer(portal: Portal, device: Authenticator) -> None:
    guest = portal.visitor()
    options = guest.post("/sign-in/challenge").text
    device.origin = "https://evil.example"
    assert guest.post("/sign-in/passkey", {"factor_assertion": device.show(options)}).status_code == 422
    device.origin = Authenticator.origin
    assert guest.post("/sign-in/passkey", {"factor_assertion": device.show(options)}).status_code == 422


def test_a_challenge_of_another_browser_is_none(portal: Portal, device: Authenticator) -> None:
    assert alone(portal.visitor(), device, asker=portal.visitor()).status_code == 422


def test_a_challenge_ends(portal: Portal, device: Authenticator) -> None:
    guest = portal.visitor()
    assertion = device.show(guest.post("/sign-in/challenge").text)
    portal.world.at += CHALLENGE_FOR
    assert guest.post("/sign-in/passkey", {"factor_assertion": assertion}).status_code == 422


@pytest.mark.parametrize(
    "wrong",
    [
        {"origin": "https://evil.example"},
        {"origin": "http://127.0.0.1:8001"},
        {"host": "evil.example"},
        {"flags": PRESENT},
        {"flags": 4},
        {"credential": b"another" * 4},
        {"key": Authenticator().key},
    ],
    ids=lambda wrong: next(iter(wrong)),
)
def test_what_another_site_or_device_shows_is_refused(portal: Portal, device: Authenticator, wrong: dict) -> None:
    for name, value in wrong.items():
        setattr(device, name, value)
    assert alone(portal.visitor(), device).status_code == 422
    assert not portal.world.services.sessions.of(CHEN)


def test_a_copied_device_is_noticed(portal: Portal, device: Authenticator) -> None:
    device.counter = 7
    assert alone(portal.visitor(), device).status_code == 303
    device.counter = 3
    assert alone(portal.visitor(), device).status_code == 422


def test_a_suspended_account_has_no_passkey(portal: Portal, device: Authenticator) -> None:
    portal.world.change("UPDATE accounts SET state = 'suspended'")
    assert alone(portal.visitor(), device).status_code == 422


def test_confirming_is_for_one_purpose_one_session_and_one_person(portal: Portal, device: Authenticator) -> None:
    accounts = portal.world.services.accounts
    chen = principal_of(portal, portal.visitor(CHEN))
    elsewhere = principal_of(portal, portal.visitor(CHEN))
    lin = principal_of(portal, portal.visitor(LIN))

    def shown(*, asked: Principal = chen, about: str = "approve:1") -> Proof:
        return Proof(assertion=device.show(accounts.ask(asked, about=about)))

    for by, proof in ((chen, shown(about="approve:2")), (chen, shown(asked=elsewhere)), (lin, shown())):
        with pytest.raises(NotPermitted):
            accounts.confirm(by, proof, about="approve:1")
    with pytest.raises(NotPermitted):
        accounts.confirm(lin, shown(asked=lin), about="approve:1")
    assert accounts.confirm(chen, shown(), about="approve:1") == "passkey"


def test_confirming_makes_a_session_fresh_and_is_noted(portal: Portal, device: Authenticator) -> None:
    visitor = portal.visitor(CHEN)
    portal.world.at += timedelta(minutes=30)
    chen = principal_of(portal, visitor)
    assert not chen.is_fresh(portal.world.at)
    accounts = portal.world.services.accounts
    accounts.confirm(chen, Proof(assertion=device.show(accounts.ask(chen, about="x"))), about="x")
    assert principal_of(portal, visitor).is_fresh(portal.world.at)
    assert portal.world.rows("SELECT actor, detail FROM audit WHERE event = 'factor.shown'") == [
        (CHEN, '{"about": "x", "kind": "passkey"}')
    ]


@pytest.mark.parametrize("text", ["", "{}", "[]", "null", '{"response": {"clientDataJSON": "e30"}}', "\0", "x" * 19000])
def test_nonsense_is_no_answer(portal: Portal, device: Authenticator, text: str) -> None:
    assert portal.visitor().post("/sign-in/passkey", {"factor_assertion": text}).status_code == 422
