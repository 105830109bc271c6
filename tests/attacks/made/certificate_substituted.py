"""The same key under another certificate: what is signed still names the listed one, or the other way round."""

from __future__ import annotations

from typing import TYPE_CHECKING

import forged as forger
from forged import certified, forged, listed, replaced, value, with_value

if TYPE_CHECKING:
    from collections.abc import Iterator

    from genuine import Genuine


def make(genuine: Genuine) -> Iterator[bytes]:
    key = genuine.ours.seal("yunzhou")
    public, authority = key.certificate.parsed.public_key(), genuine.ours.issuing.certificate.der
    twin, spelt = certified(genuine, public), forger.twin(key.certificate)
    renewed = certified(genuine, public, serial_number=4711)
    foreign = certified(genuine, public, by=genuine.strangers.issuing)
    for other in (twin, renewed, foreign, spelt):
        carried = (other.der, authority)
        yield forged(genuine, listed(genuine, certificate=other, carried=carried, named=key.certificate))
        yield forged(genuine, listed(genuine, carried=(key.certificate.der, authority), named=other))
        yield forged(genuine, listed(genuine, carried=(key.certificate.der, other.der)))
    yield with_value(genuine, value(genuine).replace(key.certificate.der, twin.der, 1))
    yield with_value(genuine, value(genuine).replace(key.certificate.der, renewed.der, 1))
    yield with_value(genuine, replaced(value(genuine), key.certificate.der, spelt.der))
    link = genuine.ours.issuing.certificate
    yield with_value(genuine, replaced(value(genuine), link.der, forger.twin(link).der))
