"""A row is painted over in an appended revision that lacks its table, its trailer, its end, or repeats old ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spliced import painted, places, table, trailer, written

if TYPE_CHECKING:
    from collections.abc import Iterator

    from genuine import Genuine


def make(genuine: Genuine) -> Iterator[bytes]:
    file = genuine.pdf
    at = places(file)
    what, found = written(painted(file, at, at.size), at=len(file))
    rows, ending = table(found), trailer(at, found)
    new, old = b"startxref\n%d\n" % (len(file) + len(what)), b"startxref\n%d\n" % at.table_at
    eof = b"%%EOF\n"
    sealed_table = file[at.table_at : file.rindex(b"startxref")]
    yield file + what + rows + ending + new + eof
    yield file + what + eof
    yield file + what + rows + new + eof
    yield file + what + ending + new + eof
    yield file + what + rows + ending + old + eof
    yield file + what + sealed_table + new + eof
    yield file + what + sealed_table + old + eof
    yield file + what + rows + ending + new
    yield file + what + rows + ending + new.rstrip() + b" " + eof
    yield file + what + rows.replace(b"\n", b"\r\n", 1) + ending + new + eof
    yield file + b"%" + what + rows + ending + new + eof
    yield file[: -len(eof)] + what + rows + ending + new + eof
    yield file + eof
    yield file + b"% one line more\n" + old + eof
    yield file + rows + ending + b"startxref\n%d\n" % len(file) + eof
