"""Numbers, VINs and codes: what their check characters catch, and that folding is done once and for all."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from signer.domain.number import ALPHABET, Number, check_character
from signer.domain.parties import (
    ALPHA3,
    USCC_ALPHABET,
    Country,
    Uscc,
    country_code,
    is_same_name,
    normalise_uscc,
    uscc_fault,
)
from signer.domain.values import fold_code, tidy, unprintable
from signer.domain.vehicle import VIN_ALPHABET, Vin, normalise_vin, vin_fault
from tests.unit.domain.sample import MAKER, vin

FIRST_13 = st.text(ALPHABET, min_size=13, max_size=13)
WILD = st.text(st.characters(), max_size=30)


def printed(first: str) -> str:
    whole = first + check_character(first)
    return f"{whole[:5]}-{whole[5:10]}-{whole[10:]}"


@given(FIRST_13, st.integers(0, 13), st.sampled_from(ALPHABET))
def test_every_single_wrong_character_of_a_number_is_caught(first: str, place: int, char: str) -> None:
    plain = printed(first).replace("-", "")
    wrong = plain[:place] + char + plain[place + 1 :]
    if wrong == plain:
        assert Number.parse(wrong) == printed(first)
    else:
        with pytest.raises(ValueError, match=r"^number\.check$"):
            Number.parse(wrong)


@given(FIRST_13, st.integers(0, 12))
def test_every_swap_of_neighbours_in_a_number_is_caught(first: str, place: int) -> None:
    plain = printed(first).replace("-", "")
    swapped = plain[:place] + plain[place + 1] + plain[place] + plain[place + 2 :]
    if swapped != plain:
        with pytest.raises(ValueError, match=r"^number\.check$"):
            Number.parse(swapped)


def test_every_single_error_and_neighbour_swap_of_one_number_is_caught() -> None:
    plain = printed("7K3QF9ZC2M8RX").replace("-", "")
    wrong = {plain[:place] + char + plain[place + 1 :] for place in range(14) for char in ALPHABET}
    wrong |= {plain[:place] + plain[place + 1] + plain[place] + plain[place + 2 :] for place in range(13)}
    wrong -= {plain}
    assert len(wrong) > 14 * 31
    assert all(check_character(each[:-1]) != each[-1] for each in wrong)


@given(FIRST_13)
def test_a_number_reads_back_however_it_is_typed(first: str) -> None:
    number = Number(printed(first))
    typed = number.lower().replace("-", " ").replace("1", "l").replace("0", "o")
    assert Number.parse(typed) == Number.parse(number) == number


def test_drawn_numbers_are_numbers_and_use_all_their_bits() -> None:
    bits = random.Random(1)
    drawn = {Number.draw(bits.getrandbits) for _ in range(200)}
    assert len(drawn) == 200
    assert Number.draw(lambda count: (1 << count) - 1).startswith("ZZZZZ-ZZZZZ-ZZZ")
    assert {number[place] for number in drawn for place in (0, 12)} == set(ALPHABET)


@pytest.mark.parametrize("text", ["", "T0T0T0T0T0T0T3", "t0t0t-0t0t0-t0t3", "T0T0-T0T0T0-T0T3", "T0T0T-0T0T0-T0T3 "])
def test_only_the_printed_form_is_a_number_in_a_file(text: str) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(Number).validate_python(text)


@given(WILD)
def test_folding_a_code_twice_is_folding_it_once(text: str) -> None:
    for fold in (fold_code, normalise_vin, normalise_uscc):
        assert fold(fold(text)) == fold(text)


@given(WILD)
def test_tidying_twice_is_tidying_once(text: str) -> None:
    assert tidy(tidy(text)) == tidy(text)


@given(st.integers(0, 999999), st.integers(0, 16), st.sampled_from(VIN_ALPHABET))
def test_a_changed_character_of_a_vin_is_caught_or_leaves_the_sum_as_it_is(serial: int, place: int, char: str) -> None:
    good = vin(serial)
    changed = good[:place] + char + good[place + 1 :]
    assert vin_fault(changed) in ("", "vin.check-digit")
    digits_only = char.isdigit() and good[place].isdigit() and char != good[place]
    if digits_only and place != 8:
        assert vin_fault(changed) == "vin.check-digit"


@pytest.mark.parametrize("good", ["1M8GDM9AXKP042788", "LGWEF5A58HH002014", "LGWFF7A53TH012345"])
def test_the_unit_vectors_of_the_standard_are_vins(good: str) -> None:
    assert Vin(good).wmi + Vin(good)[3:] == good
    assert Vin(good).grouped.replace(" ", "") == good
    assert good.endswith(Vin(good).tail)


@pytest.mark.parametrize(
    ("char", "year"), [("R", 2024), ("S", 2025), ("T", 2026), ("V", 2027), ("A", 2010), ("U", None)]
)
def test_position_10_is_the_model_year(char: str, year: int | None) -> None:
    assert vin(1, year=char).model_year == year


@given(st.integers(0, 16), st.sampled_from(USCC_ALPHABET))
def test_every_single_wrong_character_of_a_code_is_caught(place: int, char: str) -> None:
    good = "91350100M000100Y43"
    wrong = good[:place] + char + good[place + 1 :]
    assert uscc_fault(wrong) == ("" if wrong == good else "uscc.check")


def test_the_codes_of_the_standard_and_of_the_samples_are_codes() -> None:
    assert Uscc("91350100M000100Y43") == "91350100M000100Y43"
    assert uscc_fault(MAKER.uscc) == ""


def test_every_country_has_two_names_and_is_found_by_all_four() -> None:
    for alpha2, alpha3 in ALPHA3.items():
        country = Country.of(alpha2)
        assert country.alpha3 == alpha3
        for typed in (alpha2, alpha3, country.name_zh, country.name_en):
            assert country_code(typed) == alpha2, typed
    assert len(set(ALPHA3.values())) == len(ALPHA3) > 235


@pytest.mark.parametrize(("code", "name"), [("HK", "中国香港"), ("MO", "中国澳门"), ("TW", "中国台湾")])
def test_customs_territories_of_china_have_their_own_printed_names(code: str, name: str) -> None:
    assert Country.of(code).name_zh == name
    assert Country.of(code).name_en.endswith(", China")


@pytest.mark.parametrize("code", ["CN", "XX", "kz", ""])
def test_china_and_unknown_codes_are_no_destination(code: str) -> None:
    with pytest.raises(ValueError, match=r"^country\.(domestic|unknown)$"):
        Country.of(code)


def test_names_are_one_whatever_the_width_of_brackets_and_blanks() -> None:
    assert is_same_name("甲（集团）有限公司", "甲(集团) 有限公司")
    assert not is_same_name("甲股份有限公司", "甲有限公司")
    assert not is_same_name("甲（集团）有限公司", "甲集团有限公司")


@pytest.mark.parametrize("char", ["\u200c", "\u200d", "\u200f", "ء", "ё", "²", "€", "「"])
def test_joiners_direction_marks_and_letters_may_be_printed(char: str) -> None:
    assert unprintable(f"a{char}") == ""
