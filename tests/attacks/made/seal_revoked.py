"""The listed seal was revoked: a thief seals afterwards, dated back or not, or takes a genuine timestamp away."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from forged import forged, listed

from signer.domain.trust import SealState
from signer.seal import sign

if TYPE_CHECKING:
    from collections.abc import Iterator

    from genuine import Genuine


def make(genuine: Genuine) -> Iterator[bytes]:
    world, key = genuine.world, genuine.ours.seal("yunzhou")
    revoked_at, before = world.at + timedelta(hours=1), world.at
    bare = forged(genuine, listed(genuine))
    world.at += timedelta(hours=2)
    changes = {"state": SealState.REVOKED, "revoked_at": revoked_at}
    mine = key.certificate.digest
    world.publish(lambda entry: entry.model_copy(update=changes) if entry.certificate_digest == mine else entry)
    yield genuine.resealed(key)
    yield sign.seal(genuine.page, key=key, timestamper=None, at=before).pdf
    yield sign.seal(genuine.page, key=key, timestamper=genuine.ours.timestamper(genuine.trust), at=before).pdf
    yield bare
