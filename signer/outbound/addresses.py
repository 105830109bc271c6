"""
Which addresses may be asked: read them strictly, and judge where their names lead; pure.

There are two classes of trust. Who runs the house may name any host, also a private one, and plain http (timestamping
authorities and revocation data come over it by custom). Who merely uses the house may name public hosts over https
alone. Source: docs/adr/0040-one-way-out.md; RFC 6890 and the registries of special addresses that it made.
"""

from __future__ import annotations

import base64
import ipaddress
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote, urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterable
    from urllib.parse import SplitResult

MOST_URL: Final = 500
_PORTS: Final = {"https": 443, "http": 80}
_FIRST_FREE_PORT: Final = 1024
_LABEL = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)")
_VISIBLE = re.compile(r"[!-~]+")
_UNICAST_6: Final = ipaddress.IPv6Network("2000::/3")
_NAT64: Final = ipaddress.IPv6Network("64:ff9b::/96")
_TUNNELS: Final = tuple(
    ipaddress.ip_network(one) for one in ("2002::/16", "2001::/23", "3fff::/20", "192.88.99.0/24", "192.0.0.0/24")
)
"""6to4, Teredo and its kin, documentation, the 6to4 relays, and what the protocols keep: nobody is reached there."""
_ISATAP: Final = (0x00005EFE, 0x02005EFE)


class NotReached(Exception):
    """An address gave no answer, or none in time and in measure."""


class AddressRefused(NotReached):
    """An address is not asked at all: it is none, or not one that whoever named it may steer the house to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """An address, read: `path` with its query, `authorization` from a user and password in it, else ''."""

    scheme: str
    host: str
    port: int
    path: str
    authorization: str

    @property
    def is_tls(self) -> bool:
        """Tell whether the other end proves who it is."""
        return self.scheme == "https"

    @property
    def place(self) -> str:
        """The host as a request's head names it: with its port, if that is not the scheme's own."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS[self.scheme] else f"{host}:{self.port}"

    @property
    def origin(self) -> tuple[str, str, int]:
        """What two addresses have in common that one connection serves."""
        return self.scheme, self.host, self.port


def parse(url: str) -> Target:
    """Read an address as strictly as everybody should: two readings of one address are what attackers live on."""
    if not _VISIBLE.fullmatch(url) or "\\" in url or len(url) > MOST_URL:
        raise AddressRefused(f"an address has at most {MOST_URL} visible ASCII characters (others as %XX or xn--)")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise AddressRefused("the address cannot be read") from error
    if parts.scheme not in _PORTS:
        raise AddressRefused("the address begins with neither https:// nor http://")
    if "#" in url:
        raise AddressRefused("the address ends in a fragment, which nobody sends")
    return Target(
        scheme=parts.scheme,
        host=_host(parts),
        port=_PORTS[parts.scheme] if port is None else port,
        path=(parts.path or "/") + (f"?{parts.query}" if parts.query else ""),
        authorization=_authorization(parts),
    )


def _host(parts: SplitResult) -> str:
    """Return a name in lower case, or an address in its one usual form: `127.1` or `0x7f000001` are neither."""
    host = (parts.hostname or "").removesuffix(".")
    try:
        found = ipaddress.ip_address(host)
    except ValueError:
        labels = host.split(".")
        is_name = len(host) <= 253 and all(_LABEL.fullmatch(label) for label in labels)
        if not is_name or labels[-1][0].isdigit():
            raise AddressRefused("the address names no host") from None
        return host
    if isinstance(found, ipaddress.IPv6Address) and found.scope_id is not None:
        raise AddressRefused("the address names a zone of this computer")
    return str(found)


def _authorization(parts: SplitResult) -> str:
    if parts.username is None:
        return ""
    pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
    return f"Basic {base64.b64encode(pair.encode()).decode()}"


def is_public(address: str) -> bool:
    """Tell whether an IP address is a public computer's own: no private, local or mapped one, no group, no tunnel."""
    found = ipaddress.ip_address(address)
    if isinstance(found, ipaddress.IPv6Address):
        if found in _NAT64:
            return is_public(str(ipaddress.IPv4Address(int(found) & 0xFFFFFFFF)))
        if found not in _UNICAST_6 or (int(found) >> 32 & 0xFFFFFFFF) in _ISATAP or found.scope_id is not None:
            return False
    is_special = found.is_multicast or found.is_reserved or found.is_unspecified or not found.is_global
    return not is_special and not any(found in one for one in _TUNNELS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """
    Whom a client may ask.

    `is_anywhere`: whomever the address names, for addresses that only who runs the house can set. Otherwise public
    hosts over https, and `hosts` (`host` or `host:port`) that the operator allows besides, wherever they are.
    """

    is_anywhere: bool = False
    hosts: frozenset[str] = frozenset()

    def is_free(self, target: Target) -> bool:
        """Tell whether a target may be anywhere, and over http: the operator named it."""
        return self.is_anywhere or bool({target.place, f"{target.host}:{target.port}"} & self.hosts)

    def admit(self, url: str) -> Target:
        """Read an address, and refuse one that may not be asked whatever its name leads to. AddressRefused."""
        target = parse(url)
        if self.is_anywhere:
            return target
        if target.authorization:
            raise AddressRefused("the address holds a user name")
        if self.is_free(target):
            return target
        if not target.is_tls:
            raise AddressRefused("the address does not begin with https://")
        if target.port != _PORTS["https"] and target.port < _FIRST_FREE_PORT:
            raise AddressRefused(f"the port is neither 443 nor at least {_FIRST_FREE_PORT}")
        if _is_address(target.host):
            self.refuse(target, (target.host,))
        return target

    def refuse(self, target: Target, addresses: Iterable[str]) -> None:
        """Refuse a target if one of the IP addresses that its name led to may not be connected to. AddressRefused."""
        if not self.is_free(target) and not all(map(is_public, addresses)):
            raise AddressRefused(f"{target.host} names no public computer")


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


OPERATORS: Final = Reach(is_anywhere=True)
"""For what the settings, a key's descriptor or the signed trust list name."""


def tenants(hosts: Iterable[str] = ()) -> Reach:
    """Return the reach for what manufacturers and exporters name; `hosts` are those that the operator allows."""
    return Reach(hosts=frozenset(host.lower() for host in hosts))
