"""
The trust list, signed and believed: JCS JSON in a compact JWS under a pinned root key.

Source: docs/reference/formats.md, the trust list; RFC 7515; RFC 8785.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

import rfc8785
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from pydantic import ValidationError

from signer.domain import json_text
from signer.domain.confirmation import SealClass
from signer.domain.trust import MOST_DAYS, Purpose, TrustEntry, TrustList
from signer.errors import InvalidInput, KeyUnavailable, Misconfigured, SignerError, TrustListStale
from signer.seal import certificates, naming

if TYPE_CHECKING:
    from datetime import datetime

TYPE: Final = "signer-trust+jwt"
ALGORITHM: Final = "ES256"
REFUSED_PARAMETERS: Final = ("jwk", "jku", "x5u", "x5c", "crit")
MOST_BYTES: Final = 8_000_000
CLOCK_SKEW: Final = timedelta(minutes=5)
_FIELD: Final = "trust-list"
_HALF: Final = 32


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
    def kid(self) -> str:
        """The first 16 hex digits of SHA-256 of the key info."""
        return hashlib.sha256(self.spki).hexdigest()[:16]


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


def sign(trust: TrustList, *, key: ec.EllipticCurvePrivateKey) -> bytes:
    """Return the signed list (compact JWS). Raises InvalidInput if the list breaks a rule."""
    _refuse_inconsistent(trust)
    root = root_of(key.public_key())
    payload = rfc8785.dumps(trust.model_dump(mode="json", exclude_none=True))
    signing_input = _base64url(_header(root)) + b"." + _base64url(payload)
    r, s = decode_dss_signature(key.sign(signing_input, ec.ECDSA(hashes.SHA256())))
    return signing_input + b"." + _base64url(r.to_bytes(_HALF, "big") + s.to_bytes(_HALF, "big"))


def load(data: bytes, *, root: RootKey, at: datetime, highest_seen: Seen | None = None) -> TrustList:
    """
    Verify a signed list and return it.

    An **expired** list is returned: verification then answers INDETERMINATE, and issuing must refuse
    (`TrustList.is_expired`).

    Raises:
        InvalidInput: it is not a list of our form, or it breaks a rule of trust lists.
        TrustListStale: its signature is not the root's, it comes from the future, or it is older than one seen.

    """
    data = data.strip()
    if len(data) > MOST_BYTES:
        raise InvalidInput(_FIELD, f"{len(data)} bytes; at most {MOST_BYTES} are read")
    parts = data.split(b".")
    if len(parts) != 3:
        raise InvalidInput(_FIELD, "not a compact JWS of three parts")
    header, payload, signature = (_decode(part) for part in parts)
    _check_header(header, root)
    _check_signature(parts[0] + b"." + parts[1], signature, root)
    trust = _parse(payload)
    _refuse_inconsistent(trust)
    _refuse_old(trust, data, at=at, highest_seen=highest_seen)
    return trust


def _header(root: RootKey) -> bytes:
    return rfc8785.dumps({"alg": ALGORITHM, "kid": root.kid, "typ": TYPE})


def _check_header(header: bytes, root: RootKey) -> None:
    """Say exactly what is wrong with a header; only the one canonical header passes."""
    found = _json(header)
    if not isinstance(found, dict):
        raise InvalidInput(_FIELD, "the header is not an object")
    for name in REFUSED_PARAMETERS:
        if name in found:
            raise InvalidInput(_FIELD, f"the header parameter {name} is refused")
    for name, wanted in (("alg", ALGORITHM), ("typ", TYPE)):
        if found.get(name) != wanted:
            raise InvalidInput(_FIELD, f"{name} is {str(found.get(name))[:40]!r}, not {wanted!r}")
    if found.get("kid") != root.kid:
        raise TrustListStale(f"signed by the key {str(found.get('kid'))[:20]!r}, not by the pinned root {root.kid!r}")
    if header != _header(root):
        raise InvalidInput(_FIELD, "the header is not canonical, or has parameters that are not known")


def _check_signature(signing_input: bytes, signature: bytes, root: RootKey) -> None:
    if len(signature) != 2 * _HALF:
        raise InvalidInput(_FIELD, "the signature has not 64 bytes")
    r, s = int.from_bytes(signature[:_HALF], "big"), int.from_bytes(signature[_HALF:], "big")
    try:
        root.key.verify(encode_dss_signature(r, s), signing_input, ec.ECDSA(hashes.SHA256()))
    except InvalidSignature as error:
        raise TrustListStale("the signature is not the pinned root's") from error


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


def _refuse_inconsistent(trust: TrustList) -> None:
    """Refuse a list that contradicts itself, whoever signed it."""
    if not trust.issued < trust.expires <= trust.issued + timedelta(days=MOST_DAYS):
        raise InvalidInput(_FIELD, f"it must expire after it is issued, and within {MOST_DAYS} days")
    purposes: dict[str, Purpose] = {}
    seen: set[str] = set()
    for place, entry in enumerate(trust.entries):
        field = f"/entries/{place}"
        certificate = _entry_certificate(entry, field, is_test_list=trust.test)
        if certificate.digest in seen:
            raise InvalidInput(field, "the certificate stands twice")
        seen.add(certificate.digest)
        if purposes.setdefault(certificate.key_digest, entry.purpose) is not entry.purpose:
            raise InvalidInput(field, "the key has two purposes")
    authorities = {entry.certificate_digest for entry in trust.of(Purpose.CA)}
    for place, entry in enumerate(trust.entries):
        if not authorities.issuperset(entry.chain):
            raise InvalidInput(f"/entries/{place}/chain", "names an authority that is not on the list")


def _entry_certificate(entry: TrustEntry, field: str, *, is_test_list: bool) -> certificates.Certificate:
    certificate = certificates.load(_certificate_bytes(entry, field))
    if certificate.digest != entry.certificate_digest:
        raise InvalidInput(f"{field}/certificate_digest", "is not the digest of the certificate")
    if certificate.is_test is not is_test_list:
        words = (
            "a TEST list holds TEST certificates only" if is_test_list else "a TEST certificate on a list that is none"
        )
        raise InvalidInput(f"{field}/certificate", words)
    if entry.purpose is Purpose.PDF_SEAL:
        _refuse_seal(entry, certificate, field, is_test_list=is_test_list)
    if entry.purpose is Purpose.TSA and (fault := certificates.tsa_usage_fault(certificate)):
        raise InvalidInput(f"{field}/certificate", f"may not make timestamps: {fault}")
    if entry.purpose is Purpose.CA and not certificate.is_ca:
        raise InvalidInput(f"{field}/certificate", "is not an authority's")
    if entry.purpose is Purpose.OCSP:
        _refuse_responder(entry, certificate, field)
    return certificate


def _refuse_responder(entry: TrustEntry, certificate: certificates.Certificate, field: str) -> None:
    if not entry.chain:
        raise InvalidInput(f"{field}/chain", "a responder needs the authority for which it answers")
    if fault := certificates.responder_usage_fault(certificate):
        raise InvalidInput(f"{field}/certificate", f"may not answer for revocation: {fault}")


def _refuse_seal(entry: TrustEntry, certificate: certificates.Certificate, field: str, *, is_test_list: bool) -> None:
    if entry.uscc is None or entry.naming_profile is None or entry.seal_class is None:
        raise InvalidInput(field, "a seal needs uscc, naming_profile and seal_class")
    if (entry.seal_class is SealClass.TEST) is not is_test_list:
        raise InvalidInput(f"{field}/seal_class", "TEST seals, and no others, stand on a TEST list")
    if entry.naming_profile == "pinned" and not entry.naming_evidence:
        raise InvalidInput(f"{field}/naming_evidence", "a pinned certificate needs evidence")
    if entry.naming_profile != "pinned" and not entry.chain:
        raise InvalidInput(f"{field}/chain", "a seal that is not pinned needs the chain of its authorities")
    if fault := certificates.seal_usage_fault(certificate):
        raise InvalidInput(f"{field}/certificate", f"may not make a seal: {fault}")
    if fault := naming.fault(certificate, profile=entry.naming_profile, legal_name=entry.legal_name, uscc=entry.uscc):
        raise InvalidInput(f"{field}/certificate", f"does not name the manufacturer: {fault}")


def _certificate_bytes(entry: TrustEntry, field: str) -> bytes:
    try:
        data = base64.b64decode(entry.certificate, validate=True)
    except binascii.Error as error:
        raise InvalidInput(f"{field}/certificate", "is not base64") from error
    if base64.b64encode(data).decode() != entry.certificate:
        raise InvalidInput(f"{field}/certificate", "is not canonical base64")
    return data


def _base64url(data: bytes) -> bytes:
    return base64.urlsafe_b64encode(data).rstrip(b"=")


def _decode(part: bytes) -> bytes:
    """Decode one part of a JWS: base64url without padding, and only its one canonical spelling."""
    try:
        data = base64.b64decode(part + b"=" * (-len(part) % 4), altchars=b"-_", validate=True)
    except binascii.Error as error:
        raise InvalidInput(_FIELD, "a part is not base64url") from error
    if _base64url(data) != part:
        raise InvalidInput(_FIELD, "a part is not canonical base64url")
    return data
