"""RSA-PSS whose mask is by another hash than the message, or whose salt has another length."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from asn1crypto import algos
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from forged import Value, certified, forged

if TYPE_CHECKING:
    from collections.abc import Iterator

    from genuine import Genuine


def make(genuine: Genuine) -> Iterator[bytes]:
    key = rsa.generate_private_key(65537, 2048)
    other = certified(genuine, key.public_key())
    kinds = (
        ("sha256", hashes.SHA1(), "sha1", 32),
        ("sha256", hashes.SHA512(), "sha512", 32),
        ("sha256", hashes.SHA256(), "sha256", 20),
        ("sha256", hashes.SHA256(), "sha256", 0),
    )
    for digest, mask, name, salt in kinds:
        parameters = {
            "hash_algorithm": {"algorithm": digest},
            "mask_gen_algorithm": {"algorithm": "mgf1", "parameters": {"algorithm": name}},
            "salt_length": salt,
        }
        named = algos.SignedDigestAlgorithm({"algorithm": "rsassa_pss", "parameters": parameters}).dump()
        padded = padding.PSS(padding.MGF1(mask), salt)
        value = Value(
            certificate=other,
            sign=partial(key.sign, padding=padded, algorithm=hashes.SHA256()),
            carried=(other.der, genuine.ours.issuing.certificate.der),
            signature_algorithm=named,
        )
        yield forged(genuine, value)
