"""
The keys of seals: one small protocol, and the key in an encrypted file, loaded once and never shown again.

A key file is PKCS#12, or PEM with one `ENCRYPTED PRIVATE KEY` (PKCS#8) and its certificates, the key's own first.
An unencrypted key is refused wherever it comes from. Keys elsewhere are in `stores`.
"""

from __future__ import annotations

import os
import threading
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, NoReturn, Protocol

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, padding, rsa
from cryptography.hazmat.primitives.serialization import pkcs12

from signer import metrics
from signer.errors import InvalidInput, KeyElsewhere, KeyUnavailable, Misconfigured
from signer.metrics.catalogue import KEY_SECONDS
from signer.seal import algorithms, certificates

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from pathlib import Path

    from signer.seal.algorithms import Scheme
    from signer.seal.certificates import Certificate

PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
MOST_BYTES = 100_000
_PLAIN_KEY_BAG = bytes.fromhex("060b2a864886f70d010c0a0101")
"""The OID of a key bag that is not encrypted. Source: RFC 7292, 4.2.1."""
_LEGACY: Final = {
    bytes.fromhex("060a2a864886f70d010c0101"): "RC4-128",
    bytes.fromhex("060a2a864886f70d010c0102"): "RC4-40",
    bytes.fromhex("060a2a864886f70d010c0103"): "3DES",
    bytes.fromhex("060a2a864886f70d010c0104"): "2-key 3DES",
    bytes.fromhex("060a2a864886f70d010c0105"): "RC2-128",
    bytes.fromhex("060a2a864886f70d010c0106"): "RC2-40",
    bytes.fromhex("06082a864886f70d0302"): "RC2 (PBES2)",
    bytes.fromhex("06082a864886f70d0307"): "3DES (PBES2)",
}
"""The OIDs of ciphers that protect a key no longer. Source: RFC 7292, appendix C; RFC 8018, B.2."""
_PUBLIC = serialization.PublicFormat.SubjectPublicKeyInfo
_NEXT_STEP: Final = "is the right one in its password file?"
HASHES: Final = {"sha256": hashes.SHA256(), "sha384": hashes.SHA384()}
"""Digests by the names that schemes use."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Capabilities:
    """
    What a key can do: the kind of store it is in, how it signs, and how many signatures one request may make.

    No key needs to say whether threads may share it: every key takes one request at a time, and belongs to the
    process that opened it (`Held`).
    """

    store: Literal["file", "pkcs11", "csc", "kms"]
    scheme: Scheme
    batch_size: int = 1


class SealKey(Protocol):
    """A key that seals: in a file, a token or elsewhere."""

    @property
    def certificate(self) -> Certificate:
        """The certificate of the key."""

    @property
    def chain(self) -> tuple[Certificate, ...]:
        """The authorities' certificates that travel in the seal, without the root."""

    @property
    def capabilities(self) -> Capabilities:
        """What the key can do."""

    def sign_raw(self, data: bytes) -> bytes:
        """Return the signature over `data` by the key's scheme: DER for ECDSA, the key's length for RSA."""


class Held(ABC):
    """
    A key that one process opened. It is asked by one thread at a time, and refuses a process that inherited it.

    That is so for every store, because `sign_raw` is written here and nowhere else: a store says how it signs in
    `_sign`, which nobody else can reach at the same time. It can neither be printed, nor copied, nor sent.
    """

    __slots__ = ("_lock", "_pid", "capabilities", "certificate", "chain")

    def __init__(self, certificate: Certificate, chain: tuple[Certificate, ...], *, capabilities: Capabilities) -> None:
        self.certificate = certificate
        self.chain = chain
        self.capabilities = capabilities
        self._pid = os.getpid()
        self._lock = threading.Lock()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.certificate.digest[:16]})"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a private key is not copied")

    def sign_raw(self, data: bytes) -> bytes:
        """Return the signature over `data` by the key's scheme. Raises KeyUnavailable, KeyElsewhere."""
        if os.getpid() != self._pid:  # before the lock: a fork may have copied it locked
            raise KeyElsewhere(f"{self!r} was opened by process {self._pid}; open it anew after the fork")
        with self._lock, metrics.attempted(KEY_SECONDS, self.capabilities.store, done="signed"):
            return self._sign(data)

    @abstractmethod
    def _sign(self, data: bytes) -> bytes:
        """Return the signature over `data`; called by one thread at a time, in the process that opened the key."""


class FileKey(Held):
    """A private key held in memory."""

    __slots__ = ("_key",)

    def __init__(
        self,
        key: PrivateKey,
        certificate: Certificate,
        chain: tuple[Certificate, ...],
        *,
        scheme: Scheme | None = None,
    ) -> None:
        known = scheme or algorithms.scheme_of(certificate.parsed)
        super().__init__(certificate, chain, capabilities=Capabilities(store="file", scheme=known))
        self._key = key

    def _sign(self, data: bytes) -> bytes:
        """Sign; by ECDSA the same bytes always get the same signature (RFC 6979), as they do by RSA of PKCS #1 v1.5."""
        scheme = self.capabilities.scheme
        digest = HASHES[scheme.digest]
        if not isinstance(self._key, rsa.RSAPrivateKey):
            return self._key.sign(data, ec.ECDSA(digest, deterministic_signing=True))
        if scheme == algorithms.RSA_PSS:
            return self._key.sign(data, padding.PSS(padding.MGF1(digest), digest.digest_size), digest)
        return self._key.sign(data, padding.PKCS1v15(), digest)


def load(
    path: Path,
    *,
    password: bytes,
    at: datetime,
    usage_fault: Callable[[Certificate], str] = certificates.seal_usage_fault,
    is_pss: bool = False,
) -> FileKey:
    """
    Load a key and its certificates, and refuse what may not be used now.

    Raises:
        KeyUnavailable: the file is missing or unreadable, the password is wrong, the certificate is not valid at `at`.
        Misconfigured: the key is unencrypted, is not the certificate's, or is not for this use.

    """
    key, members = _open(path, password)
    own, *chain = (certificate_of(member, name=str(path)) for member in members)
    if key.public_key().public_bytes(serialization.Encoding.DER, _PUBLIC) != own.parsed.public_key().public_bytes(
        serialization.Encoding.DER, _PUBLIC
    ):
        raise Misconfigured(f"{path}: the certificate is not that of the key: put the right one beside it")
    scheme = admitted(own, at=at, name=str(path), usage_fault=usage_fault, is_pss=is_pss)
    return FileKey(key, own, without_roots(chain), scheme=scheme)


def admitted(
    certificate: Certificate,
    *,
    at: datetime,
    name: str,
    usage_fault: Callable[[Certificate], str] = certificates.seal_usage_fault,
    is_pss: bool = False,
) -> Scheme:
    """
    Return how the key of a certificate signs, if it may be used at an instant.

    Raises Misconfigured for a certificate of another use or a key that may not seal, KeyUnavailable for one out of its
    time; `name` is what the error calls the key.
    """
    if fault := usage_fault(certificate):
        raise Misconfigured(f"{name}: the certificate may not be used: {fault}")
    try:
        scheme = algorithms.scheme_of(certificate.parsed, is_pss=is_pss)
    except ValueError as error:
        raise Misconfigured(f"{name}: the certificate may not be used: {error}") from error
    refuse_outside_validity(certificate, at, name=name)
    return scheme


def without_roots(chain: list[Certificate]) -> tuple[Certificate, ...]:
    """Return the authorities that travel in a seal: no root, which a verifier has or does not."""
    return tuple(member for member in chain if not member.is_self_issued)


def refuse_outside_validity(certificate: Certificate, at: datetime, *, name: str) -> None:
    """Raise KeyUnavailable unless the certificate is valid at an instant."""
    if at < certificate.not_before:
        begins = f"{certificate.not_before:%Y-%m-%dT%H:%M:%SZ}"
        raise KeyUnavailable(f"{name}: the certificate is not valid before {begins}: is the clock right?")
    if at > certificate.not_after:
        ended = f"{certificate.not_after:%Y-%m-%dT%H:%M:%SZ}"
        raise KeyUnavailable(f"{name}: the certificate expired at {ended}: enrol a seal with a new one")


def certificate_of(parsed: x509.Certificate, *, name: str) -> Certificate:
    """Return a certificate as this room handles it. Raises Misconfigured."""
    try:
        return certificates.load(parsed.public_bytes(serialization.Encoding.DER))
    except InvalidInput as error:
        raise Misconfigured(f"{name}: {error}") from error


def _open(path: Path, password: bytes) -> tuple[PrivateKey, tuple[x509.Certificate, ...]]:
    key, members = open_file(path, password)
    if isinstance(key, ed25519.Ed25519PrivateKey | ed448.Ed448PrivateKey):
        raise Misconfigured(f"{path}: {algorithms.EDWARDS}")
    if not isinstance(key, ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey):
        raise Misconfigured(f"{path}: the key is neither ECDSA nor RSA")
    if not members:
        raise Misconfigured(f"{path}: no certificate is beside the key")
    return key, members


def open_file(path: Path, password: bytes) -> tuple[object, tuple[x509.Certificate, ...]]:
    """Decrypt a key file: the key, of whatever kind, and the certificates. Raises KeyUnavailable, Misconfigured."""
    data = read_file(path)
    if not password:
        raise KeyUnavailable(f"{path}: no password is given: its password file is empty")
    return _open_pem(path, data, password) if b"-----BEGIN" in data else _open_pkcs12(path, data, password)


def read_file(path: Path) -> bytes:
    """Read a file of a key or of certificates. Raises KeyUnavailable, Misconfigured."""
    try:
        with path.open("rb") as file:
            data = file.read(MOST_BYTES + 1)
    except OSError as error:
        raise KeyUnavailable(f"{path}: {error.strerror or 'unreadable'}") from error
    if not data or len(data) > MOST_BYTES:
        raise Misconfigured(f"{path}: not a key file of 1 to {MOST_BYTES} bytes")
    return data


def _open_pem(path: Path, data: bytes, password: bytes) -> tuple[object, tuple[x509.Certificate, ...]]:
    if b"PRIVATE KEY-----" not in data:
        raise Misconfigured(f"{path}: no private key is in the file")
    if b"-----BEGIN ENCRYPTED PRIVATE KEY-----" not in data or data.count(b"PRIVATE KEY-----") != 2:
        raise Misconfigured(f"{path}: the private key is not encrypted: `openssl pkcs8 -topk8 -v2 aes-256-cbc` does it")
    try:
        key = serialization.load_pem_private_key(data, password)
    except (ValueError, TypeError) as error:
        raise KeyUnavailable(f"{path}: the password does not open the key: {_NEXT_STEP}") from error
    try:
        members = tuple(x509.load_pem_x509_certificates(data)) if b"BEGIN CERTIFICATE" in data else ()
    except ValueError as error:
        raise Misconfigured(f"{path}: a certificate cannot be read") from error
    return key, members


def _open_pkcs12(path: Path, data: bytes, password: bytes) -> tuple[object, tuple[x509.Certificate, ...]]:
    if legacy := next((name for oid, name in _LEGACY.items() if oid in data), None):
        raise Misconfigured(
            f"{path}: encrypted by {legacy}, which protects no key any more; make a PEM file of it, and name that: "
            f"`openssl pkcs12 -legacy -aes256 -in {path.name} -out {path.stem}.pem`"
        )
    if _PLAIN_KEY_BAG in data or any(_is_opened_by(data, empty) for empty in (None, b"")):
        raise Misconfigured(f"{path}: the private key is not encrypted: export it anew with a password")
    try:
        store = pkcs12.load_pkcs12(data, password)
    except ValueError as error:
        why = "the password does not open the key, or it is no PKCS #12 file"
        raise KeyUnavailable(f"{path}: {why}: {_NEXT_STEP}") from error
    if store.key is None or store.cert is None:
        raise Misconfigured(f"{path}: the file holds no key with a certificate")
    return store.key, (store.cert.certificate, *(extra.certificate for extra in store.additional_certs))


def _is_opened_by(data: bytes, password: bytes | None) -> bool:
    try:
        pkcs12.load_pkcs12(data, password)
    except ValueError:
        return False
    return True
