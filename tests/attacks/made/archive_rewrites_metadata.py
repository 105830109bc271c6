"""An archive revision rewrites the title, or the metadata, or puts others in their place."""

from __future__ import annotations

from typing import TYPE_CHECKING

from appended import appended

from signer.seal.syntax import Name, Reference

if TYPE_CHECKING:
    from collections.abc import Iterator

    from appended import Draft
    from genuine import Genuine


def make(genuine: Genuine) -> Iterator[bytes]:
    def info(made: Draft) -> None:
        reference = made.state.trailer["Info"]
        assert isinstance(reference, Reference)
        made.objects[reference.number] = {"Title": b"another"}

    def other_info(made: Draft) -> None:
        made.trailer["Info"] = Reference(made.page, 0)

    def metadata(made: Draft) -> None:
        reference = made.root["Metadata"]
        assert isinstance(reference, Reference)
        made.streams[reference.number] = ({"Length": 1, "Type": Name("Metadata"), "Subtype": Name("XML")}, b"<")

    for change in (info, other_info, metadata):
        yield appended(genuine, change)
