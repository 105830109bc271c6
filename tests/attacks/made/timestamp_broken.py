"""The timestamp is another one: damaged, of another file, a stranger's, by a key listed for other things, or none."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from forged import forged, listed, replaced, value, with_value
from pki import entry_of

from signer.domain.trust import Purpose
from signer.seal import certificates, cms, der, pki
from signer.seal import keys as signer_keys

if TYPE_CHECKING:
    from collections.abc import Iterator

    from genuine import Genuine

    from signer.domain.trust import TrustList
    from signer.seal.keys import SealKey


def make(genuine: Genuine) -> Iterator[bytes]:
    def timestamped(token: bytes) -> bytes:
        return forged(genuine, listed(genuine, unsigned=(cms._attribute(cms.SIGNATURE_TIMESTAMP, token),)))

    def restamped(other: bytes) -> bytes:
        return with_value(genuine, replaced(value(genuine), token, other))

    old = cms.read(value(genuine), content_type=cms.DATA)
    token = old.unsigned[cms.SIGNATURE_TIMESTAMP]
    middle = len(token) // 2
    for place in (20, middle, len(token) - 10):
        broken = token[:place] + bytes((token[place] ^ 1,)) + token[place + 1 :]
        yield restamped(broken)
    yield timestamped(token)
    other = genuine.other.pdf
    start = other.index(b"/Contents <") + len(b"/Contents <")
    whole = der.read(bytes.fromhex(other[start : other.index(b">", start)].decode())).whole
    copied = cms.read(whole, content_type=cms.DATA).unsigned[cms.SIGNATURE_TIMESTAMP]
    yield restamped(copied)
    stamper = genuine.strangers.timestamper(_listing(genuine))
    foreign = stamper.stamp(old.signature, intended_at=genuine.world.at).token
    yield restamped(foreign)
    for key in (genuine.ours.seal("yunzhou"), genuine.ours.issuing):
        yield restamped(_by(key, token))
    for nonsense in (der.encode(der.SEQUENCE), der.encode(der.NULL), value(genuine)[:40]):
        yield timestamped(nonsense)


def _by(key: SealKey, token: bytes) -> bytes:
    """Return what a token says, said by another key."""
    content = cms.read(token, content_type=cms.TST_INFO).content
    assert content is not None
    digest = hashlib.new(key.capabilities.scheme.digest, content).digest()
    attributes, signature = cms.sign(key, content_type=cms.TST_INFO, digest=digest)
    return cms.assemble(key, attributes=attributes, signature=signature, content=content)


def _listing(genuine: Genuine) -> TrustList:
    """Return a list of the stranger's own, on which its authority stands."""
    keys = genuine.strangers
    path = keys.folder / pki.TSA_FILE
    secret = keys.password
    key = signer_keys.load(path, password=secret, at=genuine.world.at, usage_fault=certificates.tsa_usage_fault)
    links = (keys.issuing.certificate, keys.root.certificate)
    entries = (
        entry_of(Purpose.CA, links[1], "stranger"),
        entry_of(Purpose.CA, links[0], "stranger", chain=(links[1].digest,)),
        entry_of(Purpose.TSA, key.certificate, "stranger", chain=tuple(link.digest for link in links)),
    )
    return genuine.trust.model_copy(update={"entries": entries})
