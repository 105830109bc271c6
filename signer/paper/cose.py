"""
The signed code on paper: a CWT in COSE_Sign1 by ES256, in the one way that we write it.

Source: RFC 9052, 4.2 and 4.4; RFC 9053, 2.1; RFC 8392; docs/reference/paper-code.md.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature

from signer.domain import cbor, paper_code
from signer.domain.paper_code import PaperCodeRefused

if TYPE_CHECKING:
    from collections.abc import Callable

    from signer.domain.cbor import Cbor
    from signer.domain.paper_code import PaperClaims

EXTERNAL_AAD: Final = b"signer/paper/1"
KID_BYTES: Final = 8
_TAG: Final = 18
_HEAD: Final = cbor.tagged(_TAG, b"")
"""COSE_Sign1_Tagged, so that every reader of COSE knows what it has before it. Source: RFC 9052, 2."""
_ALG, _KID, _ES256 = 1, 4, -7
_HALF: Final = 32
_ORDER: Final = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
"""How many points P-256 has. Source: SEC 2, 2.4.2."""


@dataclass(frozen=True, slots=True)
class Decoded:
    """
    A code, read but not believed: `verify` it by the key that the trust list has under `kid`, and compare `issuer`.

    `kid` is a hint, drawn from the code itself; `signed` is what the signature is over, `digits` its one spelling.
    """

    digits: str
    kid: bytes
    claims: PaperClaims
    signed: bytes
    signature: bytes


def kid_of(spki: bytes) -> bytes:
    """Return the name of a key in a code: the first 8 bytes of SHA-256 of its SubjectPublicKeyInfo."""
    return hashlib.sha256(spki).digest()[:KID_BYTES]


def encode(claims: PaperClaims, *, kid: bytes, sign_raw: Callable[[bytes], bytes]) -> str:
    """
    Return the digits of the signed code of claims; `sign_raw` signs bytes by ECDSA on P-256 with SHA-256, in DER.

    Of the two signatures that are one (s and n - s), the one with the lower s is written. The same claims give the same
    digits if the key signs deterministically (RFC 6979): keys in files do.
    """
    if len(kid) != KID_BYTES:
        raise ValueError(f"a kid has {KID_BYTES} bytes")
    protected = _protected(kid)
    payload = cbor.encode(paper_code.to_claims(claims))
    r, s = decode_dss_signature(sign_raw(_to_be_signed(protected, payload)))
    signature = r.to_bytes(_HALF, "big") + min(s, _ORDER - s).to_bytes(_HALF, "big")
    return paper_code.to_digits(_HEAD + cbor.encode((protected, {}, payload, signature)))


def decode(text: str) -> Decoded:
    """
    Read a code from its text: an address with its fragment, or the fragment from its `#`.

    Raises PaperCodeRefused for whatever is not the one spelling of a code of ours; nothing of it is believed yet.
    """
    digits = paper_code.find(text)
    data = paper_code.from_digits(digits)
    if not data.startswith(_HEAD):
        raise PaperCodeRefused("cose", "not a tagged COSE_Sign1")
    protected, payload, signature = _parts(_value(data[len(_HEAD) :]))
    kid = _kid_in(protected)
    claims = paper_code.from_claims(_value(payload))
    if len(signature) != 2 * _HALF:
        raise PaperCodeRefused("cose", "the signature has not 64 bytes")
    if 2 * int.from_bytes(signature[_HALF:], "big") > _ORDER:
        raise PaperCodeRefused("high-s", "the other spelling of the same signature")
    return Decoded(digits=digits, kid=kid, claims=claims, signed=_to_be_signed(protected, payload), signature=signature)


def verify(code: Decoded, spki: bytes) -> bool:
    """Tell whether a code was signed by a key (SubjectPublicKeyInfo in DER; none but one on P-256 ever did)."""
    key = serialization.load_der_public_key(spki)
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP256R1):
        return False
    r, s = (int.from_bytes(code.signature[at : at + _HALF], "big") for at in (0, _HALF))
    try:
        key.verify(encode_dss_signature(r, s), code.signed, ec.ECDSA(hashes.SHA256()))
    except InvalidSignature:
        return False
    return True


def _value(data: bytes) -> Cbor:
    try:
        return cbor.decode(data)
    except cbor.CborRefused as error:
        raise PaperCodeRefused(error.reason, "not the deterministic CBOR of anything") from error


def _parts(value: Cbor) -> tuple[bytes, bytes, bytes]:
    match value:
        case (bytes(protected), {**unprotected}, bytes(payload), bytes(signature)) if not unprotected:
            return protected, payload, signature
    raise PaperCodeRefused("cose", "not [protected, {}, payload, signature]")


def _protected(kid: bytes) -> bytes:
    return cbor.encode({_ALG: _ES256, _KID: kid})


def _kid_in(protected: bytes) -> bytes:
    match _value(protected):
        case {1: alg} if alg != _ES256:
            raise PaperCodeRefused("algorithm", f"alg is {str(alg)[:20]}, not {_ES256}")
        case {1: _, 4: bytes(kid), **others} if not others and len(kid) == KID_BYTES:
            return kid
    raise PaperCodeRefused("cose", f"the protected header is not {{1: {_ES256}, 4: kid of {KID_BYTES} bytes}}")


def _to_be_signed(protected: bytes, payload: bytes) -> bytes:
    """Return Sig_structure. Source: RFC 9052, 4.4."""
    return cbor.encode(("Signature1", protected, EXTERNAL_AAD, payload))
