"""50,000 fields: signatures without a value, texts, one below the other, in an appended revision or by themselves."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from spliced import body, places, updated

if TYPE_CHECKING:
    from collections.abc import Iterator

    from genuine import Genuine
    from spliced import Places


def make(genuine: Genuine) -> Iterator[bytes]:
    file = genuine.pdf
    at = places(file)
    plain = b"<< /FT /%b /T (%d) >>"
    for kind in (b"Sig", b"Tx"):
        direct = b"<< /Fields [ %d 0 R %b ] >>" % (
            at.field,
            b" ".join(plain % (kind, number) for number in range(50_000)),
        )
        yield updated(file, {at.root: _with_form(file, at, direct)})
    numbers = range(at.size, at.size + 50_000)
    named = b" ".join(b"%d 0 R" % number for number in numbers)
    objects = {number: plain % (b"Sig", number) for number in numbers}
    yield updated(file, {at.root: _with_form(file, at, b"<< /Fields [ %d 0 R %b ] >>" % (at.field, named)), **objects})
    deep = b"<< /FT /Sig /T (a) /Kids [ " * 400 + b" ] >>" * 400
    yield updated(file, {at.root: _with_form(file, at, b"<< /Fields [ %d 0 R %b ] >>" % (at.field, deep))})
    chained = {number: b"<< /T (%d) /Kids [ %d 0 R ] >>" % (number, number + 1) for number in numbers[:400]}
    yield updated(file, {at.root: _with_form(file, at, b"<< /Fields [ %d 0 R ] >>" % at.size), **chained})
    signed = b" ".join(b"<< /FT /Sig /T (%d) /V << /Type /Sig >> >>" % number for number in range(20_000))
    yield updated(file, {at.root: _with_form(file, at, b"<< /Fields [ %b ] >>" % signed)})


def _with_form(file: bytes, at: Places, form: bytes) -> bytes:
    root = body(file, at.root)
    found = re.search(rb"/AcroForm <<.*?>>", root, re.DOTALL)
    assert found is not None
    return root.replace(found.group(), b"/AcroForm " + form)
