"""SHA-1, MD5, RSA of 1024 bits, and algorithms that do not go together; some by the listed key itself."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from asn1crypto import algos
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from forged import Value, certified, forged, listed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from genuine import Genuine


def make(genuine: Genuine) -> Iterator[bytes]:
    private: Any = genuine.ours.seal("yunzhou")._key
    by_sha1 = partial(private.sign, signature_algorithm=ec.ECDSA(hashes.SHA1()))
    sha1, md5 = (algos.DigestAlgorithm({"algorithm": name}).dump() for name in ("sha1", "md5"))
    named = {name: algos.SignedDigestAlgorithm({"algorithm": name}).dump() for name in NAMES}
    yield forged(
        genuine,
        listed(genuine, sign=by_sha1, digest="sha1", digest_algorithm=sha1, signature_algorithm=named["sha1_ecdsa"]),
    )
    yield forged(genuine, listed(genuine, sign=by_sha1, signature_algorithm=named["sha1_ecdsa"]))
    yield forged(genuine, listed(genuine, digest="md5", digest_algorithm=md5))
    yield forged(genuine, listed(genuine, digest_algorithm=sha1))
    yield forged(genuine, listed(genuine, signature_algorithm=named["sha256_rsa"]))
    for bits, digest in ((1024, "sha256"), (2048, "sha1"), (2048, "md5")):
        key = rsa.generate_private_key(65537, bits)
        other = certified(genuine, key.public_key())
        made = {"sha256": hashes.SHA256(), "sha1": hashes.SHA1(), "md5": hashes.MD5()}[digest]
        value = Value(
            certificate=other,
            sign=partial(key.sign, padding=padding.PKCS1v15(), algorithm=made),
            carried=(other.der, genuine.ours.issuing.certificate.der),
            digest=digest,
            digest_algorithm=algos.DigestAlgorithm({"algorithm": digest}).dump(),
            signature_algorithm=named[f"{digest}_rsa"],
        )
        yield forged(genuine, value)


NAMES = ("sha1_ecdsa", "sha1_rsa", "md5_rsa", "sha256_rsa")
