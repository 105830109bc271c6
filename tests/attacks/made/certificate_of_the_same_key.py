"""The listed key seals under a certificate that nobody listed, and says so throughout."""

from __future__ import annotations

from typing import TYPE_CHECKING

from forged import certified, forged, listed, twin

if TYPE_CHECKING:
    from collections.abc import Iterator

    from genuine import Genuine


def make(genuine: Genuine) -> Iterator[bytes]:
    public, authority = genuine.ours.seal("yunzhou").certificate.parsed.public_key(), genuine.ours.issuing
    for other in (
        twin(genuine.ours.seal("yunzhou").certificate),
        certified(genuine, public),
        certified(genuine, public, serial_number=4711),
        certified(genuine, public, by=genuine.strangers.issuing),
    ):
        carried = (other.der, authority.certificate.der)
        yield forged(genuine, listed(genuine, certificate=other, carried=carried))
