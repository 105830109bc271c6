"""The last page is taken out, or the first one doubled."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from genuine import Genuine


def make(genuine: Genuine) -> Iterator[bytes]:
    yield genuine.saved(lambda pdf: pdf.pages.append(pdf.pages[0]))
    yield genuine.saved(lambda pdf: pdf.pages.__delitem__(slice(len(pdf.pages) - 1, None)))
