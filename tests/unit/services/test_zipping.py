"""A ZIP that is written while it is read: readers of all kinds take it, and none takes a part for the whole."""

from __future__ import annotations

import struct
import zipfile
import zlib
from io import BytesIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from signer.services.zipping import Zip

NAMES = st.dictionaries(st.from_regex(r"[A-Z0-9-]{1,20}\.pdf", fullmatch=True), st.binary(max_size=300), max_size=8)


def whole(files: dict[str, bytes]) -> bytes:
    made = Zip()
    parts = [b"".join(made.file(name, data)) for name, data in files.items()]
    return b"".join((*parts, made.end()))


@settings(max_examples=25)
@given(NAMES)
def test_what_goes_in_comes_out_in_the_same_order(files: dict[str, bytes]) -> None:
    with zipfile.ZipFile(BytesIO(whole(files))) as archive:
        assert archive.testzip() is None
        assert {info.filename: archive.read(info) for info in archive.infolist()} == files
        assert archive.namelist() == list(files)
        assert all(info.compress_type == zipfile.ZIP_STORED for info in archive.infolist())


@settings(max_examples=25)
@given(NAMES)
def test_it_is_the_zip_that_the_standard_library_writes(files: dict[str, bytes]) -> None:
    target = BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as archive:
        for name, data in files.items():
            info = zipfile.ZipInfo(name)
            info.create_system, info.external_attr = 3, 0o100644 << 16
            archive.writestr(info, data)
    assert whole(files) == target.getvalue()


def test_who_reads_forward_alone_knows_each_file_before_its_bytes() -> None:
    files = {"A.pdf": b"one", "B.pdf": b"", "C.pdf": b"PK\3\4 in the middle"}
    stream, seen = BytesIO(whole(files)), {}
    while (head := stream.read(30)).startswith(b"PK\3\4"):
        flags, checksum, size, length, extra = struct.unpack("<2xH6xL4xL2H", head[4:])
        assert (flags, extra) == (0, 0)
        name = stream.read(length).decode()
        seen[name] = stream.read(size)
        assert zlib.crc32(seen[name]) == checksum
    assert seen == files


def test_a_zip_without_its_end_is_none() -> None:
    data = whole({"A.pdf": b"one", "B.pdf": b"two"})
    for cut in (len(data) - 1, data.index(b"PK\1\2"), 40):
        with pytest.raises(zipfile.BadZipFile):
            zipfile.ZipFile(BytesIO(data[:cut]))


class Far(BytesIO):
    """A file whose first gibibytes are not there: nobody asks for them."""

    def __init__(self, data: bytes, *, begins: int) -> None:
        super().__init__(data)
        self._begins = begins

    def seek(self, place: int, whence: int = 0) -> int:
        return self._begins + super().seek(place - self._begins if whence == 0 else place, whence)

    def tell(self) -> int:
        return self._begins + super().tell()


@pytest.mark.parametrize("begins", [2**32 - 2, 2**32 - 1, 5 * 2**30])
def test_files_beyond_four_gibibytes_are_found(begins: int) -> None:
    made = Zip()
    made._at = begins
    data = b"".join((*made.file("A.pdf", b"one"), *made.file("B.pdf", b"two"), made.end()))
    with zipfile.ZipFile(Far(data, begins=begins)) as archive:
        assert [archive.read(name) for name in archive.namelist()] == [b"one", b"two"]
        assert archive.infolist()[1].header_offset == begins + 30 + 5 + 3


def test_more_files_than_two_bytes_can_count_are_counted() -> None:
    made = Zip()
    data = b"".join((*(b"".join(made.file(f"{turn}.pdf", b"")) for turn in range(65_536)), made.end()))
    with zipfile.ZipFile(BytesIO(data)) as archive:
        assert len(archive.namelist()) == 65_536
