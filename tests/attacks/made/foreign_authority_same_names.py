"""A seal of a PKI whose every name is that of ours: with its own authorities, with ours, with our serial number."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from forged import certified

from signer.seal import keys

if TYPE_CHECKING:
    from collections.abc import Iterator

    from genuine import Genuine


def make(genuine: Genuine) -> Iterator[bytes]:
    theirs, ours = genuine.strangers.seal("yunzhou"), genuine.ours
    yield genuine.resealed(theirs)
    links = ours.issuing.certificate, ours.root.certificate
    for chain in ((), links[:1], (*theirs.chain, links[0])):
        yield genuine.resealed(keys.FileKey(theirs._key, theirs.certificate, chain))
    same = certified(genuine, theirs._key.public_key(), by=genuine.strangers.issuing)
    yield genuine.resealed(keys.FileKey(theirs._key, same, theirs.chain))
    evidence = replace(genuine.evidence(), certificates=tuple(link.der for link in theirs.chain))
    yield genuine.resealed(theirs, evidence=evidence)
