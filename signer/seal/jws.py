"""
Our one form of JSON Web Signature: ES256, a header in its one canonical form, every part in its one spelling.

Compact (the payload stands in the token) or detached (it does not: RFC 7515, appendix F). What says by itself by whom
it is to be verified is refused by name.
Source: RFC 7515; RFC 7518, 3.4; RFC 8725.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Final

import rfc8785
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature

from signer.domain import json_text
from signer.errors import InvalidInput, TooLarge

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

ALGORITHM: Final = "ES256"
REFUSED_PARAMETERS: Final = ("jwk", "jku", "x5u", "x5c", "crit")
KID_DIGITS: Final = 16
"""A `kid` is so many hex digits of SHA-256 of a key's SubjectPublicKeyInfo, or the 8 bytes that they write."""
_HALF: Final = 32
_MOST_HEADER_BYTES: Final = 1000
_KID: Final = re.compile(r"[0-9a-f]{16}")


@dataclass(frozen=True, slots=True)
class Token:
    """
    A token of ours, read but not believed: first ask `is_by` of the key that `kid` names where you trust it.

    `kid` is only a hint, drawn from the token itself.
    """

    kid: str
    payload: bytes
    signing_input: bytes
    signature: bytes

    def is_by(self, key: ec.EllipticCurvePublicKey) -> bool:
        """Tell whether the signature is by a key (P-256; no other curve's ever is)."""
        if not isinstance(key.curve, ec.SECP256R1):
            return False
        r, s = int.from_bytes(self.signature[:_HALF], "big"), int.from_bytes(self.signature[_HALF:], "big")
        try:
            key.verify(encode_dss_signature(r, s), self.signing_input, ec.ECDSA(hashes.SHA256()))
        except InvalidSignature:
            return False
        return True


def sign(payload: bytes, *, sign_raw: Callable[[bytes], bytes], typ: str, kid: str) -> bytes:
    """Return the compact token of a payload; `sign_raw` signs bytes by ECDSA on P-256 with SHA-256, in DER."""
    signing_input = _base64url(_header(typ, kid)) + b"." + _base64url(payload)
    return signing_input + b"." + _signature(signing_input, sign_raw)


def sign_detached(payload: bytes, *, sign_raw: Callable[[bytes], bytes], typ: str, kid: str) -> bytes:
    """Return the token of a payload that is kept elsewhere: its middle part is empty."""
    head, _, signature = sign(payload, sign_raw=sign_raw, typ=typ, kid=kid).split(b".")
    return head + b".." + signature


def parse(data: bytes, *, typ: str, field: str, most_bytes: int) -> Token:
    """
    Read a compact token; blanks at its ends do not count.

    Raises InvalidInput, naming `field`, for whatever is not a token of ours of this type.
    """
    return _parse(data.strip(), None, typ=typ, field=field, most_bytes=most_bytes)


def parse_detached(data: bytes, payload: bytes, *, typ: str, field: str) -> Token:
    """Read a detached token and put its payload back into it. Raises InvalidInput, as `parse` does."""
    most_bytes = _MOST_HEADER_BYTES + 2 * len(payload)
    return _parse(data.strip(), payload, typ=typ, field=field, most_bytes=most_bytes)


def stream_payload(chunks: Iterable[bytes]) -> bytes:
    """
    Return what is signed, detached, in the place of something too long to be held: `{"sha256":"<hex>","size":<bytes>}`.

    In JCS, so that whoever has SHA-256 writes the very same bytes.
    """
    digest, size = hashlib.sha256(), 0
    for chunk in chunks:
        digest.update(chunk)
        size += len(chunk)
    return rfc8785.dumps({"sha256": digest.hexdigest(), "size": size})


def kid_of(key: ec.EllipticCurvePublicKey) -> str:
    """Return the `kid` of a public key."""
    form = (serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return hashlib.sha256(key.public_bytes(*form)).hexdigest()[:KID_DIGITS]


def raw_signer(key: ec.EllipticCurvePrivateKey) -> Callable[[bytes], bytes]:
    """Return the `sign_raw` of a private key in memory."""
    return lambda data: key.sign(data, ec.ECDSA(hashes.SHA256()))


def unverified_kid(data: bytes, *, field: str) -> str:
    """Return the `kid` in the header of a compact token, without asking who signed it; '' if it has none."""
    return str(_object(_decode(_parts(data.strip(), field)[0], field), field).get("kid", ""))


def unverified_payload(data: bytes, *, field: str) -> bytes:
    """Return what a compact token says without asking who signed it: for what was believed before."""
    return _decode(_parts(data.strip(), field)[1], field)


def _parts(data: bytes, field: str) -> list[bytes]:
    parts = data.split(b".", 3)
    if len(parts) != 3:
        raise InvalidInput(field, "not a compact JWS of three parts")
    return parts


def _parse(data: bytes, detached: bytes | None, *, typ: str, field: str, most_bytes: int) -> Token:
    if len(data) > most_bytes:
        raise InvalidInput(field, f"{len(data)} bytes; at most {most_bytes} are read")
    parts = _parts(data, field)
    if detached is not None:
        if parts[1]:
            raise InvalidInput(field, "not a detached JWS: a payload stands in it")
        parts[1] = _base64url(detached)
    header, payload, signature = (_decode(part, field) for part in parts)
    kid = _kid_in(header, typ, field)
    if len(signature) != 2 * _HALF:
        raise InvalidInput(field, "the signature has not 64 bytes")
    return Token(kid=kid, payload=payload, signing_input=parts[0] + b"." + parts[1], signature=signature)


@lru_cache(maxsize=64)
def _header(typ: str, kid: str) -> bytes:
    return rfc8785.dumps({"alg": ALGORITHM, "kid": kid, "typ": typ})


def _kid_in(header: bytes, typ: str, field: str) -> str:
    """Say exactly what is wrong with a header; only the one canonical header passes. Return its `kid`."""
    found = _object(header, field)
    for name in REFUSED_PARAMETERS:
        if name in found:
            raise InvalidInput(field, f"the header parameter {name} is refused")
    for name, wanted in (("alg", ALGORITHM), ("typ", typ)):
        if found.get(name) != wanted:
            raise InvalidInput(field, f"{name} is {str(found.get(name))[:40]!r}, not {wanted!r}")
    kid = found.get("kid")
    if not isinstance(kid, str) or not _KID.fullmatch(kid):
        raise InvalidInput(field, f"kid is not {KID_DIGITS} hexadecimal digits")
    if header != _header(typ, kid):
        raise InvalidInput(field, "the header is not canonical, or has parameters that are not known")
    return kid


def _object(header: bytes, field: str) -> dict[str, json_text.Json]:
    try:
        found = json_text.load(header, most_bytes=_MOST_HEADER_BYTES)
    except (InvalidInput, TooLarge) as error:
        raise InvalidInput(field, str(error)) from error
    if not isinstance(found, dict):
        raise InvalidInput(field, "the header is not an object")
    return found


def _signature(signing_input: bytes, sign_raw: Callable[[bytes], bytes]) -> bytes:
    r, s = decode_dss_signature(sign_raw(signing_input))
    return _base64url(r.to_bytes(_HALF, "big") + s.to_bytes(_HALF, "big"))


def _base64url(data: bytes) -> bytes:
    return base64.urlsafe_b64encode(data).rstrip(b"=")


def _decode(part: bytes, field: str) -> bytes:
    """Decode one part: base64url without padding, and only its one canonical spelling."""
    try:
        data = base64.b64decode(part + b"=" * (-len(part) % 4), altchars=b"-_", validate=True)
    except binascii.Error as error:
        raise InvalidInput(field, "a part is not base64url") from error
    if _base64url(data) != part:
        raise InvalidInput(field, "a part is not canonical base64url")
    return data
