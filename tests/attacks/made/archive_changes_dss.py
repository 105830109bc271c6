"""The DSS of an archive revision lost something, or holds what is no plain stream."""

from __future__ import annotations

from typing import TYPE_CHECKING

from appended import appended, store

from signer.seal.syntax import Name, Reference

if TYPE_CHECKING:
    from collections.abc import Iterator

    from appended import Draft
    from genuine import Genuine


def make(genuine: Genuine) -> Iterator[bytes]:
    def lost(made: Draft) -> None:
        store(made)["Certs"] = []

    def filtered(made: Draft) -> None:
        store(made)
        ((number, (_, data)),) = made.streams.items()
        made.streams[number] = ({"Length": len(data), "Filter": Name("FlateDecode")}, data)

    def no_stream(made: Draft) -> None:
        store(made)["OCSPs"] = [Reference(made.page, 0)]

    def more(made: Draft) -> None:
        store(made, VRI={})

    for change in (lost, filtered, no_stream, more):
        yield appended(genuine, change)
