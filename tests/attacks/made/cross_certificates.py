"""Authorities of one name certify one another, so that whoever builds paths among them never ends."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import TYPE_CHECKING

import forged as forger
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from signer.seal.certificates import Certificate

if TYPE_CHECKING:
    from collections.abc import Iterator

    from genuine import Genuine


def make(genuine: Genuine) -> Iterator[bytes]:
    name = genuine.ours.issuing.certificate.parsed.subject
    keys = [ec.generate_private_key(ec.SECP256R1()) for _ in range(7)]
    crossed = [_certified(genuine, name, own, by) for own in keys for by in keys if own is not by]
    leaf = forger.certified(genuine, keys[0].public_key(), by=SimpleNamespace(_key=keys[1], certificate=crossed[0]))
    for count in (6, len(crossed)):
        mine = (leaf.der, *(one.der for one in crossed[:count]))
        value = forger.listed(
            genuine, certificate=leaf, carried=mine, sign=lambda data: keys[0].sign(data, forger.P256)
        )
        yield forger.forged(genuine, value)
        yield forger.forged(genuine, forger.listed(genuine, carried=(*forger.listed(genuine).carried, *mine[1:])))
    held = replace(genuine.evidence(), certificates=tuple(one.der for one in crossed[:12]))
    yield genuine.resealed(genuine.ours.seal("yunzhou"), evidence=held)


def _certified(
    genuine: Genuine, name: x509.Name, own: ec.EllipticCurvePrivateKey, by: ec.EllipticCurvePrivateKey
) -> Certificate:
    old = genuine.ours.issuing.certificate
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(own.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(old.not_before)
        .not_valid_after(old.not_after)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    )
    return Certificate(builder.sign(by, hashes.SHA256()).public_bytes(serialization.Encoding.DER))
