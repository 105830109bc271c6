"""
The keys of seals, each loaded once from an encrypted file and never shown again.

A key file is PKCS#12, or PEM with one `ENCRYPTED PRIVATE KEY` (PKCS#8) and its certificates, the key's own first.
An unencrypted key is refused wherever it comes from.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn, Protocol

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import pkcs12

from signer.errors import InvalidInput, KeyUnavailable, Misconfigured
from signer.seal import certificates

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from pathlib import Path

    from signer.seal.certificates import Certificate

PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
MOST_BYTES = 100_000
_PLAIN_KEY_BAG = bytes.fromhex("060b2a864886f70d010c0a0101")
"""The OID of a key bag that is not encrypted. Source: RFC 7292, 4.2.1."""
_PUBLIC = serialization.PublicFormat.SubjectPublicKeyInfo


class SealKey(Protocol):
    """A key that seals: in a file, a token or elsewhere. SHA-256 throughout; RSA signs by PKCS #1 v1.5."""

    @property
    def certificate(self) -> Certificate:
        """The certificate of the key."""

    @property
    def chain(self) -> tuple[Certificate, ...]:
        """The authorities' certificates that travel in the seal, without the root."""

    def sign_raw(self, data: bytes) -> bytes:
        """Return the signature over SHA-256 of `data`: DER for ECDSA, the key's length for RSA."""


class FileKey:
    """A private key held in memory. It can neither be printed, nor copied, nor sent to another process."""

    __slots__ = ("_key", "certificate", "chain")

    def __init__(self, key: PrivateKey, certificate: Certificate, chain: tuple[Certificate, ...]) -> None:
        self._key = key
        self.certificate = certificate
        self.chain = chain

    def __repr__(self) -> str:
        return f"FileKey({self.certificate.digest[:16]})"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a private key is not copied")

    def sign_raw(self, data: bytes) -> bytes:
        """Return the signature over SHA-256 of `data`."""
        if isinstance(self._key, rsa.RSAPrivateKey):
            return self._key.sign(data, padding.PKCS1v15(), hashes.SHA256())
        return self._key.sign(data, ec.ECDSA(hashes.SHA256()))


def load(
    path: Path,
    *,
    password: bytes,
    at: datetime,
    usage_fault: Callable[[Certificate], str] = certificates.seal_usage_fault,
) -> FileKey:
    """
    Load a key and its certificates, and refuse what may not be used now.

    Raises:
        KeyUnavailable: the file is missing or unreadable, the password is wrong, the certificate is not valid at `at`.
        Misconfigured: the key is unencrypted, is not the certificate's, or is not for this use.

    """
    key, members = _open(path, password)
    own = _certificate(path, members[0])
    chain = tuple(_certificate(path, member) for member in members[1:])
    if key.public_key().public_bytes(serialization.Encoding.DER, _PUBLIC) != own.parsed.public_key().public_bytes(
        serialization.Encoding.DER, _PUBLIC
    ):
        raise Misconfigured(f"{path}: the certificate is not that of the key")
    if fault := usage_fault(own):
        raise Misconfigured(f"{path}: the certificate may not be used: {fault}")
    refuse_outside_validity(own, at, name=str(path))
    return FileKey(key, own, tuple(member for member in chain if not member.is_self_issued))


def refuse_outside_validity(certificate: Certificate, at: datetime, *, name: str) -> None:
    """Raise KeyUnavailable unless the certificate is valid at an instant."""
    if at < certificate.not_before:
        raise KeyUnavailable(f"{name}: the certificate is not valid before {certificate.not_before:%Y-%m-%dT%H:%M:%SZ}")
    if at > certificate.not_after:
        raise KeyUnavailable(f"{name}: the certificate expired at {certificate.not_after:%Y-%m-%dT%H:%M:%SZ}")


def _certificate(path: Path, parsed: x509.Certificate) -> Certificate:
    try:
        return certificates.load(parsed.public_bytes(serialization.Encoding.DER))
    except InvalidInput as error:
        raise Misconfigured(f"{path}: {error}") from error


def _open(path: Path, password: bytes) -> tuple[PrivateKey, tuple[x509.Certificate, ...]]:
    try:
        with path.open("rb") as file:
            data = file.read(MOST_BYTES + 1)
    except OSError as error:
        raise KeyUnavailable(f"{path}: {error.strerror or 'unreadable'}") from error
    if not data or len(data) > MOST_BYTES:
        raise Misconfigured(f"{path}: not a key file of 1 to {MOST_BYTES} bytes")
    if not password:
        raise KeyUnavailable(f"{path}: no password is given")
    key, members = _open_pem(path, data, password) if b"-----BEGIN" in data else _open_pkcs12(path, data, password)
    if not isinstance(key, ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey):
        raise Misconfigured(f"{path}: the key is neither ECDSA nor RSA")
    if not members:
        raise Misconfigured(f"{path}: no certificate is beside the key")
    return key, members


def _open_pem(path: Path, data: bytes, password: bytes) -> tuple[object, tuple[x509.Certificate, ...]]:
    if b"PRIVATE KEY-----" not in data:
        raise Misconfigured(f"{path}: no private key is in the file")
    if b"-----BEGIN ENCRYPTED PRIVATE KEY-----" not in data or data.count(b"PRIVATE KEY-----") != 2:
        raise Misconfigured(f"{path}: the private key is not encrypted (PKCS #8, `BEGIN ENCRYPTED PRIVATE KEY`)")
    try:
        key = serialization.load_pem_private_key(data, password)
    except (ValueError, TypeError) as error:
        raise KeyUnavailable(f"{path}: the password does not open the key") from error
    try:
        members = tuple(x509.load_pem_x509_certificates(data)) if b"BEGIN CERTIFICATE" in data else ()
    except ValueError as error:
        raise Misconfigured(f"{path}: a certificate cannot be read") from error
    return key, members


def _open_pkcs12(path: Path, data: bytes, password: bytes) -> tuple[object, tuple[x509.Certificate, ...]]:
    if _PLAIN_KEY_BAG in data or any(_is_opened_by(data, empty) for empty in (None, b"")):
        raise Misconfigured(f"{path}: the private key is not encrypted")
    try:
        store = pkcs12.load_pkcs12(data, password)
    except ValueError as error:
        raise KeyUnavailable(f"{path}: the password does not open the key, or it is no PKCS #12 file") from error
    if store.key is None or store.cert is None:
        raise Misconfigured(f"{path}: the file holds no key with a certificate")
    return store.key, (store.cert.certificate, *(extra.certificate for extra in store.additional_certs))


def _is_opened_by(data: bytes, password: bytes | None) -> bool:
    try:
        pkcs12.load_pkcs12(data, password)
    except ValueError:
        return False
    return True
