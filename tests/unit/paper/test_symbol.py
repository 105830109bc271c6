"""The QR symbols that the page draws."""

from __future__ import annotations

from typing import Literal

import pytest
import zxingcpp

from signer.paper.symbol import matrix

QUIET = 4


def read(modules: tuple[tuple[bool, ...], ...], scale: int = 3) -> str:
    side = (len(modules) + 2 * QUIET) * scale
    image = bytearray(b"\xff" * side * side)
    for y, row in enumerate(modules):
        for x, black in enumerate(row):
            for line in range(scale if black else 0):
                start = ((y + QUIET) * scale + line) * side + (x + QUIET) * scale
                image[start : start + scale] = bytes(scale)
    (found,) = zxingcpp.read_barcodes(memoryview(bytes(image)).cast("B", (side, side)))
    return found.text


@pytest.mark.parametrize("level", ["M", "Q"])
@pytest.mark.parametrize(
    "text", ["https://confirm.example.org/verify#7K3QF-9ZC2M-8RX6", "https://x.example/v#" + "9" * 900]
)
def test_what_is_drawn_is_read_again(text: str, level: Literal["M", "Q"]) -> None:
    assert read(matrix(text, level=level)) == text


def test_there_is_no_quiet_zone_and_the_symbol_is_square() -> None:
    modules = matrix("https://confirm.example.org", level="Q")
    assert {len(row) for row in modules} == {len(modules)}
    assert len(modules) % 4 == 1
    assert all(modules[0][:7])
    assert all(row[0] for row in modules[:7])


def test_the_level_asked_for_is_the_level_made() -> None:
    text = "https://confirm.example.org/verify#7K3QF-9ZC2M-8RX6"
    assert len(matrix(text, level="Q")) > len(matrix(text, level="M"))
