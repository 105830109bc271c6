"""The listed key certified that more may be added (P = 2, 3), or nothing at all, and somebody adds what may be."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from forged import forged, listed
from spliced import annotated, body, formed, places, stream, updated

if TYPE_CHECKING:
    from collections.abc import Iterator

    from genuine import Genuine


def make(genuine: Genuine) -> Iterator[bytes]:
    for permission in (b"2", b"3", b"4", b"0"):
        file = certified(genuine, b"/P 1", b"/P " + permission)
        yield file
        if permission in (b"4", b"0"):
            continue
        at = places(file)
        told = b"<< /Type /Annot /Subtype /%b /Rect [40 300 540 600] /P %d 0 R %b /AP << /N %d 0 R >> >>"
        picture = stream(b"1 g 0 0 500 300 re f", b"/Type /XObject /Subtype /Form /BBox [0 0 500 300]")
        page, root = annotated(file, at, at.size), formed(file, at, at.size)
        note = told % (b"FreeText", at.page, b"/Contents (another vehicle)", at.size + 1)
        field = told % (b"Widget", at.page, b"/FT /Sig /T (Two) /F 4", at.size + 1)
        yield updated(file, {at.page: page, at.size: note, at.size + 1: picture})
        yield updated(file, {at.page: page, at.root: root, at.size: field, at.size + 1: picture})
    yield certified(genuine, b"/TransformMethod /DocMDP", b"/TransformMethod /UR3   ")
    yield certified(genuine, b"/DocMDP", b"/FieldM")
    file = genuine.pdf
    at = places(file)
    yield updated(file, {at.signature: body(file, at.signature).replace(b"/P 1", b"/P 3")})
    yield updated(file, {at.root: body(file, at.root).replace(b"/Perms", b"/Permz")})


def certified(genuine: Genuine, old: bytes, new: bytes) -> bytes:
    """Return the file as the listed key would have sealed it, had it certified otherwise; nothing changes its place."""
    start = genuine.pdf.rindex(b"/Type /Sig\n")
    changed = genuine.pdf[:start] + genuine.pdf[start:].replace(old, new, 1)
    assert changed != genuine.pdf
    assert len(changed) == len(genuine.pdf)
    other = replace(genuine, issued=replace(genuine.issued, pdf=changed))
    return forged(other, listed(other))
