"""The authority says in the file itself that the seal, or its issuer, is revoked; somebody sealed all the same."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from genuine import Genuine


def make(genuine: Genuine) -> Iterator[bytes]:
    ended = genuine.world.at - timedelta(hours=1)
    for key in (genuine.ours.seal("yunzhou"), genuine.ours.issuing):
        evidence = genuine.evidence(**{key.certificate.digest: ended})
        yield genuine.resealed(genuine.ours.seal("yunzhou"), evidence=evidence)
