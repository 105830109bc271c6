"""Saved with a password of each kind, or said to be encrypted by an appended revision."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pikepdf
from spliced import updated

if TYPE_CHECKING:
    from collections.abc import Iterator

    from genuine import Genuine


def make(genuine: Genuine) -> Iterator[bytes]:
    yield genuine.saved(encryption=pikepdf.Encryption(owner="owner", user=""))
    yield genuine.saved(encryption=pikepdf.Encryption(owner="owner", user="user"))
    for kind in (2, 3, 4):
        locked = pikepdf.Encryption(owner="a", user="", R=kind, aes=kind > 3, metadata=False)  # type: ignore[arg-type]
        yield genuine.saved(encryption=locked)
    for handler in (b"/Standard /V 4 /R 4", b"/Adobe.PubSec /V 4", b"/Standard /V 4 /StmF /Identity /StrF /Identity"):
        yield updated(genuine.pdf, {}, more=b"/Encrypt << /Filter %b >> " % handler)
    yield updated(genuine.pdf, {}, more=b"/#45ncrypt << /Filter /Standard >> ")
