"""A revision like an archive revision, but what it holds is somebody's signature."""

from __future__ import annotations

from typing import TYPE_CHECKING

from appended import appended

if TYPE_CHECKING:
    from collections.abc import Iterator

    from genuine import Genuine


def make(genuine: Genuine) -> Iterator[bytes]:
    pdf = appended(genuine, lambda _: None)
    yield pdf.replace(b"/Type /DocTimeStamp", b"/Type /Sig         ").replace(b"ETSI.RFC3161", b"adbe.pkcs7.s")
