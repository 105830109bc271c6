"""What proxies that are trusted say of a request: from which network it comes, and who is signed in there."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING

from flask import request

if TYPE_CHECKING:
    from wsgiref.types import WSGIEnvironment

    from signer.settings import Network, Settings

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

UNKNOWN = "unknown"
"""The network of whoever has no address: a socket of this machine, or one that cannot be read."""
_HEADER = "X-Forwarded-For"
_MOST_HOPS = 20
"""How many addresses are read, from the right."""


def network(settings: Settings) -> str:
    """Return the network that this request comes from: the /24 of IPv4, the /56 of IPv6."""
    return network_of(request.remote_addr or "", request.headers.get(_HEADER, ""), trusted=settings.proxies)


def network_in(environ: WSGIEnvironment, *, trusted: tuple[Network, ...]) -> str:
    """Return the same of a request that no application has seen yet."""
    forwarded = environ.get("HTTP_X_FORWARDED_FOR", "")
    return network_of(str(environ.get("REMOTE_ADDR") or ""), str(forwarded), trusted=trusted)


def address(settings: Settings) -> Address | None:
    """Return the address that this request comes from, None for one that has none."""
    return _asker(request.remote_addr or "", request.headers.get(_HEADER, ""), trusted=settings.proxies)


def network_of(peer: str, forwarded: str, *, trusted: tuple[Network, ...]) -> str:
    """Return the network of who asks, or `unknown`."""
    found = _asker(peer, forwarded, trusted=trusted)
    return UNKNOWN if found is None else str(_around(found))


def _asker(peer: str, forwarded: str, *, trusted: tuple[Network, ...]) -> Address | None:
    """
    Return the rightmost address that is no trusted proxy's, or None.

    `peer` is who is connected, `forwarded` the addresses that proxies added, each on the right. Whatever stands to the
    left of an address that nobody vouches for was written by whom it belongs to, and is not read. What is no plain
    address ends the reading: the proxy that passed it on stands for it.
    """
    found = _address(peer)
    if found is None:
        return None
    for word in reversed(forwarded.rsplit(",", _MOST_HOPS)[-_MOST_HOPS:]):
        if not _is_in(found, trusted) or (further := _address(word.strip())) is None:
            break
        found = further
    return found


def named(settings: Settings) -> str:
    """Return whom a trusted proxy names in its header; '' from anybody else, whatever the header says."""
    peer = _address(request.remote_addr or "")
    if not settings.proxy_user_header or peer is None or not _is_in(peer, settings.proxies):
        return ""
    told = request.headers.getlist(settings.proxy_user_header)
    return told[0][:120] if len(told) == 1 else ""


def _address(text: str) -> Address | None:
    """Return an address; IPv4's own where IPv6 only wraps it, as a server that listens on both sees it."""
    try:
        found = ipaddress.ip_address(text)
    except ValueError:
        return None
    return getattr(found, "ipv4_mapped", None) or found


def _around(address: Address) -> Network:
    if address.version == 4:
        return ipaddress.IPv4Network((int(address), 24), strict=False)
    return ipaddress.IPv6Network((int(address), 56), strict=False)


def _is_in(address: Address, networks: tuple[Network, ...]) -> bool:
    return any(address in network for network in networks)
