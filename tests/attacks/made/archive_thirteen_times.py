"""Thirteen archive revisions, each of the grammar."""

from __future__ import annotations

from typing import TYPE_CHECKING

from appended import extended

if TYPE_CHECKING:
    from collections.abc import Iterator

    from genuine import Genuine


def make(genuine: Genuine) -> Iterator[bytes]:
    pdf = genuine.pdf
    for number in range(12):
        pdf = extended(genuine, pdf, number, checked=number == 11)
    yield extended(genuine, pdf, 12, checked=False)
