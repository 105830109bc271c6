"""Who vouches for a seal from outside: timestamping authorities, and those who answer for revocation."""

from __future__ import annotations

from typing import TYPE_CHECKING

from signer.errors import InvalidInput, KeyUnavailable
from signer.seal import authority, certificates, inquiry, keys, pki, responder, timestamp

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from pathlib import Path

    from signer.domain.trust import TrustEntry, TrustList
    from signer.seal.certificates import Certificate
    from signer.seal.keys import SealKey
    from signer.seal.revocation import Evidence
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
        self._stampers: tuple[TrustList, timestamp.Timestamper] | None = None
        self._prefetched: tuple[TrustList, inquiry.Prefetched] | None = None

    def timestamper(self) -> timestamp.Timestamper:
        """Return who gives timestamps under the trust list in use."""
        self._opened = self._opened or self._authorities()
        trust = self._trust.current(self._clock())
        if self._stampers is None or self._stampers[0] is not trust:
            self._stampers = (trust, timestamp.Timestamper(self._opened, trust=trust, clock=self._clock))
        return self._stampers[1]

    def evidence(self, seal: TrustEntry, witness: Certificate | None, *, key: SealKey | None = None) -> Evidence:
        """
        Return what proves that neither a seal nor the authority of its timestamp is revoked.

        What `key` puts into the seal anyway is left out. Raises RevocationUnavailable; KeyUnavailable for a seal
        that is revoked, TimestampUnavailable for such an authority.
        """
        trust = self._trust.current(self._clock())
        if self._prefetched is None or self._prefetched[0] is not trust:
            sources = self._sources(trust)
            self._prefetched = (trust, inquiry.Prefetched(sources, trust=trust, clock=self._clock))
        listed = trust.by_digest(witness.digest) if witness is not None else None
        embedded = (key.certificate, *key.chain) if key is not None else ()
        return self._prefetched[1].evidence(*((seal, listed) if listed else (seal,)), embedded=embedded)

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
