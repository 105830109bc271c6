"""Who is signed in elsewhere: each word of the provider's token is checked; no stranger's header is believed."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import provider as providers
import pytest
import requests
from databases import EITHER
from joserfc.jwk import RSAKey
from portal import Portal
from world import PEOPLE, YUNZHOU, World

from signer.domain.account import FRESH
from signer.domain.parties import Role
from signer.services.invitations import Invited

if TYPE_CHECKING:
    from collections.abc import Iterator

    from portal import Visitor
    from werkzeug.test import TestResponse

pytestmark = EITHER
CHEN, LIN = PEOPLE[YUNZHOU]


@pytest.fixture
def provider(world: World) -> Iterator[providers.Provider]:
    made = providers.Provider(lambda: world.at)
    yield made
    made.close()


@pytest.fixture
def portal(world: World, provider: providers.Provider) -> Portal:
    secret = world.folder / "oidc.secret"
    secret.write_text(providers.SECRET)
    world.overrides = {
        "SIGNER_OIDC_ISSUER": provider.issuer,
        "SIGNER_OIDC_CLIENT_ID": providers.CLIENT,
        "SIGNER_OIDC_CLIENT_SECRET_FILE": str(secret),
        "SIGNER_PROXY_USER_HEADER": "X-Signed-In",
        "SIGNER_TRUSTED_PROXIES": "10.1.0.0/16",
    }
    world.rewire()
    return Portal.of(world)


def go(address: str) -> str:
    """Be at the provider, and come back: the address of the callback."""
    answer = requests.get(address, allow_redirects=False, timeout=5)
    return answer.headers["Location"].removeprefix("http://127.0.0.1:8000")


def sign_in(guest: Visitor) -> TestResponse:
    return guest.get(go(guest.get("/sign-in/oidc").location))


def linked(portal: Portal, person: str = CHEN, subject: str = "s-1") -> None:
    portal.give_account(person)
    portal.world.change(
        f"INSERT INTO federated VALUES ('{portal.world.settings.oidc_issuer}', '{subject}', '{person}', "
        "'2026-11-22T00:00:00.000000Z')"
    )


def test_a_linked_name_signs_in_and_implies_no_second_factor(portal: Portal) -> None:
    linked(portal)
    guest = portal.visitor()
    assert sign_in(guest).status_code == 303
    assert guest.get("/portal").location.startswith("/portal/")
    (session,) = portal.world.services.sessions.of(CHEN)
    assert (session.way, session.factor_at) == ("oidc", None)


@pytest.mark.parametrize(
    "wrong",
    [
        {"nonce": "another"},
        {"nonce": "ABSENT"},
        {"iss": "https://evil.example"},
        {"aud": "another-client"},
        {"aud": [providers.CLIENT, "another"]},
        {"exp": 1},
        {"exp": "ABSENT"},
        {"iat": 4_000_000_000},
        {"sub": "ABSENT"},
        {"sub": ""},
        {"sub": 7},
        {"azp": "another-client"},
    ],
    ids=str,
)
def test_a_token_that_is_not_for_this_sign_in_opens_nothing(
    portal: Portal, provider: providers.Provider, wrong: dict[str, Any]
) -> None:
    linked(portal)
    provider.wrong = wrong
    assert sign_in(portal.visitor()).status_code == 422
    assert not portal.world.services.sessions.of(CHEN)


def test_a_token_that_another_key_signed_opens_nothing(portal: Portal, provider: providers.Provider) -> None:
    linked(portal)
    provider.key = RSAKey.generate_key(2048, {"kid": "k1"})
    assert sign_in(portal.visitor()).status_code == 422


def test_a_state_is_one_browsers_and_good_once(portal: Portal) -> None:
    linked(portal)
    begun, other = portal.visitor(), portal.visitor()
    other.get("/sign-in/oidc")
    callback = go(begun.get("/sign-in/oidc").location)
    assert other.get(callback).status_code == 422, "login CSRF: another browser's code and state"
    assert begun.get(callback).status_code == 422, "and so it is used"
    callback = go(begun.get("/sign-in/oidc").location)
    cookie = begun.client.get_cookie("signer-guest")
    assert cookie is not None
    assert begun.get(callback).status_code == 303
    begun.client.delete_cookie("signer")
    begun.client.set_cookie("signer-guest", cookie.value)
    assert begun.get(callback).status_code == 422
    for nonsense in ("", "?state=x&code=y", "?code=" + "x" * 5000):
        assert begun.get(f"/sign-in/oidc/callback{nonsense}").status_code == 422


def test_a_code_without_its_verifier_is_refused_by_the_provider(portal: Portal, provider: providers.Provider) -> None:
    linked(portal)
    guest = portal.visitor()
    callback = go(guest.get("/sign-in/oidc").location)
    for asked in provider.codes.values():
        asked["code_challenge"] = "another"
    assert guest.get(callback).status_code == 422


def test_a_new_name_is_linked_by_a_verified_address_to_who_is_invited(
    portal: Portal, provider: providers.Provider
) -> None:
    invited = Invited(login="wang@example.com", name="王新", roles=frozenset({Role.OPERATOR}))
    portal.world.services.inviting.appoint(invited, maker=None, actor="test")
    provider.claims = {"sub": "s-2", "email": "Wang@Example.com", "email_verified": False}
    assert sign_in(portal.visitor()).status_code == 422
    provider.claims["email_verified"] = "true"
    assert sign_in(portal.visitor()).status_code == 422
    provider.claims["email_verified"] = True
    assert sign_in(portal.visitor()).status_code == 303
    assert portal.world.rows("SELECT subject FROM federated") == [("s-2",)]
    provider.claims = {"sub": "s-3", "email": "wang@example.com", "email_verified": True}
    assert sign_in(portal.visitor()).status_code == 422, "the account is another subject's"


def test_an_address_alone_takes_no_account_over(portal: Portal, provider: providers.Provider) -> None:
    login = portal.give_password(CHEN)
    provider.claims = {"sub": "s-9", "email": login, "email_verified": True}
    assert sign_in(portal.visitor()).status_code == 422
    assert not portal.world.rows("SELECT 1 FROM federated")


def test_a_signed_in_person_links_a_name_that_is_nobody_elses(portal: Portal) -> None:
    chen = portal.visitor(CHEN)
    page = chen.post("/account/link").text
    address = page.split('class="button primary" href="')[1].split('"')[0].replace("&amp;", "&")
    assert chen.get(go(address)).location == "/account?done=account-saved"
    guest = portal.visitor()
    assert sign_in(guest).status_code == 303
    lin = portal.visitor(LIN)
    address = lin.post("/account/link").text.split('class="button primary" href="')[1].split('"')[0]
    assert lin.get(go(address.replace("&amp;", "&"))).status_code == 422
    assert portal.world.rows("SELECT person_id FROM federated") == [(CHEN,)]


def test_a_name_is_unlinked_and_then_opens_nothing(portal: Portal) -> None:
    linked(portal)
    portal.give_password(CHEN)
    chen, other = portal.visitor(CHEN), portal.visitor()
    assert sign_in(other).status_code == 303
    assert 'action="/account/unlink"' in chen.get("/account").text
    assert chen.post("/account/unlink").location == "/account?done=account-saved"
    assert not portal.world.rows("SELECT 1 FROM federated")
    assert 'action="/account/unlink"' not in chen.get("/account").text
    assert other.get("/account").status_code == 303, "the session that it had begun is over"
    assert sign_in(portal.visitor()).status_code == 422
    ((actor,),) = portal.world.rows("SELECT actor FROM audit WHERE event = 'account.unlinked'")
    assert actor == CHEN


def test_the_last_way_to_sign_in_stays(portal: Portal) -> None:
    linked(portal)
    portal.give_factor(CHEN)  # an app alone signs nobody in
    answer = portal.visitor(CHEN).post("/account/unlink")
    assert (answer.status_code, "no other way to sign in" in answer.text) == (422, True)
    assert portal.world.rows("SELECT person_id FROM federated") == [(CHEN,)]
    assert sign_in(portal.visitor()).status_code == 303
    portal.give_passkey(CHEN)
    assert portal.visitor(CHEN).post("/account/unlink").status_code == 303


def test_whoever_finds_an_open_browser_unlinks_nothing(portal: Portal) -> None:
    linked(portal)
    portal.give_passkey(CHEN)
    chen = portal.visitor(CHEN)
    portal.world.at += FRESH + timedelta(seconds=1)
    assert chen.post("/account/unlink").location == "/account/confirm?next=/account"
    assert portal.world.rows("SELECT person_id FROM federated") == [(CHEN,)]


def test_a_suspended_account_is_not_opened_from_elsewhere(portal: Portal) -> None:
    linked(portal)
    portal.world.change("UPDATE accounts SET state = 'suspended'")
    assert sign_in(portal.visitor()).status_code == 422


@pytest.mark.parametrize(
    ("peer", "status"), [("10.1.2.3", 303), ("10.2.2.3", 422), ("127.0.0.1", 422), ("::1", 422), ("", 422)]
)
def test_a_header_is_believed_of_a_trusted_proxy_alone(portal: Portal, peer: str, status: int) -> None:
    portal.give_account(CHEN)
    guest = portal.visitor()
    token = guest.token()
    answer = guest.post(
        "/sign-in/proxy",
        {"csrf_token": token},
        headers={"X-Signed-In": f"{CHEN}@example.com"},
        environ_overrides={"REMOTE_ADDR": peer},
    )
    assert answer.status_code == status
    assert [one.factor_at for one in portal.world.services.sessions.of(CHEN)] == [None] * (status == 303)


def test_two_names_in_headers_are_none(portal: Portal) -> None:
    portal.give_account(CHEN)
    guest = portal.visitor()
    headers = [("X-Signed-In", f"{CHEN}@example.com"), ("X-Signed-In", "x@example.com")]
    told = {"csrf_token": guest.token()}
    answer = guest.post("/sign-in/proxy", told, headers=headers, environ_overrides={"REMOTE_ADDR": "10.1.2.3"})
    assert answer.status_code == 422
