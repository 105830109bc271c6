"""What the page is told."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signer import resources
from signer.document import catalogue, page

if TYPE_CHECKING:
    from types import ModuleType


@pytest.mark.parametrize(
    ("places", "said"),
    [([], ""), ([3], "3"), ([1, 2], "1–2"), ([1, 2, 3, 5], "1–3, 5"), ([5, 1, 9, 2, 2], "1–2, 5, 9")],
)
def test_whole_numbers_are_written_as_people_write_them(places: list[int], said: str) -> None:
    assert page.ranges(places) == said


@given(st.lists(st.lists(st.booleans(), min_size=5, max_size=5), min_size=5, max_size=5))
def test_the_outline_paints_exactly_the_black_modules(modules: list[list[bool]]) -> None:
    painted = set()
    for part in page.outline(tuple(map(bytes, modules))).split("M")[1:]:
        start, _, rest = part.partition("h")
        x, y = map(int, start.split())
        painted |= {(x + step, y) for step in range(int(rest.partition("v")[0]))}
    assert painted == {(x + 4, y + 4) for y, row in enumerate(modules) for x, black in enumerate(row) if black}


@pytest.mark.parametrize("base", ["https://confirm.example.org", "https://confirm.example.org/"])
def test_the_short_link_keeps_the_number_in_the_fragment(base: str) -> None:
    assert page.short_link(base, "N") == "https://confirm.example.org/verify#N"
    assert page.shown_address(base) == "confirm.example.org"


def test_outlets_stand_and_are_numbered_as_the_content_says_they_are_printed(samples: ModuleType) -> None:
    vehicle = samples.vehicle(1).model_copy(update={"outlets": ("kz-2",)})
    outlets = tuple(samples.outlet("KZ", place).model_copy(update={"id": f"kz-{place}"}) for place in (1, 2, 3))
    for order, place in ((None, "2"), (("kz-2", "kz-3", "kz-1"), "1")):
        made, encoded = samples.confirmation(vehicles=(vehicle,), outlets=outlets, outlet_order=order)
        template = catalogue.load(resources.templates_dir(), "1")
        told = page.build(template, made, encoded=encoded, base_url=samples.BASE_URL, symbol=lambda _: (b"\x01",))
        data = json.loads(told.data)
        printed = [each["id"] for each in data["content"]["terms"]["outlets"]]
        assert printed == list(order or ("kz-1", "kz-2", "kz-3"))
        assert data["vehicles"][0]["outlets"] == place
        assert [each["vehicles"] for each in data["outlets"]] == ["" if each == "kz-2" else "–" for each in printed]
