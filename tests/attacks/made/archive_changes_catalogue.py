"""An archive revision changes the catalogue: an action, the attachments, the pages, the certification."""

from __future__ import annotations

from typing import TYPE_CHECKING

from appended import appended

from signer.seal.syntax import Name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from appended import Draft
    from genuine import Genuine

    from signer.seal.syntax import Value


def make(genuine: Genuine) -> Iterator[bytes]:
    def change(key: str, value: Value) -> Callable[[Draft], None]:
        return lambda made: made.root.update({key: value})

    def without(key: str) -> Callable[[Draft], None]:
        return lambda made: made.root.pop(key) and None

    yield appended(genuine, change("OpenAction", {"S": Name("JavaScript"), "JS": b"app.alert(1)"}))
    yield appended(genuine, change("Names", {}))
    yield appended(genuine, change("AF", []))
    yield appended(genuine, lambda made: made.root.update({"Pages": made.root["StructTreeRoot"]}))
    yield appended(genuine, change("Extensions", {}))
    yield appended(genuine, change("Version", Name("2.0")))
    yield appended(genuine, without("Perms"))
    yield appended(genuine, without("StructTreeRoot"))
