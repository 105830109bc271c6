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

    def moved(head: bytes, tail: bytes, *, prev: int | None = None) -> bytes:
        """Put a table where the last startxref says, objects behind it, and only then what was signed second."""
        length = at.table_at + 2000
        told = head.replace(b"/ByteRange", b"/ByteRange [0 %d %d %d]" % (len(first) - 1, length, len(second)))
        begun = (first + told).ljust(at.table_at)
        assert len(begun) == at.table_at
        before = length + at.table_at - end - 1 if prev is None else prev
        rows = table(dict.fromkeys(evil, 0)) + trailer(at, evil, prev=before)
        inside, found = written(evil, at=len(begun) + len(rows))
        whole = begun + table(found) + trailer(at, evil, prev=before) + inside
        assert len(whole) < length - len(tail)
        return whole.ljust(length - len(tail)) + tail + second

    yield moved(digits + b"> /ByteRange /Wrapped (", b")")
    yield moved(digits + b"> /ByteRange /Wrapped (", b")", prev=at.table_at)
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
