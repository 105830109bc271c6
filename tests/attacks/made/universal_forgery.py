"""Range or value of the signature say nothing, something impossible, or something of another kind; all else stays."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from genuine import Genuine


RANGES = (
    b"",
    b"/ByteRange null",
    b"/ByteRange []",
    b"/ByteRange [0 0 0 0]",
    b"/ByteRange [0 -1 -1 -1]",
    b"/ByteRange [-100 %(a)d %(b)d %(c)d]",
    b"/ByteRange [0 %(a)d %(b)d -%(c)d]",
    b"/ByteRange [0 %(b)d %(a)d %(c)d]",
    b"/ByteRange [0 %(size)d 0 0]",
    b"/ByteRange [0 %(size)d %(size)d 0]",
    b"/ByteRange [0 %(a)d %(b)d 9999999999]",
    b"/ByteRange [0 %(a)d %(b)d %(c)d 0]",
    b"/ByteRange [0 %(a)d %(b)d %(c)d 0 0]",
    b"/ByteRange [0 %(a)d %(b)d]",
    b"/ByteRange [0 %(a)d.0 %(b)d.0 %(c)d.0]",
    b"/ByteRange [0 %(a)d %(b)d (%(c)d)]",
    b"/ByteRange [0 %(a)d %(b)d null]",
    b"/ByteRange [[0 %(a)d] [%(b)d %(c)d]]",
    b"/ByteRange [true %(a)d %(b)d %(c)d]",
    b"/ByteRange 1 0 R",
    b"/ByteRange (0 %(a)d %(b)d %(c)d)",
    b"/ByteRange << /A 0 >>",
    b"/ByteRange [0 %(a)d 0 %(size)d]",
    b"/ByteRange [0 99999999999999999999 9 9]",
    b"/ByteRange%%\n[0 %(a)d %(b)d %(c)d]",
    b"/Byte#52ange [0 %(a)d %(b)d %(c)d]",
    b"/ByteRange [0 %(a)d %(b)d 2 0 R]",
)
VALUES = (
    b"",
    b"/Contents <>",
    b"/Contents null",
    b"/Contents <00>",
    b"/Contents <0000000000>",
    b"/Contents ()",
    b"/Contents (\x00)",
    b"/Contents 0",
    b"/Contents true",
    b"/Contents /Name",
    b"/Contents []",
    b"/Contents [<3000>]",
    b"/Contents << >>",
    b"/Contents 1 0 R",
    b"/Contents 999999 0 R",
    b"/Contents <30>",
    b"/Contents <3000>",
    b"/Contents <3080>",
    b"/Contents <308400000000>",
    b"/Contents <30FFFFFFFFFF>",
    b"/Contents <ZZ>",
    b"/C#6fntents <3000>",
)


def make(genuine: Genuine) -> Iterator[bytes]:
    file, (start, end) = genuine.pdf, genuine.gap
    numbers = {b"a": start - 1, b"b": end + 1, b"c": len(file) - end - 1, b"size": len(file)}
    ranged = re.search(rb"/ByteRange \[[^]]*\] *", file)
    assert ranged is not None
    room = len(ranged.group())
    for told in RANGES:
        yield file[: ranged.start()] + (told % numbers).ljust(room) + file[ranged.end() :]
    begun = start - len(b"/Contents <")
    for told in VALUES:
        yield file[:begun] + told.ljust(end + 1 - begun) + file[end + 1 :]
