"""The timestamp, which the seal itself does not cover, is taken out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from signer.seal import cms, der

if TYPE_CHECKING:
    from collections.abc import Iterator

    from genuine import Genuine


def make(genuine: Genuine) -> Iterator[bytes]:
    start, end = genuine.gap
    whole = der.read(bytes.fromhex(genuine.pdf[start:end].decode())).whole
    signed = cms.read(whole, content_type=cms.DATA)
    attributes = der.children(cms_signer(whole)[3].body)
    key = genuine.ours.seal("yunzhou")
    bare = cms.assemble(key, attributes=b"".join(one.whole for one in attributes), signature=signed.signature)
    digits = bare.hex().upper().encode()
    yield genuine.pdf[:start] + digits.ljust(end - start, b"0") + genuine.pdf[end:]


def cms_signer(whole: bytes) -> tuple[der.Node, ...]:
    """Return the fields of the one SignerInfo."""
    _, explicit = der.children(der.only(whole, der.SEQUENCE).body)
    infos = der.children(der.only(explicit.body, der.SEQUENCE).body)[-1]
    return der.children(der.only(infos.body, der.SEQUENCE).body)
