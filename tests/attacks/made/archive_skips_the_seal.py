"""The table of an archive revision skips the sealed one, frees an object, or points elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

from appended import appended

from signer.seal.syntax import Reference

if TYPE_CHECKING:
    from collections.abc import Iterator

    from appended import Draft
    from genuine import Genuine


def make(genuine: Genuine) -> Iterator[bytes]:
    first = int(genuine.pdf.split(b"startxref\n")[1].split(b"\n")[0])

    def skipped(made: Draft) -> None:
        made.trailer["Prev"] = first

    def freed(made: Draft) -> None:
        made.freed = (2,)

    def larger(made: Draft) -> None:
        made.trailer["Size"] = 5000

    def other_root(made: Draft) -> None:
        made.trailer["Root"] = Reference(made.page, 0)

    def other_identifier(made: Draft) -> None:
        made.trailer["ID"] = [b"another", b"one"]

    for change in (skipped, freed, larger, other_root, other_identifier):
        yield appended(genuine, change)
