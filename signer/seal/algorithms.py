"""
Which algorithms count: SHA-256 or better, P-256 and up, RSA of 2048 bits and up, PSS with equal hashes.

Each is known by the exact bytes of its AlgorithmIdentifier, so that no parameter can hide in one.
Source: docs/reference/acceptance-rules.md, rule 5; ETSI TS 119 312.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from asn1crypto import algos
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa

if TYPE_CHECKING:
    from cryptography import x509

MOST_RSA_BITS = 8192
LEAST_RSA_BITS = 2048
_HASHES = ("sha256", "sha384", "sha512")
_CURVES = (ec.SECP256R1, ec.SECP384R1, ec.SECP521R1)


def _digests() -> dict[bytes, str]:
    """Return the digest algorithms, with the parameters absent (RFC 5754) or NULL (what older software writes)."""
    found = {}
    for name in _HASHES:
        oid = algos.DigestAlgorithmId(name).dump()
        found[_identifier(oid)] = name
        found[_identifier(oid + b"\x05\x00")] = name
    return found


def _identifier(body: bytes) -> bytes:
    return bytes((0x30, len(body))) + body


def _signatures() -> dict[bytes, tuple[str, str | None]]:
    found: dict[bytes, tuple[str, str | None]] = {}
    for name in _HASHES:
        found[algos.SignedDigestAlgorithm({"algorithm": f"{name}_ecdsa"}).dump()] = ("ecdsa", name)
        found[algos.SignedDigestAlgorithm({"algorithm": f"{name}_rsa"}).dump()] = ("rsa", name)
        found[_pss(name)] = ("rsa", name)
    found[algos.SignedDigestAlgorithm({"algorithm": "rsassa_pkcs1v15"}).dump()] = ("rsa", None)
    return found


def _pss(name: str) -> bytes:
    digest = {"algorithm": name}
    parameters = {
        "hash_algorithm": digest,
        "mask_gen_algorithm": {"algorithm": "mgf1", "parameters": digest},
        "salt_length": getattr(hashes, name.upper()).digest_size,
    }
    dumped: bytes = algos.SignedDigestAlgorithm({"algorithm": "rsassa_pss", "parameters": parameters}).dump()
    return dumped


DIGESTS = _digests()
"""AlgorithmIdentifier (DER) of a digest -> its name."""
SIGNATURES = _signatures()
"""AlgorithmIdentifier (DER) of a signature -> kind of key, and the digest that it names (None: the signer's)."""
ECDSA_SHA256 = algos.SignedDigestAlgorithm({"algorithm": "sha256_ecdsa"}).dump()
RSA_SHA256 = algos.SignedDigestAlgorithm({"algorithm": "sha256_rsa"}).dump()
SHA256 = algos.DigestAlgorithm({"algorithm": "sha256"}).dump()


def of_key(certificate: x509.Certificate) -> bytes:
    """Return the AlgorithmIdentifier (DER) by which a certificate's key signs here: SHA-256 throughout."""
    known: bytes = ECDSA_SHA256 if isinstance(certificate.public_key(), ec.EllipticCurvePublicKey) else RSA_SHA256
    return known


def most_signature_bytes(certificate: x509.Certificate) -> int:
    """Return how long a signature by a certificate's key is at most; ECDSA's is DER of two numbers."""
    key = certificate.public_key()
    if isinstance(key, ec.EllipticCurvePublicKey):
        return 2 * ((key.key_size + 7) // 8 + 3) + 3
    return (key.key_size + 7) // 8 if isinstance(key, rsa.RSAPublicKey) else 0


def key_fault(certificate: x509.Certificate) -> str:
    """Return why a certificate's key is too weak or of a kind that readers do not know, or ''."""
    key = certificate.public_key()
    if isinstance(key, ec.EllipticCurvePublicKey):
        return "" if isinstance(key.curve, _CURVES) else f"the curve {key.curve.name} is not P-256, P-384 or P-521"
    if isinstance(key, rsa.RSAPublicKey):
        is_fit = LEAST_RSA_BITS <= key.key_size <= MOST_RSA_BITS
        return "" if is_fit else f"an RSA key of {key.key_size} bits; {LEAST_RSA_BITS} to {MOST_RSA_BITS} count"
    return "the key is neither ECDSA (P-256 and up) nor RSA"


def fault(*, digest: bytes, signature: bytes, certificate: x509.Certificate) -> str:
    """Return why the two AlgorithmIdentifiers (DER) and the certificate's key do not count together, or ''."""
    if digest not in DIGESTS:
        return "the digest algorithm is not SHA-256, SHA-384 or SHA-512"
    if signature not in SIGNATURES:
        return "the signature algorithm is not ECDSA, RSA or RSA-PSS with SHA-256 or better"
    kind, named = SIGNATURES[signature]
    if named not in (None, DIGESTS[digest]):
        return "the signature names another digest than the signer"
    if kind != ("ecdsa" if isinstance(certificate.public_key(), ec.EllipticCurvePublicKey) else "rsa"):
        return "the signature algorithm is not that of the certificate's key"
    return key_fault(certificate)
