"""Strings, names, comments, white space and arrays of megabytes, which a reader takes byte by byte."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spliced import body, catalogue, places, updated

if TYPE_CHECKING:
    from collections.abc import Iterator

    from genuine import Genuine

MUCH = 200_000
ENDLESS = 15_000_000


def make(genuine: Genuine) -> Iterator[bytes]:
    file = genuine.pdf
    at = places(file)
    root = body(file, at.root)[:-2]
    long = (
        b"(" + b"a" * MUCH + b")",
        b"(" + b"\\(" * (MUCH // 2) + b")",
        b"<" + b"6" * MUCH + b">",
        b"/" + b"a" * MUCH,
        b" " * MUCH + b"null",
        b"%\n" * (MUCH // 2) + b"null",
        b"[" + b"[]" * (MUCH // 4) + b"]",
        b"<< " + b"/A 0 " * (MUCH // 5) + b">>",
        b"(" * MUCH,
        b"<" * MUCH,
    )
    for value in long:
        yield updated(file, {at.root: root + b"/X " + value + b" >>"})
    yield file + b" " * MUCH + b"\n%%EOF\n"
    yield file[: at.table_at] + b" " * MUCH + file[at.table_at :]
    lying = b"<< /Length 999999999 >>\nstream\n" + b"a" * MUCH + b"\nendstream"
    yield updated(file, {at.root: catalogue(file, at, {b"Metadata": b"%d 0 R" % at.size}), at.size: lying})
    yield updated(file, {at.root: root + b"/X [" + b"0 " * (ENDLESS // 2) + b"] >>"})
