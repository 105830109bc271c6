"""
One ZIP of a batch: every sealed file of it, and two manifests that say what became of each item.

It is written while it is read, also while the batch is being sealed: it holds what is sealed when it comes to it, and
its manifests, which come last, say so. Of the files one is held at a time; of the manifests what it takes to write
them, compressed: some 80 bytes an item (ADR 0052).
"""

from __future__ import annotations

import csv
import io
import json
import zlib
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Final

from signer.domain.values import format_instant
from signer.errors import NotFound, StorageUnavailable
from signer.services.zipping import Zip
from signer.sheets.csv_text import guarded

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Iterator
    from datetime import datetime

SCHEMA: Final = "signer.batch-archive/1"
CSV, JSON = "manifest.csv", "manifest.json"
_MISSING: Final = "storage-unavailable: the sealed file could not be read"
_CHUNK: Final = 65_536


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One item: its place, the rows of the file that it came of, its VINs, how it stands, its sealed file if any."""

    place: int
    rows: str
    vins: tuple[str, ...]
    state: str
    number: str = ""
    file_digest: bytes = b""
    error: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """What the manifests say of the batch: how it stood when the last file was written. `root` in hex."""

    ref: str
    title: str
    state: str
    is_finished: bool
    root: str
    made_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class _Line:
    """One item of the manifests; `file` is its name in this ZIP, empty if it is not in it."""

    place: int
    rows: str
    vins: tuple[str, ...]
    state: str
    number: str
    file: str
    sha256: str
    size: int
    error: str


class _Kept:
    """Lines that are kept until every file is written, compressed."""

    def __init__(self) -> None:
        self._packer = zlib.compressobj(6)
        self._parts: list[bytes] = []
        self.count = self.files = self.vehicles = 0

    def add(self, line: _Line) -> None:
        """Keep one more."""
        self.count += 1
        self.files += bool(line.file)
        self.vehicles += len(line.vins)
        text = json.dumps(asdict(line), ensure_ascii=False, separators=(",", ":"))
        if part := self._packer.compress(f"{text}\n".encode()):
            self._parts.append(part)

    def close(self) -> None:
        """Keep no more."""
        self._parts.append(self._packer.flush())

    def texts(self) -> Iterator[str]:
        """Return each line's JSON, in order; can be asked more than once."""
        unpacker, rest = zlib.decompressobj(), b""
        for part in self._parts:
            left = part
            while left:
                *whole, rest = (rest + unpacker.decompress(left, _CHUNK)).split(b"\n")
                yield from (line.decode() for line in whole)
                left = unpacker.unconsumed_tail
        yield from (line.decode() for line in (rest + unpacker.flush()).split(b"\n")[:-1])


def written(
    entries: Iterable[Entry], *, reads: Callable[[bytes], bytes], about: Callable[[], About]
) -> Generator[bytes]:
    """
    Write the ZIP of a batch: `reads` returns the bytes of a digest, `about` is asked once the last file is written.

    A file that is missing or damaged is left out, and the manifests name it; anything else that fails ends the ZIP
    where it is, without the directory that would make it whole.
    """
    made, kept = Zip(), _Kept()
    for entry in entries:
        data = _file(entry, reads)
        if data is not None:
            yield from made.file(_name(entry), data)
        kept.add(_line(entry, data))
    kept.close()
    batch = about()
    for name, told in ((CSV, _as_csv), (JSON, _as_json)):
        size, checksum = _measured(told(batch, kept))
        yield from made.poured(name, _chunks(told(batch, kept)), size=size, checksum=checksum)
    yield made.end()


def _name(entry: Entry) -> str:
    return f"{entry.number}.pdf"


def _file(entry: Entry, reads: Callable[[bytes], bytes]) -> bytes | None:
    try:
        return reads(entry.file_digest) if entry.file_digest else None
    except (NotFound, StorageUnavailable):
        return None


def _line(entry: Entry, data: bytes | None) -> _Line:
    error = _MISSING if entry.file_digest and data is None else entry.error
    return _Line(
        place=entry.place,
        rows=entry.rows,
        vins=entry.vins,
        state=entry.state,
        number=entry.number,
        file="" if data is None else _name(entry),
        sha256=entry.file_digest.hex(),
        size=0 if data is None else len(data),
        error=error,
    )


def _as_json(batch: About, kept: _Kept) -> Iterator[str]:
    head = {
        "schema": SCHEMA,
        "batch": batch.ref,
        "title": batch.title,
        "state": batch.state,
        "is_finished": batch.is_finished,
        "made_at": format_instant(batch.made_at),
        "root": batch.root,
        "items": kept.count,
        "vehicles": kept.vehicles,
        "files": kept.files,
    }
    yield json.dumps(head, ensure_ascii=False, separators=(",", ":"))[:-1] + ',"list":['
    for turn, text in enumerate(kept.texts()):
        yield (",\n" if turn else "\n") + text
    yield "\n]}\n"


def _as_csv(batch: About, kept: _Kept) -> Iterator[str]:
    """Return the rows of a table; each says how the batch stood too, so that no part of it is taken for a whole one."""
    names = (*_Line.__dataclass_fields__, "batch", "batch_state", "batch_is_finished")
    told = (batch.ref, batch.state, "yes" if batch.is_finished else "no")
    yield "\ufeff" + _row(names)
    for text in kept.texts():
        yield _row((*map(_cell, json.loads(text).values()), *told))


def _cell(value: object) -> str:
    return " ".join(map(str, value)) if isinstance(value, list) else str(value)


def _row(cells: Iterable[str]) -> str:
    target = io.StringIO(newline="")
    csv.writer(target).writerow([guarded(cell) for cell in cells])
    return target.getvalue()


def _measured(texts: Iterator[str]) -> tuple[int, int]:
    """Return the size and the CRC-32 of what will be written."""
    size = checksum = 0
    for text in texts:
        data = text.encode()
        size, checksum = size + len(data), zlib.crc32(data, checksum)
    return size, checksum


def _chunks(texts: Iterator[str]) -> Iterator[bytes]:
    """Return texts in chunks of some 64 kB."""
    held = bytearray()
    for text in texts:
        held += text.encode()
        if len(held) >= _CHUNK:
            yield bytes(held)
            held.clear()
    yield bytes(held)
