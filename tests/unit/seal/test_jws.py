"""One form of JWS, compact and detached: what is signed comes back, and nothing but the one spelling of it does."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

import pytest
import rfc8785
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given, settings
from hypothesis import strategies as st

from signer.errors import InvalidInput
from signer.seal import jws

if TYPE_CHECKING:
    from signer.seal.jws import Token

KEY, OTHER = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
KID = jws.kid_of(KEY.public_key())
TYP = "signer-test+jwt"
PAYLOAD = b'{"asked":"this"}'


def sign(payload: bytes = PAYLOAD) -> bytes:
    return jws.sign(payload, sign_raw=jws.raw_signer(KEY), typ=TYP, kid=KID)


def detach(payload: bytes = PAYLOAD) -> bytes:
    return jws.sign_detached(payload, sign_raw=jws.raw_signer(KEY), typ=TYP, kid=KID)


def parse(data: bytes) -> Token:
    return jws.parse(data, typ=TYP, field="token", most_bytes=10_000)


@given(payload=st.binary(max_size=200))
def test_what_is_signed_comes_back_and_is_by_its_key_alone(payload: bytes) -> None:
    token = parse(b"\n " + sign(payload) + b"\n")
    assert (token.payload, token.kid) == (payload, KID)
    assert token.is_by(KEY.public_key())
    assert not token.is_by(OTHER.public_key())
    assert not token.is_by(ec.generate_private_key(ec.SECP384R1()).public_key())


@settings(max_examples=100)
@given(place=st.integers(0, 10_000), flip=st.integers(1, 255))
def test_any_changed_byte_is_refused_or_is_by_nobody(place: int, flip: int) -> None:
    token = sign()
    altered = bytearray(token)
    altered[place % len(token)] ^= flip
    try:
        read = parse(bytes(altered))
    except InvalidInput:
        return
    assert bytes(altered).strip() == token or not read.is_by(KEY.public_key()) or read.kid != KID


def test_a_detached_token_is_good_for_its_own_payload_alone() -> None:
    token = detach()
    assert b".." in token
    assert jws.parse_detached(token, PAYLOAD, typ=TYP, field="token").is_by(KEY.public_key())
    assert not jws.parse_detached(token, PAYLOAD + b" ", typ=TYP, field="token").is_by(KEY.public_key())
    with pytest.raises(InvalidInput, match="a payload stands in it"):
        jws.parse_detached(sign(), PAYLOAD, typ=TYP, field="token")
    assert parse(token).payload == b""
    assert not parse(token).is_by(KEY.public_key())


def test_a_long_stream_is_signed_by_what_anybody_can_compute_of_it() -> None:
    digest = "9f64a747e1b97f131fabb6b447296c9b6f0201e79fb3c5356e6c77e89b6a806a"
    assert jws.stream_payload([b"\x01\x02", b"", b"\x03\x04"]) == b'{"sha256":"%s","size":4}' % digest.encode()


REFUSED: dict[str, tuple[bytes, str]] = {
    "nothing": (b"", "three parts"),
    "four parts": (sign() + b".AA", "three parts"),
    "padding": (sign() + b"=", "base64url"),
    "a bit that no byte needs": (sign()[:-1] + (b"h" if sign()[-1:] != b"h" else b"i"), "not canonical"),
    "too many bytes": (sign(bytes(10_000)), "at most 10000"),
    "a short signature": (sign().rsplit(b".", 1)[0] + b".AAAA", "64 bytes"),
}
HEADERS: dict[str, tuple[object, str]] = {
    "no object": ([], "not an object"),
    "no kid": ({"alg": "ES256", "typ": TYP}, "kid is not"),
    "a long kid": ({"alg": "ES256", "typ": TYP, "kid": KID * 2}, "kid is not"),
    "another alg": ({"alg": "ES384", "typ": TYP, "kid": KID}, "alg is 'ES384'"),
    "another typ": ({"alg": "ES256", "typ": "JWT", "kid": KID}, "typ is 'JWT'"),
    "an unencoded payload": (
        {"alg": "ES256", "typ": TYP, "kid": KID, "b64": False, "crit": ["b64"]},
        "crit is refused",
    ),
    "an unknown one": ({"alg": "ES256", "typ": TYP, "kid": KID, "zip": "DEF"}, "not canonical"),
    "very deep": (b"[" * 900, "nested"),
    "very long": (rfc8785.dumps({"alg": "ES256", "typ": TYP, "kid": KID, "x": "x" * 1000}), "1000 are read"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_other_spellings_are_refused(name: str) -> None:
    data, says = REFUSED[name]
    with pytest.raises(InvalidInput, match=says):
        parse(data)


@pytest.mark.parametrize("name", [*HEADERS, *jws.REFUSED_PARAMETERS])
def test_other_headers_are_refused(name: str) -> None:
    own: dict[str, object] = {"alg": "ES256", "typ": TYP, "kid": KID, name: {}}
    header, says = HEADERS.get(name, (own, f"{name} is refused"))
    head = header if isinstance(header, bytes) else rfc8785.dumps(header)  # type: ignore[arg-type]
    for token in (sign(), detach()):
        _, rest = token.split(b".", 1)
        with pytest.raises(InvalidInput, match=says):
            parse(base64.urlsafe_b64encode(head).rstrip(b"=") + b"." + rest)
