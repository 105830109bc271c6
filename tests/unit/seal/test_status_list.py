"""A status list is believed by the key, the place and the time that the trust list gives it, and by nothing else."""

from __future__ import annotations

import base64
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from pki import AT, World, entry_of, trust_list_of

from signer.domain import status_list as plain
from signer.domain.status_list import Status
from signer.domain.trust import Purpose, SealState
from signer.errors import InvalidInput
from signer.seal import certificates, keys, service_key, status_list

if TYPE_CHECKING:
    from signer.domain.trust import TrustList
    from signer.seal.service_key import ServiceKey

BASE = "https://confirm.example.org"
HOUR = timedelta(hours=1)


@pytest.fixture(scope="module")
def trust(world: World) -> TrustList:
    listed = trust_list_of(world.made)
    own = (
        entry_of(Purpose.STATUS, world.made.status, "TEST status lists"),
        entry_of(Purpose.BUNDLE, world.made.bundle, "TEST bundles"),
    )
    return listed.model_copy(update={"base_url": BASE, "entries": (*listed.entries, *own)})


def opened(world: World, trust: TrustList, purpose: Purpose) -> ServiceKey:
    path = world.made.folder / f"{purpose}.pem"
    usage = certificates.service_usage_fault
    return service_key.admit(
        keys.load(path, password=world.made.password, at=AT, usage_fault=usage), trust, purpose, at=AT
    )


@pytest.fixture(scope="module")
def key(world: World, trust: TrustList) -> ServiceKey:
    return opened(world, trust, Purpose.STATUS)


def token_of(key: ServiceKey, base_url: str = BASE, number: int = 7) -> bytes:
    places = plain.blank(64)
    places[3] = Status.ENDED
    return status_list.sign(plain.uri_of(base_url, number), places, key, at=AT)


def with_state(trust: TrustList, state: SealState, since: timedelta) -> TrustList:
    changes = {"state": state, "state_since": AT + since}
    entries = tuple(
        entry.model_copy(update=changes) if entry.purpose is Purpose.STATUS else entry for entry in trust.entries
    )
    return trust.model_copy(update={"entries": entries})


def test_a_list_is_believed_by_the_trust_list_alone(key: ServiceKey, trust: TrustList) -> None:
    token = token_of(key)
    believed = status_list.believe(token + b"\n", trust)
    assert (believed.number, believed.token) == (7, token)
    assert [believed.list.status(place) for place in (2, 3)] == [Status.NOT_NOW, Status.ENDED]
    assert status_list.recall(token) == believed.list


def test_its_header_is_the_drafts(key: ServiceKey) -> None:
    head = token_of(key).split(b".")[0]
    assert b'"typ":"statuslist+jwt"' in base64.urlsafe_b64decode(head + b"=" * (-len(head) % 4))


@pytest.mark.parametrize("base_url", ["https://evil.example", "http://confirm.example.org", f"{BASE}/sub"])
def test_a_list_of_another_host_is_refused_though_the_key_is_right(
    key: ServiceKey, trust: TrustList, base_url: str
) -> None:
    with pytest.raises(InvalidInput, match="is not a list of"):
        status_list.believe(token_of(key, base_url), trust)


def test_without_a_named_host_no_list_is_believed(key: ServiceKey, trust: TrustList) -> None:
    with pytest.raises(InvalidInput, match="does not say where"):
        status_list.believe(token_of(key), trust.model_copy(update={"base_url": None}))


def test_another_service_key_signs_no_list(world: World, trust: TrustList) -> None:
    with pytest.raises(InvalidInput, match="names no key"):
        status_list.believe(token_of(opened(world, trust, Purpose.BUNDLE)), trust)


def test_any_changed_character_is_refused(key: ServiceKey, trust: TrustList) -> None:
    token = token_of(key)
    for place in range(0, len(token), 7):
        other = token[:place] + (b"A" if token[place : place + 1] != b"A" else b"B") + token[place + 1 :]
        with pytest.raises(InvalidInput):
            status_list.believe(other, trust)


def test_a_token_of_another_type_is_no_list(key: ServiceKey, trust: TrustList) -> None:
    token = key.sign(plain.encode(plain.uri_of(BASE, 7), plain.blank(64), at=AT), typ="JWT")
    with pytest.raises(InvalidInput, match="typ is"):
        status_list.believe(token, trust)


@pytest.mark.parametrize("state", [SealState.REVOKED, SealState.SUSPENDED])
def test_a_revoked_or_suspended_key_vouches_for_no_list(key: ServiceKey, trust: TrustList, state: SealState) -> None:
    with pytest.raises(InvalidInput, match=f"is {state}"):
        status_list.believe(token_of(key), with_state(trust, state, HOUR))


def test_a_retired_key_vouches_for_what_it_signed_before(key: ServiceKey, trust: TrustList) -> None:
    assert status_list.believe(token_of(key), with_state(trust, SealState.VERIFY_ONLY, HOUR)).number == 7
    with pytest.raises(InvalidInput, match="retired before"):
        status_list.believe(token_of(key), with_state(trust, SealState.VERIFY_ONLY, -HOUR))
