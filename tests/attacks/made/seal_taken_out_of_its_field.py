"""An appended revision empties the field: what is left for every reader is a page without a seal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spliced import body, places, updated

if TYPE_CHECKING:
    from collections.abc import Iterator

    from genuine import Genuine


def make(genuine: Genuine) -> Iterator[bytes]:
    at = places(genuine.pdf)
    field, named = body(genuine.pdf, at.field), b"/V %d 0 R" % at.signature
    yield updated(genuine.pdf, {at.field: field.replace(named, b"/V null")})
    yield updated(genuine.pdf, {at.field: field.replace(named, b"")})
    yield updated(genuine.pdf, {at.signature: b"null"})
