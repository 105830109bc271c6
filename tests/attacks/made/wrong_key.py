"""The certificate is the listed one, the signature by another key."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cryptography.hazmat.primitives.asymmetric import ec
from forged import P256, forged, listed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from genuine import Genuine


def make(genuine: Genuine) -> Iterator[bytes]:
    key = ec.generate_private_key(ec.SECP256R1())
    yield forged(genuine, listed(genuine, sign=lambda data: key.sign(data, P256)))
    yield forged(genuine, listed(genuine, sign=lambda _: bytes.fromhex("3006020101020101")))
    yield forged(genuine, listed(genuine, sign=lambda _: bytes.fromhex("3006020100020100")))
    yield forged(genuine, listed(genuine, sign=lambda _: b""))
    other = genuine.ours.seal("beichen")
    private: Any = other._key
    yield forged(genuine, listed(genuine, sign=lambda data: private.sign(data, P256)))
