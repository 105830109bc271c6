"""The trailer speaks of more objects than a reader should make room for."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from genuine import Genuine


def make(genuine: Genuine) -> Iterator[bytes]:
    for size in (b"100001", b"9" * 19, b"9" * 70):
        yield re.sub(rb"/Size [0-9]+", b"/Size " + size, genuine.pdf)
