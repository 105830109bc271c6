"""A second revision brings a DSS of its own, harmless by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from signer.seal import dss

if TYPE_CHECKING:
    from collections.abc import Iterator

    from genuine import Genuine
    from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter


def make(genuine: Genuine) -> Iterator[bytes]:
    def change(writer: IncrementalPdfFileWriter) -> None:
        dss.write(writer, genuine.evidence())

    yield genuine.updated(change)
