"""
The trust list, signed and believed: JCS JSON in a compact JWS under a pinned root key.

Source: docs/reference/formats.md, the trust list; RFC 7515; RFC 8785.
"""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

import rfc8785
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from pydantic import ValidationError

from signer.domain import json_text
from signer.domain.trust import TrustList
from signer.errors import InvalidInput, KeyUnavailable, Misconfigured, SignerError, TrustListStale
from signer.seal import consistency, jws

if TYPE_CHECKING:
    from datetime import datetime

TYPE: Final = "signer-trust+jwt"
MOST_BYTES: Final = 8_000_000
CLOCK_SKEW: Final = timedelta(minutes=5)
_FIELD: Final = "trust-list"


@dataclass(frozen=True, slots=True)
class RootKey:
    """The pinned root: the public key that signs trust lists (P-256), as SubjectPublicKeyInfo in DER."""

    spki: bytes

    @property
    def key(self) -> ec.EllipticCurvePublicKey:
        """The public key itself."""
        key = serialization.load_der_public_key(self.spki)
        if not isinstance(key, ec.EllipticCurvePublicKey):
            raise Misconfigured("the root of the trust list must be a P-256 key")
        return key

    @property
    def digest(self) -> str:
        """SHA-256 of the key info, in hex."""
        return hashlib.sha256(self.spki).hexdigest()

    @property
    def kid(self) -> str:
        """The first 16 hex digits of that digest."""
        return self.digest[: jws.KID_DIGITS]

    @property
    def text(self) -> str:
        """The key info in base64, as `next_root` announces it."""
        return base64.b64encode(self.spki).decode("ascii")


@dataclass(frozen=True, slots=True)
class Seen:
    """The highest list that a verifier has believed: its sequence, and SHA-256 of its JWS in hex."""

    sequence: int
    digest: str


def digest(data: bytes) -> str:
    """Return SHA-256 of a signed list, in hex: what the next list names as `previous_digest`."""
    return hashlib.sha256(data.strip()).hexdigest()


def read_root(data: bytes) -> RootKey:
    """Read the pinned root from a PEM public key. Raises Misconfigured."""
    try:
        key = serialization.load_pem_public_key(data)
    except ValueError as error:
        raise Misconfigured("the root of the trust list is not a PEM public key") from error
    return root_of(key)


def root_of(key: object) -> RootKey:
    """Return the root for a public key. Raises Misconfigured unless it is on P-256."""
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP256R1):
        raise Misconfigured("the root of the trust list must be a P-256 key")
    der = key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return RootKey(der)


def load_signing_key(data: bytes, *, password: bytes) -> ec.EllipticCurvePrivateKey:
    """Load the root's private key from encrypted PKCS #8 PEM. Raises KeyUnavailable or Misconfigured."""
    if b"-----BEGIN ENCRYPTED PRIVATE KEY-----" not in data:
        raise Misconfigured("the root key of the trust list is not encrypted (PKCS #8)")
    try:
        key = serialization.load_pem_private_key(data, password)
    except (ValueError, TypeError) as error:
        raise KeyUnavailable("the password does not open the root key of the trust list") from error
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise Misconfigured("the root of the trust list must be a P-256 key")
    return key


def root_in(text: str, field: str) -> RootKey:
    """Return the root whose key info stands in base64 in a field of a list. Raises InvalidInput."""
    spki = base64.b64decode(text, validate=True)
    try:
        root = root_of(serialization.load_der_public_key(spki))
    except (ValueError, UnsupportedAlgorithm, Misconfigured) as error:
        raise InvalidInput(field, "is not a P-256 key (SubjectPublicKeyInfo in base64)") from error
    if root.text != text:
        raise InvalidInput(field, "is not the one encoding of its key")
    return root


def encode(trust: TrustList) -> bytes:
    """Return the one encoding of a list, unsigned: what a draft is, and what is signed."""
    return rfc8785.dumps(trust.model_dump(mode="json", exclude_none=True))


def decode(data: bytes) -> TrustList:
    """Read an unsigned list. Raises InvalidInput if it has not its one encoding."""
    return _parse(data.strip())


def payload_of(data: bytes) -> TrustList:
    """Return what a signed list says, without asking who signed it: for lists that were believed before."""
    return _parse(jws.unverified_payload(data, field=_FIELD))


def signer_of(data: bytes) -> str:
    """Return the `kid` in a signed list's header, unverified, or ''."""
    return jws.unverified_kid(data, field=_FIELD)


def sign(trust: TrustList, *, key: ec.EllipticCurvePrivateKey) -> bytes:
    """Return the signed list (compact JWS). Raises InvalidInput if the list breaks a rule."""
    root = root_of(key.public_key())
    consistency.refuse_inconsistent(trust, roots=_roots(trust, root))
    return jws.sign(encode(trust), sign_raw=jws.raw_signer(key), typ=TYPE, kid=root.kid)


def load(data: bytes, *, root: RootKey, at: datetime, highest_seen: Seen | None = None) -> TrustList:
    """
    Verify a signed list and return it.

    An **expired** list is returned: verification then answers INDETERMINATE, and issuing must refuse
    (`TrustList.is_expired`).

    Raises:
        InvalidInput: it is not a list of our form, or it breaks a rule of trust lists.
        TrustListStale: its signature is not the root's, it comes from the future, or it is older than one seen.

    """
    token = jws.parse(data, typ=TYPE, field=_FIELD, most_bytes=MOST_BYTES)
    if token.kid != root.kid:
        raise TrustListStale(f"signed by the key {token.kid!r}, not by the pinned root {root.kid!r}")
    if not token.is_by(root.key):
        raise TrustListStale("the signature is not the pinned root's")
    trust = _parse(token.payload)
    consistency.refuse_inconsistent(trust, roots=_roots(trust, root))
    _refuse_old(trust, data, at=at, highest_seen=highest_seen)
    return trust


def _roots(trust: TrustList, root: RootKey) -> frozenset[str]:
    """Return the digests of the keys that sign lists, now or next: nothing else may be theirs."""
    announced = {root_in(trust.next_root, "/next_root").digest} if trust.next_root is not None else set()
    return frozenset({root.digest} | announced)


def _parse(payload: bytes) -> TrustList:
    value = _json(payload)
    if not isinstance(value, dict) or rfc8785.dumps(value) != payload:
        raise InvalidInput(_FIELD, "the payload is not canonical JSON (RFC 8785)")
    try:
        return TrustList.model_validate_json(payload)
    except ValidationError as error:
        first = error.errors(include_input=False)[0]
        raise InvalidInput(_FIELD, f"/{'/'.join(map(str, first['loc']))}: {first['msg']}"[:300]) from error


def _json(data: bytes) -> json_text.Json:
    try:
        return json_text.load(data, most_bytes=MOST_BYTES)
    except SignerError as error:
        raise InvalidInput(_FIELD, str(error)) from error


def _refuse_old(trust: TrustList, data: bytes, *, at: datetime, highest_seen: Seen | None) -> None:
    if trust.issued > at + CLOCK_SKEW:
        raise TrustListStale(f"issued {trust.issued:%Y-%m-%dT%H:%M:%SZ}, which is in the future")
    if highest_seen is None:
        return
    if trust.sequence < highest_seen.sequence:
        raise TrustListStale(f"sequence {trust.sequence} is older than {highest_seen.sequence}, which was seen")
    if trust.sequence == highest_seen.sequence and digest(data) != highest_seen.digest:
        raise TrustListStale(f"another list with sequence {trust.sequence} was seen")
