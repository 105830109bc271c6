"""An archive revision drops the picture of the seal, shows another annotation, or changes another page too."""

from __future__ import annotations

from typing import TYPE_CHECKING

from appended import appended

from signer.seal.syntax import Name, Reference

if TYPE_CHECKING:
    from collections.abc import Iterator

    from appended import Draft
    from genuine import Genuine


def make(genuine: Genuine) -> Iterator[bytes]:
    def seal_page(made: Draft) -> int:
        return next(number for number, page in made.state.pages.items() if page.get("Annots"))

    def dropped(made: Draft) -> None:
        number = seal_page(made)
        made.objects[number] = {key: value for key, value in made.state.pages[number].items() if key != "Annots"}

    def another(made: Draft) -> None:
        page = made.objects[made.page]
        assert isinstance(page, dict)
        number = made.free
        made.objects[number] = {"Type": Name("Annot"), "Subtype": Name("FreeText"), "Rect": [0, 0, 99, 99]}
        page["Annots"] = [*page["Annots"], Reference(number, 0)]  # type: ignore[misc]

    def replaced(made: Draft) -> None:
        number = seal_page(made)
        made.objects[number] = {**made.state.pages[number], "Annots": [Reference(made.field_number, 0)]}

    def in_front(made: Draft) -> None:
        del made.objects[made.page]
        number = seal_page(made)
        known = made.state.pages[number]["Annots"]
        assert isinstance(known, list)
        made.objects[number] = {**made.state.pages[number], "Annots": [Reference(made.field_number, 0), *known]}
        made.widget["P"] = Reference(number, 0)

    for change in (dropped, another, replaced, in_front):
        yield appended(genuine, change)
