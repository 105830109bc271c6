"""
The keys by which a service signs what it says itself: which they are, and who vouches.

Receipts, offline bundles and status lists.

Each purpose has its own key (P-256) and its own entry on the trust list; `jws` is how they sign.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from cryptography.hazmat.primitives.asymmetric import ec

from signer.domain.trust import SERVICES, Purpose, SealState
from signer.errors import KeyUnavailable, Misconfigured
from signer.seal import algorithms, certificates, jws
from signer.seal.certificates import Certificate
from signer.seal.stores.descriptor import SUFFIX

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from signer.domain.trust import TrustEntry, TrustList
    from signer.seal.keys import SealKey

SUFFIXES: Final = (SUFFIX, ".pem", ".p12")


@dataclass(frozen=True, slots=True)
class ServiceKey:
    """A key that may sign for one purpose now: the trust list says so in `entry`."""

    key: SealKey
    entry: TrustEntry

    @property
    def purpose(self) -> Purpose:
        """What the key signs."""
        return self.entry.purpose

    @property
    def kid(self) -> str:
        """The key's name in a token."""
        return self.key.certificate.key_digest[: jws.KID_DIGITS]

    def sign(self, payload: bytes, *, typ: str) -> bytes:
        """Return the compact token of a payload. Raises KeyUnavailable, KeyElsewhere."""
        return jws.sign(payload, sign_raw=self.key.sign_raw, typ=typ, kid=self.kid)

    def sign_detached(self, payload: bytes, *, typ: str) -> bytes:
        """Return the token of a payload that is kept elsewhere. Raises KeyUnavailable, KeyElsewhere."""
        return jws.sign_detached(payload, sign_raw=self.key.sign_raw, typ=typ, kid=self.kid)


def find(folder: Path, purpose: Purpose) -> str:
    """
    Return the name of a purpose's key in the folder of keys: `<purpose>.key.toml`, `.pem` or `.p12`.

    Raises KeyUnavailable if none is there, Misconfigured if several are.
    """
    if purpose not in SERVICES:
        raise Misconfigured(f"no key of the service is for {purpose}")
    names = [f"{purpose.value}{suffix}" for suffix in SUFFIXES]
    found = [name for name in names if (folder / name).exists()]
    if len(found) > 1:
        raise Misconfigured(f"{folder}: {' and '.join(found)}: keep one, the key that is in use")
    if not found:
        raise KeyUnavailable(f"{folder}: no {purpose} key is there ({', '.join(names)})")
    return found[0]


def admit(key: SealKey, trust: TrustList, purpose: Purpose, *, at: datetime) -> ServiceKey:
    """Return a key as one that may sign for a purpose now. Raises Misconfigured, naming what is wrong."""
    fault = usage_fault(key) or list_fault(key, trust, purpose, at=at)
    entry = trust.by_digest(key.certificate.digest)
    if fault or entry is None:
        raise Misconfigured(f"the {purpose} key: {fault}")
    return ServiceKey(key, entry)


def usage_fault(key: SealKey) -> str:
    """Return why a key may not sign for the service, or ''."""
    if key.capabilities.scheme != algorithms.ECDSA_P256:
        return "its key is not on P-256"
    return certificates.service_usage_fault(key.certificate)


def list_fault(key: SealKey, trust: TrustList, purpose: Purpose, *, at: datetime) -> str:
    """Return why the trust list does not let a key sign for a purpose now, or ''."""
    entry = trust.by_digest(key.certificate.digest)
    if entry is None:
        return f"the trust list does not name {key.certificate.digest[:16]}: publish one that does"
    if entry.purpose is not purpose:
        return f"the trust list gives it the purpose {entry.purpose}: put the right key in its place"
    if entry.state is not SealState.ACTIVE:
        return f"the trust list says that it is {entry.state}: put the next key in its place"
    return "" if entry.is_entitled(at) else "the trust list does not entitle it now"


def past_fault(entry: TrustEntry, at: datetime) -> str:
    """Return why a listed key may not have signed what names an instant, and is believed now, or ''."""
    if entry.state in (SealState.REVOKED, SealState.SUSPENDED):
        return f"is {entry.state}"
    if entry.state is SealState.VERIFY_ONLY and (entry.state_since is None or at >= entry.state_since):
        return "was retired before"
    return "" if entry.is_entitled(at) else "was not entitled then"


def entry_of(trust: TrustList, purpose: Purpose, kid: str) -> TrustEntry | None:
    """Return the entry whose key a token names, if it is listed for that purpose, whatever its state."""
    return next((entry for entry in trust.of(purpose) if _kid_of(entry) == kid), None)


def _kid_of(entry: TrustEntry) -> str:
    return Certificate(entry.der).key_digest[: jws.KID_DIGITS]


def public_key(entry: TrustEntry) -> ec.EllipticCurvePublicKey:
    """Return the public key of an entry for a purpose of the service. Raises Misconfigured if it is not on P-256."""
    key = Certificate(entry.der).parsed.public_key()
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP256R1):
        raise Misconfigured(f"the key of the entry {entry.certificate_digest[:16]} is not on P-256")
    return key
