"""An archive revision draws the page anew: its content, or what the content uses."""

from __future__ import annotations

from typing import TYPE_CHECKING

from appended import appended

from signer.seal.syntax import Reference

if TYPE_CHECKING:
    from collections.abc import Iterator

    from appended import Draft
    from genuine import Genuine


def make(genuine: Genuine) -> Iterator[bytes]:
    def content(made: Draft) -> None:
        reference = made.state.pages[made.page]["Contents"]
        assert isinstance(reference, Reference)
        made.streams[reference.number] = ({"Length": 9}, b"0 0 1 rg\n")

    def new_content(made: Draft) -> None:
        number = made.free
        made.streams[number] = ({"Length": 9}, b"0 0 1 rg\n")
        page = made.objects[made.page]
        assert isinstance(page, dict)
        page["Contents"] = Reference(number, 0)

    def resources(made: Draft) -> None:
        reference = made.state.pages[made.page]["Resources"]
        assert isinstance(reference, Reference)
        made.objects[reference.number] = {}

    for change in (content, new_content, resources):
        yield appended(genuine, change)
