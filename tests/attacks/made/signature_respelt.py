"""The same key signed the same, spelt otherwise: every ECDSA signature has a twin, the timestamp's as well."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from forged import ORDER, forged, listed, other_signature, replaced, value, with_value

from signer.seal import cms, der

if TYPE_CHECKING:
    from collections.abc import Iterator

    from genuine import Genuine


def octets(body: bytes) -> bytes:
    return der.encode(der.OCTET_STRING, body)


def make(genuine: Genuine) -> Iterator[bytes]:
    whole = value(genuine)
    held = cms.read(whole, content_type=cms.DATA)
    token = held.unsigned[cms.SIGNATURE_TIMESTAMP]
    inside = cms.read(token, content_type=cms.TST_INFO).signature
    for signature in (held.signature, inside):
        yield with_value(genuine, replaced(whole, octets(signature), octets(other_signature(signature))))
    stamped = (cms._attribute(cms.SIGNATURE_TIMESTAMP, token),)
    yield forged(genuine, listed(genuine, sign=lambda _: other_signature(held.signature), unsigned=stamped))
    again = genuine.ours.timestamper(genuine.trust).stamp(held.signature, intended_at=genuine.world.at).token
    yield forged(
        genuine,
        listed(genuine, sign=lambda _: held.signature, unsigned=(cms._attribute(cms.SIGNATURE_TIMESTAMP, again),)),
    )
    yield forged(genuine, listed(genuine, sign=lambda _: other_signature(held.signature)))
    r, s = decode_dss_signature(held.signature)
    padded = der.encode(der.SEQUENCE, *(b"\x02\x22\x00" + number.to_bytes(33, "big") for number in (r, s)))
    beyond = encode_dss_signature(r, s + ORDER)
    for odd in (padded, beyond, held.signature + b"\0"):
        yield forged(genuine, listed(genuine, sign=lambda _, odd=odd: odd, unsigned=stamped))
