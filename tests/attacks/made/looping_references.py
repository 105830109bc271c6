"""Objects and cross-references that point at themselves."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from genuine import Genuine


def make(genuine: Genuine) -> Iterator[bytes]:
    yield re.sub(rb"/Prev [0-9]+", b"/Prev %d" % (len(genuine.pdf) - 300), genuine.pdf)
    yield re.sub(rb"/Kids ?\[ ?[0-9]+ 0 R", b"/Kids [1 0 R", genuine.pdf)
