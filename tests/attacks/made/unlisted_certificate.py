"""A certificate of the right authority for the right name, which nobody listed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization

from signer.seal import certificates, keys, pki

if TYPE_CHECKING:
    from collections.abc import Iterator

    from genuine import Genuine


def make(genuine: Genuine) -> Iterator[bytes]:
    issuing, old = genuine.ours.issuing, genuine.ours.seal("yunzhou").certificate.parsed
    key = pki.new_key()
    builder = (
        x509.CertificateBuilder()
        .subject_name(old.subject)
        .issuer_name(old.issuer)
        .public_key(key.public_key())
        .serial_number(old.serial_number)
        .not_valid_before(old.not_valid_before_utc)
        .not_valid_after(old.not_valid_after_utc)
    )
    for extension in old.extensions:
        if not isinstance(extension.value, x509.SubjectKeyIdentifier):
            builder = builder.add_extension(extension.value, critical=extension.critical)
    made = builder.sign(issuing._key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)
    yield genuine.resealed(keys.FileKey(key, certificates.Certificate(made), (issuing.certificate,)))
