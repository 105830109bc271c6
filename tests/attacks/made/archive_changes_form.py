"""An archive revision drops the seal from the form, adds flags to it, or names its own field like the seal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from appended import appended

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from appended import Draft
    from genuine import Genuine


def make(genuine: Genuine) -> Iterator[bytes]:
    def dropped(made: Draft) -> None:
        form = made.root["AcroForm"]
        assert isinstance(form, dict)
        form["Fields"] = form["Fields"][1:]  # type: ignore[index]

    def appearances(made: Draft) -> None:
        form = made.root["AcroForm"]
        assert isinstance(form, dict)
        form["NeedAppearances"] = True

    def named(name: bytes) -> Callable[[Draft], None]:
        return lambda made: made.widget.update({"T": name})

    for change in (dropped, appearances, named(b"Seal"), named(b"SEAL"), named(b"a.b"), named(b"")):
        yield appended(genuine, change)
