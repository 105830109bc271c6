"""Deterministic CBOR: one encoding for each value, and no other is read."""

from __future__ import annotations

import cbor2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from signer.domain import cbor

INTEGERS = st.integers(-(2**64), 2**64 - 1)


def values(keys: st.SearchStrategy[int]) -> st.SearchStrategy[cbor.Cbor]:
    return st.recursive(
        INTEGERS | st.binary(max_size=300) | st.text(max_size=80),
        lambda inner: st.lists(inner, max_size=5).map(tuple) | st.dictionaries(keys, inner, max_size=5),
        max_leaves=12,
    )


VALUES = values(INTEGERS)


@given(VALUES)
def test_what_is_written_is_read_again(value: cbor.Cbor) -> None:
    assert cbor.decode(cbor.encode(value)) == value


@given(values(st.integers(0, 2**64 - 1)))
def test_another_writer_of_deterministic_cbor_writes_the_same_bytes(value: cbor.Cbor) -> None:
    """Of keys without a sign: cbor2 sorts shorter keys first (RFC 8949, 4.2.3), which for those is the same order."""
    assert cbor.encode(value) == cbor2.dumps(value, canonical=True)


@given(st.binary(max_size=40) | VALUES.map(cbor.encode).flatmap(lambda whole: st.binary(max_size=3).map(whole.__add__)))
def test_whatever_is_read_is_spelled_as_we_would_spell_it(data: bytes) -> None:
    try:
        value = cbor.decode(data)
    except cbor.CborRefused:
        return
    assert cbor.encode(value) == data


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        ("", "truncated"),
        ("18", "truncated"),
        ("42ff", "truncated"),
        ("8201", "truncated"),
        ("9bffffffffffffffff", "truncated"),
        ("0000", "trailing"),
        ("1817", "not-minimal"),
        ("190001", "not-minimal"),
        ("5800", "not-minimal"),
        ("b80000", "not-minimal"),
        ("1b0000000000000001", "not-minimal"),
        ("5f41004100ff", "indefinite"),
        ("9f00ff", "indefinite"),
        ("bf0000ff", "indefinite"),
        ("ff", "indefinite"),
        ("f4", "type"),
        ("f6", "type"),
        ("f90000", "type"),
        ("c000", "type"),
        ("1c", "type"),
        ("a1416100", "type"),
        ("a201000100", "duplicate-key"),
        ("a202000100", "key-order"),
        ("a220000000", "key-order"),
        ("61ff", "text"),
        ("63edada0", "text"),
        ("81" * 9 + "00", "depth"),
    ],
)
def test_no_other_spelling_is_read(data: str, reason: str) -> None:
    with pytest.raises(cbor.CborRefused) as refused:
        cbor.decode(bytes.fromhex(data))
    assert refused.value.reason == reason


def test_a_number_of_more_than_64_bits_is_not_written() -> None:
    with pytest.raises(ValueError, match="64 bits"):
        cbor.encode(2**64)
