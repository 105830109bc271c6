"""More than one timestamp stands among the attributes that nobody signed, though each of them is harmless."""

from __future__ import annotations

from typing import TYPE_CHECKING

from forged import forged, listed, value

from signer.seal import cms, der

if TYPE_CHECKING:
    from collections.abc import Iterator

    from genuine import Genuine


KINDS = (
    "1.2.840.113549.1.9.6",
    "1.2.840.113549.1.9.5",
    "0.4.0.1733.2.4",
    "1.2.840.113549.1.9.16.2.24",
    "1.2.840.113549.1.9.16.2.27",
    "2.5.4.3",
)


def make(genuine: Genuine) -> Iterator[bytes]:
    token = cms.read(value(genuine), content_type=cms.DATA).unsigned[cms.SIGNATURE_TIMESTAMP]
    stamped = cms._attribute(cms.SIGNATURE_TIMESTAMP, token)
    for kind in KINDS:
        more = cms._attribute(cms._oid(kind), der.encode(der.OCTET_STRING, b"x"))
        yield forged(genuine, listed(genuine, unsigned=(more,)))
        yield forged(genuine, listed(genuine, unsigned=(stamped, more)))
    yield forged(genuine, listed(genuine, unsigned=(stamped, stamped)))
    twice = der.encode(der.SEQUENCE, cms.SIGNATURE_TIMESTAMP, der.encode(der.SET, token, token))
    none = der.encode(der.SEQUENCE, cms.SIGNATURE_TIMESTAMP, der.encode(der.SET))
    for attribute in (twice, none):
        yield forged(genuine, listed(genuine, unsigned=(attribute,)))
