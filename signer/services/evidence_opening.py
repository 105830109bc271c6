"""Take an evidence bundle apart that somebody brings: bounded, and only in the one form in which we pack them."""

from __future__ import annotations

import re
import struct
import zipfile
from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING, Final

from signer.domain.number import Number
from signer.errors import BundleRefused
from signer.seal import precheck
from signer.services.evidence import pack
from signer.services.evidence_parts import LIST, PARTS

if TYPE_CHECKING:
    from collections.abc import Mapping

SIGNATURE: Final = b"PK\x03\x04"
"""How each ZIP begins that is not empty; no PDF does."""
MOST_BYTES: Final = precheck.MOST_BYTES + 12_000_000
_MOST_FILES: Final = 20
_MOST_DIRECTORY: Final = _MOST_FILES * 100
"""Bytes: a line of the directory has 46 and a name."""
_END, _END_64, _END_BYTES, _END_64_BYTES = b"PK\x05\x06", b"PK\x06\x07", 22, 20
"""How the end of the directory begins, and what stands before it in a ZIP64. Source: APPNOTE 6.3.10, 4.3.15-16."""
_README: Final = re.compile(r"README\.[a-z]{2}\.txt")
_PDF: Final = re.compile(r"[0-9A-Z]{5}-[0-9A-Z]{5}-[0-9A-Z]{4}\.pdf")
_BROKEN: Final = (
    zipfile.BadZipFile,
    NotImplementedError,
    RuntimeError,
    ValueError,
    EOFError,
    OSError,
    struct.error,
)
"""What Python's reader raises for a directory that lies; a file that is stored takes no decompression."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """A bundle of the right form, of which nothing is believed yet."""

    number: Number
    pdf: bytes
    parts: Mapping[str, bytes]

    @property
    def trust_list(self) -> bytes:
        """The trust list in it."""
        return self.parts[LIST]


def unpack(data: bytes) -> Opened:
    """
    Return what a bundle holds.

    Packed again it must be the same bytes: so there is no second file behind a name, nothing before, between or after
    the files, no compression, no comment, and nothing to be overwritten by a name. Raises BundleRefused.
    """
    if len(data) > MOST_BYTES:
        raise BundleRefused(f"{len(data)} bytes; an evidence bundle has at most {MOST_BYTES}")
    _refuse_long_directory(data)
    try:
        with zipfile.ZipFile(BytesIO(data)) as archive:
            files = _read(archive)
    except _BROKEN as error:
        raise BundleRefused(f"it is no ZIP that can be read: {type(error).__name__}") from error
    if pack(files) != data:
        raise BundleRefused("it is not packed as evidence bundles are: unpack it, and verify its PDF by itself")
    return _opened(files)


def _refuse_long_directory(data: bytes) -> None:
    """Refuse what Python's reader would make an object of for each of a million lines, before anybody counts them."""
    end, before = data[-_END_BYTES:], data[-_END_BYTES - _END_64_BYTES : -_END_BYTES]
    if not end.startswith(_END) or before.startswith(_END_64):
        raise BundleRefused("it does not end as a ZIP of ours does")
    if int.from_bytes(end[12:16], "little") > _MOST_DIRECTORY:
        raise BundleRefused(
            f"its directory is too long for the {_MOST_FILES} files that an evidence bundle has at most"
        )


def _read(archive: zipfile.ZipFile) -> dict[str, bytes]:
    found = archive.infolist()
    if len(found) > _MOST_FILES:
        raise BundleRefused(f"{len(found)} files; an evidence bundle has at most {_MOST_FILES}")
    names = [info.filename for info in found]
    if len(set(names)) != len(names):
        raise BundleRefused("a name stands twice in it")
    for info in found:
        if not (info.filename in PARTS.values() or _README.fullmatch(info.filename) or _PDF.fullmatch(info.filename)):
            raise BundleRefused(f"{ascii(info.filename)[:60]} does not belong into an evidence bundle")
        if info.compress_type != zipfile.ZIP_STORED or info.flag_bits & 1 or info.compress_size != info.file_size:
            raise BundleRefused(f"{info.filename} is compressed or encrypted")
    if sum(info.file_size for info in found) > MOST_BYTES:
        raise BundleRefused("its files are longer than the whole")
    return {info.filename: archive.read(info) for info in found}


def _opened(files: dict[str, bytes]) -> Opened:
    pdfs = [name for name in files if _PDF.fullmatch(name)]
    if len(pdfs) != 1 or LIST not in files:
        raise BundleRefused(f"it holds {len(pdfs)} PDFs, and {'a' if LIST in files else 'no'} trust list: one of each")
    try:
        number = Number.parse(pdfs[0].removesuffix(".pdf"))
    except ValueError as error:
        raise BundleRefused(f"its PDF is named by no number: {error}") from error
    if f"{number}.pdf" != pdfs[0]:
        raise BundleRefused("its PDF is not named by its number as it is printed")
    parts = {name: data for name, data in files.items() if name in PARTS.values()}
    return Opened(number=number, pdf=files[pdfs[0]], parts=parts)
