"""Guessing is made slow, and nobody is locked out by a stranger: what counts is a login together with a network."""

from __future__ import annotations

import hashlib
import ipaddress
import math
from datetime import timedelta
from typing import TYPE_CHECKING

from signer.errors import TooManyRequests
from signer.register import accounts

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from signer.register.accounts import Failures
    from signer.register.database import Database

SPAN, NETWORK_SPAN = timedelta(hours=24), timedelta(hours=1)
"""How long a failure counts: for a login from a network, and for the network."""
FREE, NETWORK_FREE = 5, 40
"""How many failures have no consequence; a network may be a whole office."""
FIRST_S, LONGEST_S, NETWORK_LONGEST_S = 15, 900, 60
"""The first wait, which doubles with each failure, up to the longest."""
WIDE_V6 = 48
ANYWHERE = ""
"""The network of what only somebody reaches who has shown a password: it counts wherever it comes from."""


class Limits:
    """
    Counts an attempt as failed before it is judged, so that many at once are not one; whoever succeeds is forgiven.

    No login is ever locked as such: from a network where it did not fail, it is as free as before (ADR 0027).
    """

    def __init__(self, *, database: Database, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._clock = clock

    def begin(self, what: str, *, network: str) -> None:
        """Count an attempt on something from a network. TooManyRequests while it has to wait."""
        at, key = self._clock(), _digest(what)
        with self._database.write() as tx:
            found = accounts.failures(tx, since=at - SPAN, login_digest=key, network=network)
            _refuse_early(found, at, free=FREE, longest_s=LONGEST_S)
            if network != ANYWHERE:
                crowd = accounts.failures(tx, since=at - NETWORK_SPAN, network=network)
                _refuse_early(crowd, at, free=NETWORK_FREE, longest_s=NETWORK_LONGEST_S)
            accounts.note_failure(tx, login_digest=key, network=network, at=at)

    def forgive(self, what: str, *, network: str) -> None:
        """Forget the failures of something from a network, after it succeeded there; the network's others count on."""
        with self._database.write() as tx:
            accounts.forgive(tx, login_digest=_digest(what), network=network)


def wider(network: str) -> str:
    """Return the /48 around a network of IPv6: so much a single customer may be given. Any other stays as it is."""
    try:
        found = ipaddress.ip_network(network)
    except ValueError:
        return network
    is_narrow = isinstance(found, ipaddress.IPv6Network) and found.prefixlen > WIDE_V6
    return str(found.supernet(new_prefix=WIDE_V6)) if is_narrow else network


def _refuse_early(found: Failures, at: datetime, *, free: int, longest_s: int) -> None:
    if found.count < free or found.last_at is None:
        return
    wait_s = min(FIRST_S * 2 ** min(found.count - free, 20), longest_s)
    left_s = math.ceil((found.last_at + timedelta(seconds=wait_s) - at).total_seconds())
    if left_s > 0:
        raise TooManyRequests("too many attempts failed; wait", retry_after_s=left_s)


def _digest(what: str) -> bytes:
    return hashlib.sha256(what.encode("utf-8", "surrogatepass")).digest()
