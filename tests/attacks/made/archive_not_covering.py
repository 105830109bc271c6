"""The timestamp of an archive revision leaves something out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from appended import appended

if TYPE_CHECKING:
    from collections.abc import Iterator

    from appended import Draft
    from genuine import Genuine


def make(genuine: Genuine) -> Iterator[bytes]:
    def table(made: Draft) -> None:
        made.covers_until = lambda table_at, _end: table_at

    def last_byte(made: Draft) -> None:
        made.covers_until = lambda _table_at, end: end - 1

    def followed(made: Draft) -> None:
        made.behind = b"\n% more\n%%EOF\n"

    for change in (table, last_byte, followed):
        yield appended(genuine, change)
