"""Hostile bytes become a draft, or a clear word on each thing that is wrong with them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signer.domain import json_text
from signer.domain.drafting import MOST_DRAFT_BYTES, MOST_FINDINGS, parse_draft, pointer
from signer.errors import Finding, InvalidInput, RuleViolation, TooLarge
from tests.unit.domain.sample import DRAFT, draft


def refused(data: bytes) -> list[tuple[str, str]]:
    with pytest.raises(RuleViolation) as refusal:
        parse_draft(data)
    assert len(refusal.value.violations) <= MOST_FINDINGS
    return [(one.rule, one.pointer) for one in refusal.value.violations]


def findings(data: bytes) -> tuple[Finding, ...]:
    """Return why a draft is refused; nothing if it is taken. Any other exception fails the test."""
    try:
        parse_draft(data)
    except RuleViolation as refusal:
        return refusal.violations
    return ()


@pytest.mark.parametrize(
    ("data", "says", "zh"),
    [
        ('{"a": "甲"}'.encode("utf-16"), "UTF-16", "UTF-16"),
        (b"\xef\xbb\xbf{}", "byte order mark", "BOM"),
        ('{"contract": "甲"}'.encode("gb18030"), "not UTF-8 at byte 14", "第 14 字节"),
        (b'{"contract": "1", "contract": "2"}', "'contract' stands twice", "出现两次"),
        (b'{"commitment": {"warranty_km": NaN}}', "NaN", "不是 JSON 数字"),
        (b'{"commitment": {"warranty_km": 1.5}}', "1.5 is not a whole number", "不是整数"),
        (b'{"commitment": {"warranty_km": 9007199254740992}}', "2^53", "2^53"),
        (b"[" * 33, "deeper than 32", "32 层"),
        (b'{"contract": }', "line 1, column 14", "第 1 行第 14 列"),
        (b"", "not JSON", "JSON"),
    ],
)
def test_bytes_that_are_no_plain_json_are_refused_in_both_languages(data: bytes, says: str, zh: str) -> None:
    with pytest.raises(RuleViolation) as refusal:
        parse_draft(data)
    (violation,) = refusal.value.violations
    assert (violation.rule, violation.pointer) == ("draft.json", "")
    assert says in violation.en
    assert zh in violation.zh


def test_every_reason_of_the_reader_has_a_chinese_one() -> None:
    for data in (
        b"\x00\x00\x00{",
        b"\xef\xbb\xbf",
        b"\xff",
        b"[" * 33,
        b'{"a":1,"a":1}',
        b"NaN",
        b"1.5",
        b"1" * 17,
        b"{",
    ):
        with pytest.raises(RuleViolation) as refusal:
            parse_draft(data)
        reason = refusal.value.violations[0].zh.removeprefix("草稿无法读取：").partition("。请提交")[0]
        assert any("\u4e00" <= char <= "\u9fff" for char in reason), reason


def test_whole_numbers_just_below_2_to_the_53_are_read_with_either_sign() -> None:
    assert json_text.load(b"[9007199254740991, -9007199254740991]") == [2**53 - 1, 1 - 2**53]
    with pytest.raises(InvalidInput):
        json_text.load(b"-9007199254740992")


@pytest.mark.parametrize(
    ("edit", "rule", "where"),
    [
        ({"exporter": 9}, "draft.type", "/exporter"),
        ({"exporter": None}, "draft.type", "/exporter"),
        ({"vehicles": {}}, "draft.type", "/vehicles"),
        ({"vehicles": [{"modified": 1}]}, "draft.type", "/vehicles/0/modified"),
        ({"vehicles": [{"modified": "true"}]}, "draft.type", "/vehicles/0/modified"),
        ({"commitment": {"warranty_km": "1"}}, "draft.type", "/commitment/warranty_km"),
        ({"commitment": {"warranty_km": True}}, "draft.type", "/commitment/warranty_km"),
        ({"commitment": []}, "draft.type", "/commitment"),
        ({"vim/~": ""}, "draft.unknown-field", "/vim~1~0"),
        ({"schema_id": "signer.draft/1"}, "draft.unknown-field", "/schema_id"),
        ({"contract": "x" * 1001}, "text.too-long", "/contract"),
        ({"contract": "\ud800"}, "text.control", "/contract"),
        ({"vehicles": [{}, {"vin": "1\udfff"}]}, "text.control", "/vehicles/1/vin"),
        ({"vehicles": [{"outlets": ["a"] * 41}]}, "draft.too-many", "/vehicles/0/outlets"),
    ],
)
def test_a_value_of_the_wrong_shape_is_named_by_its_pointer(edit: dict[str, Any], rule: str, where: str) -> None:
    assert refused(json.dumps(DRAFT | edit).encode()) == [(rule, where)]


def test_all_wrong_shapes_are_named_at_once_and_no_more_than_a_hundred() -> None:
    assert refused(b'{"a": 1, "exporter": 2, "commitment": 3}') == [
        ("draft.unknown-field", "/a"),
        ("draft.type", "/commitment"),
        ("draft.type", "/exporter"),
    ]
    many = {f"f{place}": place for place in range(500)}
    assert len(refused(json.dumps(many).encode())) == MOST_FINDINGS


def test_a_long_or_broken_field_name_is_not_echoed_as_it_is() -> None:
    ((_, where),) = refused(json.dumps({"x" * 5000: 1}).encode())
    assert len(where) < 300
    ((rule, where),) = refused(b'{"\\ud800": 1}')
    assert rule == "draft.unknown-field"
    where.encode()


def test_a_draft_above_its_cap_is_too_large() -> None:
    with pytest.raises(TooLarge):
        parse_draft(b" " * (MOST_DRAFT_BYTES + 1))


def test_a_draft_may_be_empty_and_is_judged_later() -> None:
    assert parse_draft(b"{}").vehicles == ()
    assert parse_draft(json.dumps(DRAFT, ensure_ascii=False).encode()) == draft()


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
        max_leaves=8,
    )
)
def test_any_json_is_a_draft_or_a_refusal(value: Any) -> None:
    data = json.dumps({"vehicles": [value], "commitment": value, "contract": value}).encode()
    for one in findings(data):
        (one.zh + one.en + one.pointer).encode()


@given(st.binary(max_size=60))
def test_any_bytes_are_a_draft_or_a_refusal(data: bytes) -> None:
    assert all(one.severity == "violation" for one in findings(data))


def test_a_pointer_is_written_as_in_rfc_6901() -> None:
    assert pointer(()) == ""
    assert pointer(("a/b", 0, "~")) == "/a~1b/0/~0"
