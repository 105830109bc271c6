"""Tests beside each other: none is lost, and each process begins with long ones, in the share that xdist cuts."""

from __future__ import annotations

from collections import Counter

import order
import pytest
from hypothesis import given
from hypothesis import strategies as st

LENGTHS = st.dictionaries(st.sampled_from("abcdefgh"), st.integers(1, 12), min_size=1)


def several(lengths: dict[str, int]) -> list[str]:
    return [f"{module}{number}" for module, count in lengths.items() for number in range(count)]


@given(LENGTHS, st.dictionaries(st.sampled_from("abcdefgh"), st.integers(10, 500)), st.integers(1, 5))
def test_no_test_is_lost_or_doubled_and_a_modules_own_order_stays(
    lengths: dict[str, int], seconds: dict[str, int], processes: int
) -> None:
    tests = several(lengths)
    found = order.spread(tests, processes, module=lambda test: test[0], seconds=seconds, together={"a": "c"})
    assert Counter(found) == Counter(tests)
    for module in lengths:
        assert [test for test in found if test[0] == module] == [test for test in tests if test[0] == module]


def test_every_process_begins_with_what_takes_long_and_no_share_has_all_of_it() -> None:
    tests = several({"a": 2, "b": 40, "c": 2, "d": 1, "e": 3})
    seconds = {"a": 90, "c": 60, "d": 50, "e": 10}
    found = order.spread(tests, 3, module=lambda test: test[0], seconds=seconds, together={})
    assert [share[:4] for share in (found[:16], found[16:32], found[32:])] == [
        ["a0", "a1", "b0", "b1"],
        ["c0", "c1", "b14", "b15"],
        ["d0", "e0", "e1", "e2"],
    ]


def test_what_is_made_once_is_used_in_one_process() -> None:
    tests = several({"a": 1, "b": 1, "c": 1})
    seconds = {"a": 50, "b": 40, "c": 45}
    found = order.spread(
        tests, 2, module=lambda test: test[0], seconds=seconds, together={"a": "browser", "b": "browser"}
    )
    assert found == ["a0", "b0", "c0"]


@pytest.mark.parametrize("module", sorted({*order.SECONDS, *order.TOGETHER}))
def test_a_module_that_is_weighed_is_there(module: str) -> None:
    assert (order.ROOT / module).is_file()
