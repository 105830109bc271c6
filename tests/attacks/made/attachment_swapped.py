"""The attachment is replaced, renamed or joined by another: the file saved anew, or a revision appended."""

from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING

import pikepdf
from spliced import body, places, stream, updated

if TYPE_CHECKING:
    from collections.abc import Iterator

    from genuine import Genuine


def make(genuine: Genuine) -> Iterator[bytes]:
    def swap(pdf: pikepdf.Pdf) -> None:
        old = pdf.attachments["confirmation.json"].get_file().read_bytes()
        pdf.attachments["confirmation.json"] = pikepdf.AttachedFileSpec(pdf, old.replace(b"KZ", b"RU"))

    def join(pdf: pikepdf.Pdf) -> None:
        pdf.attachments["confirmation2.json"] = pikepdf.AttachedFileSpec(pdf, b"{}")

    yield genuine.saved(swap)
    yield genuine.saved(join)
    file = genuine.pdf
    at = places(file)
    held, specification = (re.search(told, file) for told in (rb"/EF << /F (\d+) 0 R", rb"json\) (\d+) 0 R"))
    assert held is not None
    assert specification is not None
    with pikepdf.open(io.BytesIO(file)) as opened:
        content = opened.attachments["confirmation.json"].get_file().read_bytes()
    other = stream(content.replace(b"KZ", b"RU"), b"/Type /EmbeddedFile")
    number = int(specification[1])
    told = body(file, number)
    yield updated(file, {int(held[1]): other})
    yield updated(file, {number: told.replace(b"/F %b 0 R" % held[1], b"/F %d 0 R" % at.size), at.size: other})
    yield updated(file, {number: re.sub(rb"/U?F \(", lambda one: one.group() + b"an_", told)})
    yield updated(file, {number: b"null"})
    for key in (rb"/Names", rb"/AF"):
        yield updated(file, {at.root: re.sub(key + rb" ", b"/Nothing ", body(file, at.root), count=1)})
