"""A DSS of the right form follows the seal, but no timestamp covers it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from appended import appended, store

if TYPE_CHECKING:
    from collections.abc import Iterator

    from appended import Draft
    from genuine import Genuine


def make(genuine: Genuine) -> Iterator[bytes]:
    def change(made: Draft) -> None:
        store(made)
        form = made.root["AcroForm"]
        assert isinstance(form, dict)
        form["Fields"] = form["Fields"][:-1]  # type: ignore[index]
        del made.objects[made.page], made.objects[made.field_number]
        made.timestamps.clear()

    yield appended(genuine, change)
