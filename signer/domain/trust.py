"""The trust list as data: whose seals count, from when to when. `seal.trust` signs and verifies it."""

from __future__ import annotations

import base64
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from signer.domain.confirmation import SealClass
from signer.domain.parties import Uscc
from signer.domain.values import Frozen, Hex256, Instant, LongText, Text

if TYPE_CHECKING:
    from datetime import datetime

MOST_DAYS = 30
"""A trust list expires at most this many days after it was issued."""


class Purpose(StrEnum):
    """What a key is for; no key has two purposes."""

    PDF_SEAL = "pdf-seal"
    PAPER = "paper"
    STATUS = "status"
    LOG = "log"
    RECEIPT = "receipt"
    BUNDLE = "bundle"
    TSA = "tsa"
    CA = "ca"
    OCSP = "ocsp"


SERVICES = frozenset({Purpose.RECEIPT, Purpose.BUNDLE, Purpose.STATUS})
"""What a service signs by keys of its own, each for one purpose: receipts, offline bundles, and status lists."""


class SealState(StrEnum):
    """Whether a seal may be used, and whether what it sealed still counts."""

    ACTIVE = "active"
    VERIFY_ONLY = "verify-only"
    SUSPENDED = "suspended"
    REVOKED = "revoked"


NamingProfile = Literal["organization", "chinese", "pinned"]
"""How a certificate names its manufacturer: docs/explanation/seals.md."""

Der = Annotated[str, Field(max_length=16_000, pattern=r"^[A-Za-z0-9+/]+={0,2}$")]
"""A DER certificate in base64 (standard alphabet, padded)."""


BaseUrl = Annotated[
    str, Field(max_length=200, pattern=r"^https?://[A-Za-z0-9.:\[\]-]+(/[A-Za-z0-9._~/-]*[A-Za-z0-9._~-])?$")
]
"""A service's address: no query, no fragment, no slash at the end."""

Spki = Annotated[str, Field(max_length=200, pattern=r"^[A-Za-z0-9+/]+={0,2}$")]
"""A SubjectPublicKeyInfo in DER, in base64 (standard alphabet, padded)."""


class TrustEntry(Frozen):
    """
    One certificate that counts; entries are never removed, only their state changes.

    `naming_evidence` is why a pinned certificate is believed, `class_evidence` why a seal is OFFICIAL.
    """

    purpose: Purpose
    uscc: Uscc | None = None
    legal_name: Text
    certificate: Der
    certificate_digest: Hex256
    chain: tuple[Hex256, ...] = ()
    naming_profile: NamingProfile | None = None
    naming_evidence: LongText | None = None
    seal_class: SealClass | None = None
    class_evidence: LongText | None = None
    from_at: Instant
    until_at: Instant | None = None
    state: SealState = SealState.ACTIVE
    state_since: Instant | None = None
    revoked_at: Instant | None = None
    reason: Text | None = None
    compromised_from: Instant | None = None

    @property
    def der(self) -> bytes:
        """The certificate's bytes."""
        return base64.b64decode(self.certificate)

    @property
    def needs_two_operators(self) -> bool:
        """Tell whether two operators must have seen its evidence: no name binds it, or it claims to be official."""
        if self.purpose is not Purpose.PDF_SEAL or self.seal_class is SealClass.TEST:
            return False
        return self.naming_profile == "pinned" or self.seal_class is SealClass.OFFICIAL

    def is_entitled(self, at: datetime) -> bool:
        """Tell whether the entry covers an instant; the end does not belong to it."""
        return self.from_at <= at and (self.until_at is None or at < self.until_at)


class TrustList(Frozen):
    """
    The signed list; verifiers pin its root key and keep the highest sequence.

    `base_url` is where the service answers, and so where its status lists lie: no other place is believed.
    `next_root` announces the key that may sign the lists after this one, in place of the one that signed it.
    """

    origin: Text
    sequence: Annotated[int, Field(ge=1)]
    previous_digest: Hex256 | None = None
    issued: Instant
    expires: Instant
    base_url: BaseUrl | None = None
    next_root: Spki | None = None
    test: bool
    entries: tuple[TrustEntry, ...]
    revocation_hosts: tuple[Text, ...] = ()

    def is_expired(self, at: datetime) -> bool:
        """Tell whether the list's own time is over; the end does not belong to it."""
        return at >= self.expires

    def of(self, purpose: Purpose) -> tuple[TrustEntry, ...]:
        """Return the entries of one purpose."""
        return tuple(entry for entry in self.entries if entry.purpose is purpose)

    def by_digest(self, certificate_digest: str) -> TrustEntry | None:
        """Return the entry of a certificate, by the hex SHA-256 of its DER."""
        return next((entry for entry in self.entries if entry.certificate_digest == certificate_digest), None)
