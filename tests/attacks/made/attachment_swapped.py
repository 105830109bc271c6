"""The attachment of the sealed file is replaced, or joined by another."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pikepdf

if TYPE_CHECKING:
    from collections.abc import Iterator

    from genuine import Genuine


def make(genuine: Genuine) -> Iterator[bytes]:
    def swap(pdf: pikepdf.Pdf) -> None:
        old = pdf.attachments["confirmation.json"].get_file().read_bytes()
        pdf.attachments["confirmation.json"] = pikepdf.AttachedFileSpec(pdf, old.replace(b"KZ", b"RU"))

    def join(pdf: pikepdf.Pdf) -> None:
        pdf.attachments["confirmation2.json"] = pikepdf.AttachedFileSpec(pdf, b"{}")

    yield genuine.saved(swap)
    yield genuine.saved(join)
