"""The second part of what is signed is moved, and objects, a table or a second range stand where it was."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spliced import painted, places, table, trailer, written

if TYPE_CHECKING:
    from collections.abc import Iterator

    from genuine import Genuine


def make(genuine: Genuine) -> Iterator[bytes]:
    file = genuine.pdf
    at, (start, end) = places(file), genuine.gap
    first, second = file[:start], file[end + 1 :]
    digits = file[start:end].rstrip(b"0")
    digits += b"0" * (len(digits) % 2)
    evil = painted(file, at, at.size)

    def moved(head: bytes, tail: bytes, *, table_at: int | None = None) -> bytes:
        """Put objects and a table in between; the table stands where the last startxref says."""
        told, filler, length = head, b"", 0
        for _ in range(4):
            inside, found = written(evil, at=len(first) + len(told))
            room = at.table_at - len(first) - len(told) - len(inside)
            filler = b" " * max(room, 0)
            begun = len(first) + len(told) + len(inside) + len(filler)
            length = begun + len(table(found)) + 300
            ranges = b"/ByteRange [0 %d %d %d]" % (len(first) - 1, length, len(second))
            told = head.replace(b"/ByteRange", ranges)
        prev = length + (at.table_at - end - 1) if table_at is None else table_at
        whole = first + told + inside + filler + table(found) + trailer(at, found, prev=prev)
        return whole.ljust(length - len(tail)) + tail + second

    yield moved(digits + b"> /ByteRange /Wrapped (", b")")
    yield moved(digits + b"> /ByteRange /Wrapped (", b")", table_at=at.table_at)
    yield moved(digits + b"> /ByteRange /Type /Sig >> endobj\n", b" 999 0 obj << ")
    yield moved(digits + b"\n% ", b">")
    yield moved(digits + b"> /ByteRange /Contents <", b">")
    inside, found = written(evil, at=start + len(digits) + 1)
    room = end - start - len(digits) - 1
    hidden = first + digits + b">" + inside.ljust(room) + b">" + second
    yield hidden
    late = table(found) + trailer(at, found)
    yield hidden + late + b"startxref\n%d\n%%%%EOF\n" % len(hidden)
    yield (
        file
        + table({at.page: start, at.size: start + 40})
        + trailer(at, found)
        + (b"startxref\n%d\n%%%%EOF\n" % len(file))
    )
    yield first + digits + b"0" * 400 + b">" + second
    yield file[: end + 1] + b" " * 20 + second
