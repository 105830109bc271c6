"""The listed key seals a DSS that brings a certificate of nobody on the list."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from genuine import Genuine


def make(genuine: Genuine) -> Iterator[bytes]:
    foreign = genuine.strangers.issuing.certificate.der
    evidence = replace(genuine.evidence(), certificates=(foreign,))
    yield genuine.resealed(genuine.ours.seal("yunzhou"), evidence=evidence)
