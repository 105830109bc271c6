"""Saved with a password."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pikepdf

if TYPE_CHECKING:
    from collections.abc import Iterator

    from genuine import Genuine


def make(genuine: Genuine) -> Iterator[bytes]:
    yield genuine.saved(encryption=pikepdf.Encryption(owner="owner", user=""))
    yield genuine.saved(encryption=pikepdf.Encryption(owner="owner", user="user"))
