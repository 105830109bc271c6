"""The appended revision brings the signature with it: as it is, emptied, of another range, or numbered anew."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from spliced import body, painted, places, updated

if TYPE_CHECKING:
    from collections.abc import Iterator

    from genuine import Genuine


def make(genuine: Genuine) -> Iterator[bytes]:
    file = genuine.pdf
    at = places(file)
    more = painted(file, at, at.size)
    copied, field = body(file, at.signature), body(file, at.field)
    empty = re.sub(rb"/Contents <[0-9A-F]*>", b"/Contents <>", copied)
    nothing = re.sub(rb"/Contents <[0-9A-F]*>", b"/Contents null", copied)
    without = re.sub(rb"/Contents <[0-9A-F]*>", b"", copied)
    wide = re.sub(rb"/ByteRange \[[^]]*\]", b"/ByteRange [0 %d 0 0]" % len(file), copied)
    twice = copied.replace(b"/Type /Sig\n", b"/Type /Sig\n/Contents <00>\n")
    for value in (copied, empty, nothing, without, wide, twice):
        yield updated(file, {**more, at.signature: value})
        elsewhere = field.replace(b"/V %d 0 R" % at.signature, b"/V %d 0 R" % (at.size + 1))
        yield updated(file, {**more, at.size + 1: value, at.field: elsewhere})
    direct = field.replace(b"/V %d 0 R" % at.signature, b"/V " + copied)
    yield updated(file, {**more, at.field: direct})
    yield updated(file, {**more, at.root: body(file, at.root).replace(b"/DocMDP", b"/UR3")})
