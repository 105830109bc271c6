"""From which network a request comes: nobody chooses it, whatever headers are sent and through whichever proxies."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING

import pytest
from apps import create_app
from hypothesis import given
from hypothesis import strategies as st

from signer.errors import Misconfigured
from signer.settings import load
from signer.web.proxies import UNKNOWN, network_of

if TYPE_CHECKING:
    import world as worlds

NUMBER = "BS93A-WKMDV-BBKH"
OURS = tuple(ipaddress.ip_network(word) for word in ("10.1.0.0/16", "192.0.2.7/32", "fd00:1::/64"))
PROXIES = ("10.1.0.1", "10.1.200.9", "192.0.2.7", "fd00:1::7", "::ffff:10.1.0.1")
words = st.one_of(
    st.ip_addresses().map(str),
    st.sampled_from([*PROXIES, "", "unknown", "_hidden", "1.2.3.4:80", "[2001:db8::1]:443", "1.2.3", "٠.١.٢.٣"]),
    st.text(max_size=12).filter(lambda text: "," not in text),
)
clients = st.ip_addresses().filter(
    lambda address: not any(address in ours for ours in OURS) and getattr(address, "ipv4_mapped", None) is None
)


@given(client=clients, told=st.lists(words, max_size=40), between=st.lists(st.sampled_from(PROXIES), max_size=5))
def test_a_client_cannot_choose_its_network(client: object, told: list[str], between: list[str]) -> None:
    """A client sends what it likes; each of our proxies adds who is connected to it, and is connected to the next."""
    chain = [str(client), *between]
    forwarded = ", ".join([*told, *chain[:-1]]) if between else ", ".join(told)
    assert network_of(chain[-1], forwarded, trusted=OURS) == network_of(str(client), "", trusted=())


@given(peer=words, forwarded=st.lists(words, max_size=40))
def test_without_proxies_of_ours_no_header_is_read(peer: str, forwarded: list[str]) -> None:
    assert network_of(peer, ",".join(forwarded), trusted=()) == network_of(peer, "", trusted=())


@given(peer=words, forwarded=st.text(max_size=200))
def test_whatever_is_sent_a_network_is_found_or_none_is_known(peer: str, forwarded: str) -> None:
    found = network_of(peer, forwarded, trusted=OURS)
    assert found == UNKNOWN or ipaddress.ip_network(found).prefixlen in (24, 56)


@pytest.mark.parametrize(
    ("peer", "forwarded", "network"),
    [
        ("10.1.0.1", "", "10.1.0.0/24"),
        ("10.1.0.1", "198.51.100.7", "198.51.100.0/24"),
        ("10.1.0.1", "203.0.113.9, 198.51.100.7", "198.51.100.0/24"),
        ("10.1.0.1", "203.0.113.9, 198.51.100.7, 10.1.9.9", "198.51.100.0/24"),
        ("10.1.0.1", "2001:db8:1:2ff::1", "2001:db8:1:200::/56"),
        ("::ffff:10.1.0.1", "::ffff:198.51.100.7", "198.51.100.0/24"),
        ("::ffff:198.51.100.7", "203.0.113.9", "198.51.100.0/24"),
        ("10.1.0.1", "10.1.7.1, 10.1.9.9", "10.1.7.0/24"),
        ("10.1.0.1", "198.51.100.7, unknown", "10.1.0.0/24"),
        ("10.1.0.1", "198.51.100.7, 203.0.113.9:80, 10.1.9.9", "10.1.9.0/24"),
        ("10.1.0.1", "198.51.100.7,", "10.1.0.0/24"),
        ("fe80::1%eth0", "", "fe80::/56"),
        ("::1", "", "::/56"),
        ("", "198.51.100.7", UNKNOWN),
    ],
)
def test_the_rightmost_address_that_is_no_proxys_counts(peer: str, forwarded: str, network: str) -> None:
    assert network_of(peer, forwarded, trusted=OURS) == network


@pytest.mark.parametrize(
    "wrong", ["10.1.0.1/16", "10.1.0.0/16,10.2.0.0/16", "proxy.example", "0.0.0.0/33", "0.0.0.0/0", "::/0"]
)
def test_what_is_no_network_or_is_everybodys_is_refused_as_a_setting(wrong: str) -> None:
    with pytest.raises(Misconfigured, match="SIGNER_TRUSTED_PROXIES"):
        load({"SIGNER_TRUSTED_PROXIES": wrong})


def test_look_ups_behind_one_proxy_are_counted_by_who_asks(world: worlds.World) -> None:
    world.overrides["SIGNER_TRUSTED_PROXIES"] = "10.1.0.0/16"
    world.rewire()
    client = create_app(world.services, clock=lambda: world.at).test_client()
    for forwarded in ("198.51.100.7", "1.1.1.1, 198.51.100.9", "203.0.113.9"):
        client.post(
            "/api/v1/lookups",
            json={"numbers": [NUMBER], "tail": "999999"},
            headers={"X-Forwarded-For": forwarded},
            environ_overrides={"REMOTE_ADDR": "10.1.0.1"},
        )
    counted = world.rows("SELECT network, count(*) FROM lookup_failures GROUP BY network ORDER BY network")
    assert counted == [("198.51.100.0/24", 2), ("203.0.113.0/24", 1)]
