"""
Which algorithms count: SHA-256 or better, P-256 and up, RSA of 2048 bits and up, PSS with equal hashes.

Each is known by the exact bytes of its AlgorithmIdentifier, so that no parameter can hide in one. What seals here is
narrower than what counts: the four schemes of `Scheme`.
Source: docs/reference/acceptance-rules.md, rule 5; ETSI TS 119 312.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Literal

from asn1crypto import algos
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, padding, rsa

if TYPE_CHECKING:
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes

MOST_RSA_BITS = 8192
MOST_SEALING_RSA_BITS = 4096
LEAST_RSA_BITS = 2048
EDWARDS = (
    "the key is neither ECDSA nor RSA: seals by Ed25519 and Ed448 fail in poppler, mutool, iText 5 and OpenSSL 3.0; "
    "make a key on P-256"
)
"""Why such a key is refused: measured, docs/adr/0017-key-stores.md."""
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
ECDSA_SHA384 = algos.SignedDigestAlgorithm({"algorithm": "sha384_ecdsa"}).dump()
RSA_SHA256 = algos.SignedDigestAlgorithm({"algorithm": "sha256_rsa"}).dump()
PSS_SHA256 = _pss("sha256")
SHA256 = algos.DigestAlgorithm({"algorithm": "sha256"}).dump()
SHA384 = algos.DigestAlgorithm({"algorithm": "sha384"}).dump()
_PSS_IDENTIFIERS = frozenset(_pss(name) for name in _HASHES)
_ALGORITHMS = {"sha256": hashes.SHA256(), "sha384": hashes.SHA384(), "sha512": hashes.SHA512()}
SchemeName = Literal["ecdsa-p256", "ecdsa-p384", "rsa", "rsa-pss"]


@dataclass(frozen=True, slots=True)
class Scheme:
    """
    One way in which a key signs here: the digest's name, and the AlgorithmIdentifiers (DER) of both.

    `rsa` is PKCS #1 v1.5; `rsa-pss` has one hash throughout and a salt of its length. Source: RFC 8017, 8.1 and 8.2.
    """

    name: SchemeName
    digest: Literal["sha256", "sha384"]
    signature_identifier: bytes
    digest_identifier: bytes


ECDSA_P256 = Scheme("ecdsa-p256", "sha256", ECDSA_SHA256, SHA256)
ECDSA_P384 = Scheme("ecdsa-p384", "sha384", ECDSA_SHA384, SHA384)
RSA = Scheme("rsa", "sha256", RSA_SHA256, SHA256)
RSA_PSS = Scheme("rsa-pss", "sha256", PSS_SHA256, SHA256)


def scheme_of(certificate: x509.Certificate, *, is_pss: bool = False) -> Scheme:
    """Return how a certificate's key signs here. Raises ValueError, saying why, for a key that may not."""
    if fault_ := sealing_fault(certificate):
        raise ValueError(fault_)
    key = certificate.public_key()
    if isinstance(key, rsa.RSAPublicKey):
        return RSA_PSS if is_pss else RSA
    if is_pss:
        raise ValueError("the scheme rsa-pss is asked of a key that is not RSA")
    is_p384 = isinstance(key, ec.EllipticCurvePublicKey) and isinstance(key.curve, ec.SECP384R1)
    return ECDSA_P384 if is_p384 else ECDSA_P256


def sealing_fault(certificate: x509.Certificate) -> str:
    """Return why a certificate's key may not sign here, though it may count elsewhere, or ''."""
    key = certificate.public_key()
    if isinstance(key, ec.EllipticCurvePublicKey) and not isinstance(key.curve, ec.SECP256R1 | ec.SECP384R1):
        return f"the curve {key.curve.name} is not P-256 or P-384"
    if isinstance(key, rsa.RSAPublicKey) and not LEAST_RSA_BITS <= key.key_size <= MOST_SEALING_RSA_BITS:
        return f"an RSA key of {key.key_size} bits; {LEAST_RSA_BITS} to {MOST_SEALING_RSA_BITS} seal"
    return key_fault(certificate)


def most_signature_bytes(certificate: x509.Certificate) -> int:
    """Return how long a signature by a certificate's key is at most; ECDSA's is DER of two numbers."""
    key = certificate.public_key()
    if isinstance(key, ec.EllipticCurvePublicKey):
        return 2 * ((key.key_size + 7) // 8 + 3) + 3
    return (key.key_size + 7) // 8 if isinstance(key, rsa.RSAPublicKey) else 0


@lru_cache(maxsize=64)
def key_of(certificate: x509.Certificate) -> CertificatePublicKeyTypes:
    """Return a certificate's public key; it is read once for the few certificates that there are."""
    return certificate.public_key()


def verifies(signature: bytes, data: bytes, *, certificate: x509.Certificate, identifier: bytes, digest: str) -> bool:
    """Tell whether a signature is one over `data` by a certificate's key, under an identifier that counts (`fault`)."""
    key, made_by = key_of(certificate), _ALGORITHMS[digest]
    try:
        if isinstance(key, ec.EllipticCurvePublicKey):
            key.verify(signature, data, ec.ECDSA(made_by))
        elif isinstance(key, rsa.RSAPublicKey) and identifier in _PSS_IDENTIFIERS:
            key.verify(signature, data, padding.PSS(padding.MGF1(made_by), made_by.digest_size), made_by)
        elif isinstance(key, rsa.RSAPublicKey):
            key.verify(signature, data, padding.PKCS1v15(), made_by)
        else:
            return False
    except InvalidSignature:
        return False
    return True


def key_fault(certificate: x509.Certificate) -> str:
    """Return why a certificate's key is too weak or of a kind that readers do not know, or ''."""
    key = key_of(certificate)
    if isinstance(key, ec.EllipticCurvePublicKey):
        return "" if isinstance(key.curve, _CURVES) else f"the curve {key.curve.name} is not P-256, P-384 or P-521"
    if isinstance(key, rsa.RSAPublicKey):
        is_fit = LEAST_RSA_BITS <= key.key_size <= MOST_RSA_BITS
        return "" if is_fit else f"an RSA key of {key.key_size} bits; {LEAST_RSA_BITS} to {MOST_RSA_BITS} count"
    if isinstance(key, ed25519.Ed25519PublicKey | ed448.Ed448PublicKey):
        return EDWARDS
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
    if kind != ("ecdsa" if isinstance(key_of(certificate), ec.EllipticCurvePublicKey) else "rsa"):
        return "the signature algorithm is not that of the certificate's key"
    return key_fault(certificate)
