"""
A ZIP that is written while it is read: files as they are, one behind the other, and nothing held but its directory.

The size and the checksum of a file stand in front of it: even who cannot go back in a stream can read it. Names are
ours, of plain ASCII. No file says when it was packed.

Source: PKWARE, APPNOTE.TXT 6.3.10, 4.3.7 (a file), 4.3.12 (the directory), 4.3.14 to 4.3.16 and 4.5.3 (ZIP64).
"""

from __future__ import annotations

import struct
import zlib
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

MIME: Final = "application/zip"
_LOCAL: Final = struct.Struct("<4s5H3L2H")
_ENTRY: Final = struct.Struct("<4s6H3L5H2L")
_FAR_END: Final = struct.Struct("<4sQ2H2L4Q")
_FAR_PLACE: Final = struct.Struct("<4sLQL")
_END: Final = struct.Struct("<4s4H2LH")
_PLAIN, _FAR = 20, 45
"""The version of the form that a reader must know: 2.0, or 4.5 beyond 4 GiB."""
_UNIX: Final = 3 << 8
_DAWN: Final = (1 << 5) | 1
"""1980-01-01, the first day that a ZIP can name."""
_MODE: Final = 0o100644 << 16
_MOST: Final = 0xFFFF_FFFF
_MANY: Final = 0xFFFF


class Zip:
    """Writes one ZIP: each call returns the bytes that come next, which must all be taken, in this order."""

    def __init__(self) -> None:
        self._at = 0
        self._files = 0
        self._directory = bytearray()

    def file(self, name: str, data: bytes) -> Iterator[bytes]:
        """Write a file."""
        return self.poured(name, (data,), size=len(data), checksum=zlib.crc32(data))

    def poured(self, name: str, chunks: Iterable[bytes], *, size: int, checksum: int) -> Iterator[bytes]:
        """Write a file whose size (bytes, below 4 GiB) and CRC-32 are known before its bytes are."""
        told, begins = name.encode("ascii"), self._at
        far = begins >= _MOST
        extra = struct.pack("<2HQ", 1, 8, begins) if far else b""
        needs = _FAR if far else _PLAIN
        about = (0, 0, 0, _DAWN, checksum, size, size, len(told))
        self._directory += _ENTRY.pack(
            b"PK\1\2", _UNIX | needs, needs, *about, len(extra), 0, 0, 0, _MODE, _MOST if far else begins
        )
        self._directory += told + extra
        self._files += 1
        head = _LOCAL.pack(b"PK\3\4", needs, *about, 0) + told
        self._at += len(head) + size
        yield head
        yield from chunks

    def end(self) -> bytes:
        """Write the directory: without it, nobody takes a part for the whole."""
        size, begins, files = len(self._directory), self._at, self._files
        found = bytes(self._directory)
        if files >= _MANY or begins >= _MOST or size >= _MOST:
            found += _FAR_END.pack(b"PK\6\6", 44, _UNIX | _FAR, _FAR, 0, 0, files, files, size, begins)
            found += _FAR_PLACE.pack(b"PK\6\7", 0, begins + size, 1)
        count = min(files, _MANY)
        return found + _END.pack(b"PK\5\6", 0, 0, count, count, min(size, _MOST), min(begins, _MOST), 0)
