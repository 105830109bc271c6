"""Who vouches for a seal from outside: timestamping authorities, and those who answer for revocation."""

from __future__ import annotations

from typing import TYPE_CHECKING

from signer.errors import InvalidInput, KeyUnavailable, TimestampUnavailable
from signer.seal import authority, certificates, inquiry, keys, pki, responder, timestamp
from signer.seal.breaker import Breaker

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from pathlib import Path

    from signer.domain.trust import TrustEntry, TrustList
    from signer.seal.certificates import Certificate
    from signer.seal.keys import SealKey
    from signer.seal.revocation import Answer, Evidence
    from signer.services.trust import TrustSource
    from signer.settings import Settings


def password(settings: Settings) -> bytes:
    """Read the password of the key files. Raises KeyUnavailable."""
    path = settings.keys / pki.PASSWORD_FILE
    try:
        return path.read_bytes().strip()
    except OSError as error:
        raise KeyUnavailable(f"{path}: {error.strerror}") from error


class Witnesses:
    """The witnesses of a deployment; opened once for each trust list, with what they answered before."""

    def __init__(self, settings: Settings, *, trust: TrustSource, clock: Callable[[], datetime]) -> None:
        self._settings = settings
        self._trust = trust
        self._clock = clock
        self._opened: tuple[timestamp.Authority, ...] = ()
        self._breaker = Breaker(clock)
        self._stampers: tuple[TrustList, timestamp.Timestamper] | None = None
        self._prefetched: tuple[TrustList, inquiry.Prefetched] | None = None

    def timestamper(self) -> timestamp.Timestamper:
        """Return who gives timestamps under the trust list in use."""
        self._opened = self._opened or self._authorities()
        trust = self._trust.current(self._clock())
        if self._stampers is None or self._stampers[0] is not trust:
            stamper = timestamp.Timestamper(self._opened, trust=trust, clock=self._clock, breaker=self._breaker)
            self._stampers = (trust, stamper)
        return self._stampers[1]

    def try_each(self) -> tuple[tuple[str, datetime | TimestampUnavailable], ...]:
        """Ask every authority for a timestamp of nothing; return each one's name with its time, or what it lacks."""
        found: list[tuple[str, datetime | TimestampUnavailable]] = []
        for stamper in self.timestamper().each():
            try:
                found.append((stamper.name, stamper.stamp(b"doctor", intended_at=self._clock()).at))
            except TimestampUnavailable as error:
                found.append((stamper.name, error))
        return tuple(found)

    def evidence(self, seal: TrustEntry, witness: Certificate | None, *, key: SealKey | None = None) -> Evidence:
        """
        Return what proves that neither a seal nor the authority of its timestamp is revoked.

        What `key` puts into the seal anyway is left out. Raises RevocationUnavailable; KeyUnavailable for a seal
        that is revoked, TimestampUnavailable for such an authority.
        """
        trust, prefetched = self._inquiring()
        listed = trust.by_digest(witness.digest) if witness is not None else None
        embedded = (key.certificate, *key.chain) if key is not None else ()
        return prefetched.evidence(*((seal, listed) if listed else (seal,)), embedded=embedded)

    def spoken(self, entry: TrustEntry, *, since: datetime) -> dict[str, Answer]:
        """Return what is said now of a chain, good or not, as of a time after `since`. RevocationUnavailable."""
        return self._inquiring()[1].spoken(entry, since=since)

    def _inquiring(self) -> tuple[TrustList, inquiry.Prefetched]:
        trust = self._trust.current(self._clock())
        if self._prefetched is None or self._prefetched[0] is not trust:
            self._prefetched = (trust, inquiry.Prefetched(self._sources(trust), trust=trust, clock=self._clock))
        return self._prefetched

    def _authorities(self) -> tuple[timestamp.Authority, ...]:
        if self._settings.authorities:
            return tuple(timestamp.HttpAuthority(url) for url in self._settings.authorities)
        if self._settings.mode != "test":
            raise InvalidInput("SIGNER_TSA_URLS", "is empty; outside test mode a timestamping authority is needed")
        key = self._open(pki.TSA_FILE, certificates.tsa_usage_fault)
        return (authority.TestAuthority(key, clock=self._clock, is_test_mode=True),)

    def _sources(self, trust: TrustList) -> tuple[inquiry.Source, ...]:
        """Return the hosts of the trust list; in test mode, if it names none, the built-in responder."""
        if trust.revocation_hosts or self._settings.mode != "test":
            return (inquiry.HttpOcsp(trust.revocation_hosts), inquiry.HttpCrl(trust.revocation_hosts))
        folder: Path = self._settings.keys
        opened = tuple(
            self._open(name, certificates.authority_usage_fault)
            for name in pki.AUTHORITY_FILES
            if (folder / name).exists()
        )
        return (
            responder.TestResponder(
                opened, revocations=lambda: responder.revoked(folder), clock=self._clock, is_test_mode=True
            ),
        )

    def _open(self, name: str, usage_fault: Callable[[Certificate], str]) -> keys.FileKey:
        path, secret = self._settings.keys / name, password(self._settings)
        return keys.load(path, password=secret, at=self._clock(), usage_fault=usage_fault)
