"""An archive revision brings an object that nothing names, listed or not, or a word in between."""

from __future__ import annotations

from typing import TYPE_CHECKING

from appended import appended

if TYPE_CHECKING:
    from collections.abc import Iterator

    from appended import Draft
    from genuine import Genuine


def make(genuine: Genuine) -> Iterator[bytes]:
    def orphan(made: Draft) -> None:
        made.objects[made.free] = {"Anything": True}

    def unlisted(made: Draft) -> None:
        number = made.free
        made.objects[number] = {"Anything": True}
        made.unlisted = (number,)

    def between(made: Draft) -> None:
        made.among = b"% a remark\n"

    for change in (orphan, unlisted, between):
        yield appended(genuine, change)
