"""The value of a seal, made by hand: any part of it can be another, and it is put where the genuine one stood."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature

from signer.seal import algorithms, cms, der
from signer.seal.certificates import Certificate

if TYPE_CHECKING:
    from collections.abc import Callable

    from genuine import Genuine

P256 = ec.ECDSA(hashes.SHA256())
ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
"""Of the curve. Source: SEC 2, 2.4.2."""


@dataclass(frozen=True, kw_only=True)
class Value:
    """A CMS before it is written: who signs, what travels with it, which algorithms it names."""

    certificate: Certificate
    sign: Callable[[bytes], bytes]
    carried: tuple[bytes, ...]
    digest: str = "sha256"
    digest_algorithm: bytes = algorithms.SHA256
    signature_algorithm: bytes = algorithms.ECDSA_SHA256
    named: Certificate | None = None
    times: int = 1
    content: bytes | None = None
    unsigned: tuple[bytes, ...] = ()

    def info(self, attributes: bytes) -> bytes:
        parts = [
            b"\x02\x01\x01",
            der.encode(der.SEQUENCE, self.certificate.issuer, self.certificate.serial),
            self.digest_algorithm,
            der.encode(der.CONTEXT_0, attributes),
            self.signature_algorithm,
            der.encode(der.OCTET_STRING, self.sign(der.encode(der.SET, attributes))),
        ]
        if self.unsigned:
            parts.append(der.set_of(der.CONTEXT_1, *self.unsigned))
        return der.encode(der.SEQUENCE, *parts)

    def over(self, covered: bytes) -> bytes:
        """Return the CMS over some bytes."""
        digest = hashlib.new(self.digest, covered, usedforsecurity=False).digest()
        named = self.named or self.certificate
        attributes = cms.signed_attributes(named, content_type=cms.DATA, digest=digest)
        inside = () if self.content is None else (der.encode(der.CONTEXT_0, der.encode(4, self.content)),)
        body = der.encode(
            der.SEQUENCE,
            b"\x02\x01\x01",
            der.encode(der.SET, self.digest_algorithm),
            der.encode(der.SEQUENCE, cms.DATA, *inside),
            der.set_of(der.CONTEXT_0, *self.carried),
            der.encode(der.SET, *(self.info(attributes) for _ in range(self.times))),
        )
        return der.encode(der.SEQUENCE, cms.SIGNED_DATA, der.encode(der.CONTEXT_0, body))


def listed(genuine: Genuine, **changes: Any) -> Value:
    """Return what the listed key would make, but for the changes."""
    key = genuine.ours.seal("yunzhou")
    private: Any = key._key
    plain = Value(
        certificate=key.certificate,
        sign=lambda data: bytes(private.sign(data, P256)),
        carried=(key.certificate.der, *(link.der for link in key.chain)),
    )
    return replace(plain, **changes)


def value(genuine: Genuine) -> bytes:
    """Return the genuine CMS."""
    start, end = genuine.gap
    return der.read(bytes.fromhex(genuine.pdf[start:end].decode())).whole


def replaced(whole: bytes, old: bytes, new: bytes) -> bytes:
    """Put another DER value wherever one stands, lengths mended."""

    def mended(node: der.Node) -> bytes:
        if node.whole == old:
            return new
        if not node.tag & 0x20:
            return node.whole
        return der.encode(node.tag, *map(mended, der.children(node.body)))

    return mended(der.read(whole))


def forged(genuine: Genuine, made: Value) -> bytes:
    """Put a CMS of one's own over the very same bytes into the file."""
    start, end = genuine.gap
    return with_value(genuine, made.over(genuine.pdf[: start - 1] + genuine.pdf[end + 1 :]))


def with_value(genuine: Genuine, whole: bytes) -> bytes:
    """Put these bytes where the value stands; what is too long for the place makes the file longer."""
    start, end = genuine.gap
    return genuine.pdf[:start] + whole.hex().upper().encode().ljust(end - start, b"0") + genuine.pdf[end:]


def twin(certificate: Certificate) -> Certificate:
    """Return the certificate with the other ECDSA signature that its issuer's key gives as well: it verifies alike."""
    body, algorithm, signature = der.children(der.only(certificate.der, der.SEQUENCE).body)
    spelt = der.encode(0x03, b"\0" + other_signature(signature.body[1:]))
    return Certificate(der.encode(der.SEQUENCE, body.whole, algorithm.whole, spelt))


def other_signature(signature: bytes) -> bytes:
    """Return the twin that every ECDSA signature has, which verifies too, made without the key."""
    r, s = decode_dss_signature(signature)
    return encode_dss_signature(r, ORDER - s)


def certified(genuine: Genuine, public: Any, *, by: Any = None, **changes: Any) -> Certificate:
    """Have a certificate made for a key: with all that the listed one says, or changed (`serial_number`, `days`)."""
    authority, old = by or genuine.ours.issuing, genuine.ours.seal("yunzhou").certificate.parsed
    days = changes.get("days")
    builder = (
        x509.CertificateBuilder()
        .subject_name(changes.get("subject", old.subject))
        .issuer_name(authority.certificate.parsed.subject)
        .public_key(public)
        .serial_number(changes.get("serial_number", old.serial_number))
        .not_valid_before(old.not_valid_before_utc)
        .not_valid_after(old.not_valid_after_utc if days is None else old.not_valid_before_utc + timedelta(days=days))
    )
    for extension in old.extensions:
        if not isinstance(extension.value, x509.SubjectKeyIdentifier):
            builder = builder.add_extension(extension.value, critical=extension.critical)
    made = builder.sign(authority._key, hashes.SHA256())
    return Certificate(made.public_bytes(serialization.Encoding.DER))
