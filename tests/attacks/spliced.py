"""Revisions written by hand: what every library refuses to write, and where things stand in a sealed file."""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pyhanko.pdf_utils.generic import DictionaryObject as Dictionary

from signer.seal import pdf as pdfs

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

PAINT = b"q 1 1 1 rg 40 400 500 30 re f Q"


@dataclass(frozen=True)
class Places:
    """The numbers of the objects that attackers want, and where the last table stands."""

    root: int
    page: int
    contents: int
    fonts: tuple[int, ...]
    field: int
    signature: int
    info: int
    size: int
    table_at: int
    identifier: bytes


def places(file: bytes) -> Places:
    reader = pdfs.open_strictly(file)
    page, _ = reader.find_page_for_modification(0)
    field = reader.root["/AcroForm"]["/Fields"].raw_get(0)
    fonts = pdfs.entry(pdfs.entry(page.get_object(), "/Resources", Dictionary), "/Font", Dictionary)
    return Places(
        root=reader.trailer.raw_get("/Root").idnum,
        page=page.idnum,
        contents=getattr(page.get_object().get("/Contents"), "idnum", 0),
        fonts=tuple(fonts.raw_get(name).idnum for name in fonts),
        field=field.idnum,
        signature=field.get_object().raw_get("/V").idnum,
        info=reader.trailer.raw_get("/Info").idnum if "/Info" in reader.trailer else 0,
        size=int(reader.trailer["/Size"]),
        table_at=int(reader.last_startxref or 0),
        identifier=b" ".join(re.findall(rb"/ID ?\[ ?<[^]]*\]", file)[-1:]),
    )


def body(file: bytes, number: int) -> bytes:
    """Return what the newest object of a number is, between its first and its last word."""
    *_, found = re.finditer(rb"[\r\n]%d 0 obj\s(.*?)\s*endobj" % number, file, re.DOTALL)
    return found[1]


def stream(data: bytes, about: bytes = b"") -> bytes:
    return b"<< /Length %d %b >>\nstream\n%b\nendstream" % (len(data), about, data)


def painted(file: bytes, at: Places, number: int) -> dict[int, bytes]:
    """Return the page with one more content stream, which paints over a row, and that stream."""
    page = body(file, at.page)
    changed = page.replace(b"/Contents %d 0 R" % at.contents, b"/Contents [ %d 0 R %d 0 R ]" % (at.contents, number))
    assert changed != page
    return {at.page: changed, number: stream(PAINT)}


def annotated(file: bytes, at: Places, number: int) -> bytes:
    """Return the page with one more annotation."""
    page = body(file, at.page)
    if b"/Annots" in page:
        return re.sub(rb"/Annots \[([^]]*)\]", b"/Annots [\\1 %d 0 R]" % number, page)
    return re.sub(rb"\s*>>\Z", lambda _: b" /Annots [ %d 0 R ] >>" % number, page)


def formed(file: bytes, at: Places, number: int) -> bytes:
    """Return the catalogue with one more field."""
    root = body(file, at.root)
    changed = re.sub(rb"/Fields \[([^]]*)\]", b"/Fields [\\1 %d 0 R ]" % number, root)
    assert changed != root
    return changed


def written(objects: Mapping[int, bytes], *, at: int) -> tuple[bytes, dict[int, int]]:
    """Return objects one behind the other, and where each begins in a file in which the first is `at`."""
    out, found = bytearray(), {}
    for number, value in objects.items():
        found[number] = at + len(out)
        out += b"%d 0 obj\n%b\nendobj\n" % (number, value)
    return bytes(out), found


def table(found: Mapping[int, int]) -> bytes:
    rows = (b"%d 1\n%010d 00000 n \n" % (number, place) for number, place in sorted(found.items()))
    return b"xref\n" + b"".join(rows)


def trailer(at: Places, found: Iterable[int], *, prev: int | None = None, more: bytes = b"") -> bytes:
    info = b"/Info %d 0 R" % at.info if at.info else b""
    size = max(max(found, default=0) + 1, at.size)
    before = at.table_at if prev is None else prev
    told = b"trailer\n<< /Root %d 0 R %b /Size %d /Prev %d %b %b>>\n"
    return told % (at.root, info, size, before, at.identifier, more)


def updated(file: bytes, objects: Mapping[int, bytes], *, more: bytes = b"") -> bytes:
    """Append a revision as the standard has it."""
    at = places(file)
    what, found = written(objects, at=len(file))
    table_at = len(file) + len(what)
    told = b"startxref\n%d\n%%%%EOF\n" % table_at
    return file + what + table(found) + trailer(at, found, more=more) + told


def streamed(file: bytes, objects: Mapping[int, bytes], *, packed: bool = False) -> bytes:
    """Append a revision whose table is a stream; packed, with all that is no stream in a stream of objects."""
    at = places(file)
    held, spare = {}, max(*objects, at.size) + 1
    if packed:
        held = {number: value for number, value in objects.items() if b"endstream" not in value}
        objects = {number: value for number, value in objects.items() if number not in held}
        objects = {**objects, spare: _packed(held)}
    what, found = written(objects, at=len(file))
    table_at = len(file) + len(what)
    rows = {number: struct.pack(">BIH", 1, place, 0) for number, place in found.items()}
    rows |= {number: struct.pack(">BIH", 2, spare, place) for place, number in enumerate(held)}
    rows[spare + 1] = struct.pack(">BIH", 1, table_at, 0)
    index = b" ".join(b"%d 1" % number for number in sorted(rows))
    told = b"/Type /XRef /W [1 4 2] /Index [ %b ] /Size %d /Root %d 0 R /Prev %d %b"
    about = told % (index, spare + 2, at.root, at.table_at, at.identifier)
    end = b"startxref\n%d\n%%%%EOF\n" % table_at
    listed = stream(b"".join(rows[number] for number in sorted(rows)), about)
    return file + what + b"%d 0 obj\n%b\nendobj\n" % (spare + 1, listed) + end


def _packed(objects: Mapping[int, bytes]) -> bytes:
    """Return a stream of objects. Source: ISO 32000-2, 7.5.7."""
    heads, inside = [], b""
    for number, value in objects.items():
        heads.append(b"%d %d" % (number, len(inside)))
        inside += value + b"\n"
    head = b" ".join(heads) + b"\n"
    return stream(head + inside, b"/Type /ObjStm /N %d /First %d" % (len(objects), len(head)))


def catalogue(file: bytes, at: Places, changes: Mapping[bytes, bytes]) -> bytes:
    """Return the catalogue with entries added, or put in the place of those of the same name that are references."""
    told = body(file, at.root)
    for key, value in changes.items():
        told = re.sub(rb"/%b \d+ 0 R" % key, b"", told)
        told = re.sub(rb"\s*>>\Z", lambda _, key=key, value=value: b"\n/%b %b\n>>" % (key, value), told)
    return told
