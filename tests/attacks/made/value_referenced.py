"""Range or value of the signature stand elsewhere: in an object of their own, in a stream of objects, twice."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from spliced import body, painted, places, streamed, updated

if TYPE_CHECKING:
    from collections.abc import Iterator

    from genuine import Genuine


def make(genuine: Genuine) -> Iterator[bytes]:
    file, (start, end) = genuine.pdf, genuine.gap
    at = places(file)
    told = body(file, at.signature)
    value, numbers = file[start - 1 : end + 1], re.search(rb"/ByteRange (\[[^]]*\])", told)
    assert numbers is not None
    apart = {
        at.signature: told.replace(value, b"%d 0 R" % (at.size + 1), 1),
        at.size + 1: value,
    }
    ranged = {
        at.signature: told.replace(numbers[1], b"%d 0 R" % (at.size + 1), 1),
        at.size + 1: numbers[1],
    }
    for objects in (apart, ranged, {at.signature: told}):
        yield updated(file, objects)
        yield streamed(file, objects, packed=True)
        yield streamed(file, {**objects, **painted(file, at, at.size)}, packed=True)
    place = file.index(numbers.group())
    room = len(re.match(rb"/ByteRange \[[^]]*\] *", file[place:]).group())  # type: ignore[union-attr]
    bare = re.sub(rb"\[ +| +\]", lambda found: found.group().strip(), numbers[1])
    for twice in (
        b"/ByteRange[]/ByteRange" + bare,
        b"/ByteRange" + bare + b"/ByteRange[]",
        b"/ByteRange" + bare + b"/Contents<>",
    ):
        yield file[:place] + twice.ljust(room) + file[place + room :]
