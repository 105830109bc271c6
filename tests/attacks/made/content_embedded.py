"""The value carries a content of its own, so that some readers verify that instead of the file."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from forged import forged, listed, value, with_value

from signer.seal import cms, der

if TYPE_CHECKING:
    from collections.abc import Iterator

    from genuine import Genuine


def make(genuine: Genuine) -> Iterator[bytes]:
    digest = hashlib.sha256(b"another").digest()
    for content in (b"", b"another", digest, genuine.pdf[:4000]):
        yield forged(genuine, listed(genuine, content=content))
    yield with_value(genuine, listed(genuine, content=b"another").over(b"another"))
    yield with_value(genuine, listed(genuine).over(b"another"))
    yield with_value(genuine, listed(genuine).over(b""))
    yield with_value(genuine, _attributes_as_content(genuine))


def _attributes_as_content(genuine: Genuine) -> bytes:
    """Return a value without attributes, whose content is what they were: its signature is the genuine one."""
    held = cms.read(value(genuine), content_type=cms.DATA)
    key = genuine.ours.seal("yunzhou").certificate
    signed = der.set_of(der.SET, *(cms._attribute(kind, told) for kind, told in held.signed.items()))
    info = der.encode(
        der.SEQUENCE,
        b"\x02\x01\x01",
        der.encode(der.SEQUENCE, key.issuer, key.serial),
        held.digest_algorithm,
        held.signature_algorithm,
        der.encode(der.OCTET_STRING, held.signature),
    )
    body = der.encode(
        der.SEQUENCE,
        b"\x02\x01\x01",
        der.encode(der.SET, held.digest_algorithm),
        der.encode(der.SEQUENCE, cms.DATA, der.encode(der.CONTEXT_0, der.encode(der.OCTET_STRING, signed))),
        der.set_of(der.CONTEXT_0, *held.certificates),
        der.encode(der.SET, info),
    )
    return der.encode(der.SEQUENCE, cms.SIGNED_DATA, der.encode(der.CONTEXT_0, body))
