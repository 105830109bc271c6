"""The one input box sorts whatever was typed or pasted, and says what it could not use."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signer.domain.number import Number
from signer.web import box

NUMBER = Number.draw(lambda bits: 0x1_2345_6789_ABCD_EF01 % 2**bits)
VIN, OTHER = "L0YSA3B29T0000101", "L0YSA3B20T0000102"


@pytest.mark.parametrize(
    "typed", [NUMBER, NUMBER.lower(), NUMBER.replace("-", " "), NUMBER.replace("-", ""), f" {NUMBER}\t"]
)
def test_a_number_is_known_however_it_is_typed(typed: str) -> None:
    assert box.read(typed).numbers == (NUMBER,)


@pytest.mark.parametrize("typed", [VIN, VIN.lower(), "L0Y SA3B29 T0000101", "Ｌ０ＹSA3B29T0000101", f"{VIN},,"])
def test_a_vin_is_known_however_it_is_typed(typed: str) -> None:
    assert box.read(typed).vins == (VIN,)


def test_everything_goes_in_at_once_in_any_order() -> None:
    digest = "ab" * 32
    found = box.read(f"{VIN}; {NUMBER}\n{OTHER}\n91650000MA0TH03XX3 {digest}\n000101\n{VIN}")
    assert found.numbers == (NUMBER,)
    assert found.vins == (VIN, OTHER)
    assert found.exporters == ("91650000MA0TH03XX3",)
    assert found.digests == (digest.upper(),)
    assert found.tails == ("000101",)
    assert found.strays == ()


def test_rows_pasted_from_a_sheet_give_their_vins_and_nothing_else() -> None:
    rows = f"车架号\t品牌\t首次登记\n{VIN}\t云舟 YZS6480T1\t2026-09-01\n{OTHER}\tToyota\t2026/9/1\n"
    found = box.read(rows)
    assert found.vins == (VIN, OTHER)
    assert found.tails == ()


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        (VIN[:-1], "vin"),
        (VIN + "1", "vin"),
        ("91650000MA0TH03XX4", "uscc"),
        ("CB574-KESRE-KJB8", "number"),
        ("hello", ""),
    ],
)
def test_a_near_miss_is_named_for_what_it_was_meant(typed: str, meant: str) -> None:
    (stray,) = box.read(f"{OTHER}\n{typed}").strays
    assert (stray.line, stray.meant) == (2, meant)


@given(st.text(max_size=300))
def test_no_text_breaks_the_box(text: str) -> None:
    found = box.read(text)
    assert all(len(vin) == 17 for vin in found.vins)


def test_a_long_paste_ends_somewhere() -> None:
    assert len(box.read("x" * 1_000_000).strays) == 1
    assert len(box.read("y\n" * 100_000).strays) <= 2_000
