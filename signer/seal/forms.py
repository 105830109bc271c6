"""The forms in which keys and certificates are made and written: encrypted key files, names, usages."""

from __future__ import annotations

import os
import warnings
from typing import TYPE_CHECKING, TypeAlias

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import PrivateFormat, pkcs12
from cryptography.x509.oid import AuthorityInformationAccessOID

if TYPE_CHECKING:
    from pathlib import Path

    from signer.seal.pki_description import KeyKind

PrivateKey: TypeAlias = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey
Subject: TypeAlias = tuple[tuple[x509.ObjectIdentifier, str], ...]
RESPONDER_URL = "http://ocsp.test.invalid/"
"""Never resolves (RFC 6761); other software looks for answers in a file only if the certificate names a responder."""
_KDF_ROUNDS = 50_000


def write_new(path: Path, data: bytes, *, is_secret: bool) -> None:
    """Write a new file; one that exists is an error, never overwritten."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600 if is_secret else 0o644)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)


def new_key(kind: KeyKind = "p256") -> PrivateKey:
    """Draw a private key."""
    if kind == "rsa3072":
        return rsa.generate_private_key(65537, 3072)
    return ec.generate_private_key(ec.SECP384R1() if kind == "p384" else ec.SECP256R1())


def pkcs12_of(key: PrivateKey, chain: tuple[x509.Certificate, ...], *, password: bytes) -> bytes:
    """Return an encrypted PKCS #12 file (PBES2, AES-256) of a key, its certificate and the authorities above it."""
    encryption = (
        PrivateFormat.PKCS12.encryption_builder()
        .kdf_rounds(_KDF_ROUNDS)
        .key_cert_algorithm(pkcs12.PBES.PBESv2SHA256AndAES256CBC)
        .hmac_hash(hashes.SHA256())
        .build(password)
    )
    return pkcs12.serialize_key_and_certificates(b"seal", key, chain[0], chain[1:], encryption)


def pem_of(key: PrivateKey, chain: tuple[x509.Certificate, ...], *, password: bytes) -> bytes:
    """Return an encrypted PKCS #8 key (PBES2, AES-256) with its certificates, in PEM."""
    encryption = serialization.BestAvailableEncryption(password)
    whole = key.private_bytes(serialization.Encoding.PEM, PrivateFormat.PKCS8, encryption)
    return whole + b"".join(member.public_bytes(serialization.Encoding.PEM) for member in chain)


def responder() -> x509.AuthorityInformationAccess:
    """Return where a TEST certificate says that its revocation is answered."""
    address = x509.UniformResourceIdentifier(RESPONDER_URL)
    return x509.AuthorityInformationAccess([x509.AccessDescription(AuthorityInformationAccessOID.OCSP, address)])


def name_of(pairs: Subject) -> x509.Name:
    """
    Return a subject of any length.

    The limit of 64 in X.520 counts characters, cryptography counts octets: a Chinese name of 22 exceeds it.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        return x509.Name([x509.NameAttribute(oid, text, _validate=False) for oid, text in pairs])


def usage(*names: str) -> x509.KeyUsage:
    """Return the key usage of a certificate. Source: RFC 5280, 4.2.1.3."""
    known = (
        "digital_signature",
        "content_commitment",
        "key_encipherment",
        "data_encipherment",
        "key_agreement",
        "key_cert_sign",
        "crl_sign",
        "encipher_only",
        "decipher_only",
    )
    return x509.KeyUsage(**{name: name in names for name in known})
