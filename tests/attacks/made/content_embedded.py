"""The value carries a content of its own, so that some readers verify that instead of the file."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from forged import forged, listed, with_value

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
