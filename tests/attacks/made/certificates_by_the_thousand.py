"""1,500 certificates travel along: in the value, in the DSS that was sealed, in one that follows."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import spliced
from forged import forged, listed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from genuine import Genuine


def make(genuine: Genuine) -> Iterator[bytes]:
    own = genuine.ours.issuing.certificate
    places = own.der.index(own.serial) + 4
    many = tuple(
        own.der[:places] + number.to_bytes(3, "big") + own.der[places + 3 :]
        for number in range(0x400000, 0x400000 + 1500)
    )
    for count in (9, 80, 1500):
        carried = (*listed(genuine).carried, *many[:count])
        yield forged(genuine, listed(genuine, carried=carried))
    evidence = replace(genuine.evidence(), certificates=many)
    yield genuine.resealed(genuine.ours.seal("yunzhou"), evidence=evidence)
    at = spliced.places(genuine.pdf)
    streams = {at.size + 1 + place: spliced.stream(one) for place, one in enumerate(many)}
    named = b" ".join(b"%d 0 R" % number for number in streams)
    store = b"<< /Type /DSS /Certs [ %b ] >>" % named
    root = spliced.catalogue(genuine.pdf, at, {b"DSS": b"%d 0 R" % at.size})
    yield spliced.updated(genuine.pdf, {at.root: root, at.size: store, **streams})
