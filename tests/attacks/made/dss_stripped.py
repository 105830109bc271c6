"""The revocation data are taken out of the sealed file: dropped by an appended revision, or blotted out."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from spliced import body, places, updated

if TYPE_CHECKING:
    from collections.abc import Iterator

    from genuine import Genuine


def make(genuine: Genuine) -> Iterator[bytes]:
    file = genuine.pdf
    at = places(file)
    root = body(file, at.root)
    named = re.search(rb"/DSS (\d+) 0 R", root)
    assert named is not None
    number = int(named[1])
    yield updated(file, {at.root: root.replace(named.group(), b"")})
    yield updated(file, {number: b"<< /Type /DSS >>"})
    yield updated(file, {number: b"null"})
    yield file.replace(named.group(), b" " * len(named.group()))
    yield file.replace(named.group(), named.group().replace(b"/DSS", b"/DSX"))
