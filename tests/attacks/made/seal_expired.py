"""The certificate of the seal expired: a thief seals afterwards, dated back, with a listed authority's time or none."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from forged import forged, listed

from signer.seal import sign

if TYPE_CHECKING:
    from collections.abc import Iterator

    from genuine import Genuine


def make(genuine: Genuine) -> Iterator[bytes]:
    world, key = genuine.world, genuine.ours.seal("yunzhou")
    before = world.at
    bare = forged(genuine, listed(genuine))
    world.at = key.certificate.not_after + timedelta(days=1)
    world.publish()
    stamper = genuine.ours.timestamper(genuine.trust)
    yield sign.seal(genuine.page, key=key, timestamper=stamper, at=before).pdf
    yield sign.seal(genuine.page, key=key, timestamper=None, at=before).pdf
    yield bare
