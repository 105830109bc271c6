"""One archive revision holds two timestamps."""

from __future__ import annotations

from typing import TYPE_CHECKING

from appended import add_widget, appended

from signer.seal.syntax import Reference

if TYPE_CHECKING:
    from collections.abc import Iterator

    from appended import Draft
    from genuine import Genuine


def make(genuine: Genuine) -> Iterator[bytes]:
    def change(made: Draft) -> None:
        number = made.free
        add_widget(made, made.page, number, "Archive-2")
        form = made.root["AcroForm"]
        assert isinstance(form, dict)
        form["Fields"] = [*form["Fields"], Reference(number, 0)]  # type: ignore[misc]

    yield appended(genuine, change)
