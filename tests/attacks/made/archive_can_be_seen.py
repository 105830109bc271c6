"""The field of an archive timestamp has a size, a picture, an action, or flags of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from appended import appended

from signer.seal.syntax import Name, Reference

if TYPE_CHECKING:
    from collections.abc import Iterator

    from appended import Draft
    from genuine import Genuine


def make(genuine: Genuine) -> Iterator[bytes]:
    def shown(made: Draft) -> None:
        made.widget["Rect"] = [100, 100, 400, 300]

    def pictured(made: Draft) -> None:
        number = made.free
        about = {"Length": 9, "Type": Name("XObject"), "Subtype": Name("Form"), "BBox": [0, 0, 9, 9]}
        made.streams[number] = (about, b"0 0 1 rg\n")
        made.widget["AP"] = {"N": Reference(number, 0)}

    def acting(made: Draft) -> None:
        made.widget["AA"] = {"PV": {"S": Name("JavaScript"), "JS": b"app.alert(1)"}}

    def flagged(made: Draft) -> None:
        made.widget["F"] = 132 | 32

    for change in (shown, pictured, acting, flagged):
        yield appended(genuine, change)
