"""Opened and saved, not a letter changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pikepdf

if TYPE_CHECKING:
    from collections.abc import Iterator

    from genuine import Genuine


def make(genuine: Genuine) -> Iterator[bytes]:
    yield genuine.saved()
    yield genuine.saved(object_stream_mode=pikepdf.ObjectStreamMode.generate, compress_streams=True)
