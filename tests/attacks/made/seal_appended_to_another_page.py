"""The whole sealing revision is put behind another page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pki import blank_pdf

if TYPE_CHECKING:
    from collections.abc import Iterator

    from genuine import Genuine


def make(genuine: Genuine) -> Iterator[bytes]:
    revision = genuine.pdf[len(genuine.page) :]
    yield blank_pdf() + revision
    yield genuine.other.pdf[: len(genuine.page)] + revision
