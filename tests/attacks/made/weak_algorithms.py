"""SHA-1, MD5, small keys, other curves, and algorithms that do not go together; some by the listed key itself."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from asn1crypto import algos
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from forged import P256, Value, certified, forged, listed

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
    for bits, digest in ((1024, "sha256"), (2040, "sha256"), (2048, "sha1"), (2048, "md5")):
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

    for curve in (ec.SECP192R1(), ec.SECP224R1(), ec.SECP256K1(), ec.BrainpoolP256R1()):
        point = ec.generate_private_key(curve)
        small = certified(genuine, point.public_key())
        carried = (small.der, genuine.ours.issuing.certificate.der)
        by_curve = partial(point.sign, signature_algorithm=P256)
        yield forged(genuine, listed(genuine, certificate=small, sign=by_curve, carried=carried))
    edwards = ed25519.Ed25519PrivateKey.generate()
    other = certified(genuine, edwards.public_key())
    carried = (other.der, genuine.ours.issuing.certificate.der)
    for name in ("ed25519", "sha256_ecdsa"):
        told = algos.SignedDigestAlgorithm({"algorithm": name}).dump()
        made_so = listed(genuine, certificate=other, sign=edwards.sign, carried=carried, signature_algorithm=told)
        yield forged(genuine, made_so)
    for name in ("sha224", "sha3_256"):
        told = algos.DigestAlgorithm({"algorithm": name}).dump()
        yield forged(genuine, listed(genuine, digest=name, digest_algorithm=told))


NAMES = ("sha1_ecdsa", "sha1_rsa", "md5_rsa", "sha256_rsa")
