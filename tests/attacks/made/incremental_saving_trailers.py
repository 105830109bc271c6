"""A row is painted over in an appended revision whose trailer or table says a thing twice, too little, or otherwise."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from spliced import body, painted, places, table, trailer, written

if TYPE_CHECKING:
    from collections.abc import Iterator

    from genuine import Genuine


def make(genuine: Genuine) -> Iterator[bytes]:
    file = genuine.pdf
    at = places(file)
    over = painted(file, at, at.size)
    what, found = written(over, at=len(file))
    table_at = len(file) + len(what)
    rows, told, end = table(found), trailer(at, found), b"startxref\n%d\n%%%%EOF\n" % table_at
    root, prev = b"/Root %d 0 R" % at.root, b"/Prev %d" % at.table_at
    first = int(re.findall(rb"startxref\s+(\d+)", file)[0])
    trailers = (
        told.replace(root, root + b" /Root %d 0 R" % at.page),
        told.replace(root, b"/Root %d 0 R " % at.page + root),
        told.replace(root, b"/Root %d 1 R" % at.root),
        told.replace(root, b"/Root " + body(file, at.root)),
        told.replace(prev, b""),
        told.replace(prev, b"/Prev 0"),
        told.replace(prev, b"/Prev -1"),
        told.replace(prev, b"/Prev %d" % first),
        told.replace(prev, prev + b" /Prev %d" % first),
        told.replace(prev, b"/Prev %d.0" % at.table_at),
        told.replace(prev, b"/Prev %d 0 R" % at.size),
        told.replace(prev, b"/Prev [%d %d]" % (at.table_at, first)),
        re.sub(rb"/Size \d+", b"/Size 0", told),
        re.sub(rb"/Size \d+", b"/Size 1", told),
        re.sub(rb"/Size \d+", b"", told),
        re.sub(rb"/Size (\d+)", rb"/Size \1 /Size 9", told),
        re.sub(rb"/ID ?\[[^]]*\]", b"", told),
        told.replace(b"trailer", b"trailer % one\n"),
        told.replace(root, b"/Root%%\n%d%%\n0%%\nR" % at.root),
        told.replace(b"trailer", b"trailer << >> trailer"),
    )
    for one in trailers:
        assert one != told
        yield file + what + rows + one + end
    number = b"%d" % table_at
    for ending in (
        b"startxref\n%d\n" % at.table_at + end,
        end + b"startxref\n%d\n%%%%EOF\n" % at.table_at,
        b"startxref %% %d\n%b\n%%%%EOF\n" % (at.table_at, number),
        b"startxref\n%b %d\n%%%%EOF\n" % (number, at.table_at),
        b"startxref\n0x%x\n%%%%EOF\n" % table_at,
        b"startxref\n%%%%EOF\n",
        b"startxref\n%b\n%%%%eof\n" % number,
    ):
        yield file + what + rows + told + ending
    other = re.compile(rb"^%d 0 obj" % at.page)
    renumbered = other.sub(b"%d 1 obj" % at.page, what)
    yield file + renumbered + rows.replace(b" 00000 n", b" 00001 n", 1) + told + end
    noted = other.sub(b"%d%% one\n0%% two\nobj%% three\n" % at.page, what)
    longer = table({**found, at.size: found[at.size] + len(noted) - len(what)})
    moved = b"startxref\n%d\n%%%%EOF\n" % (table_at + len(noted) - len(what))
    yield file + noted + longer + told + moved
    yield file + what + rows.replace(b"xref\n", b"xref % one\n") + told + end
    freed = b"%d 1\n0000000000 65535 f \n%d 1\n" % (at.page, at.page)
    yield file + what + rows.replace(b"%d 1\n" % at.page, freed) + told + end
