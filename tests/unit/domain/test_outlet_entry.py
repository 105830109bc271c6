"""What is typed of an outlet is kept or refused with reasons; a list that says what is there changes nothing."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signer.domain.outlet_changes import Changes, TypedRow, changes_of, closed_entry, differences
from signer.domain.outlet_choice import OutletFacts
from signer.domain.outlet_entry import ENTRY_FIELDS, Entry, read_entry, typed_of
from signer.domain.outlet_sheet import COLUMNS, columns_of, title, word
from signer.errors import RuleViolation

TODAY = date(2026, 11, 20)
GOOD = {"id": "kz-1", "country": "KZ", "name": "N", "address": "A", "authorised_from": "2026-01-01"}

texts = st.text(max_size=30) | st.sampled_from(["\x00", "\u202e", "=1+1", "<b>", "2026-02-30", "91", "中国", "ru; kk"])


def entry(**changes: str) -> Entry:
    found, findings = read_entry({**GOOD, **changes}, today=TODAY, uncovered=lambda _: "")
    assert found is not None, findings
    return found


def compare(rows: list[dict[str, str]], *present: Entry, **more: Any) -> Changes:
    typed = [TypedRow(number, row) for number, row in enumerate(rows, 2)]
    known = {one.outlet.id: one for one in present}
    return changes_of(typed, known, today=TODAY, uncovered=lambda _: "", **{"is_whole": False, **more})


@given(st.dictionaries(st.sampled_from(ENTRY_FIELDS), texts))
def test_every_entry_is_an_outlet_or_says_what_is_wrong(typed: dict[str, str]) -> None:
    found, findings = read_entry({**GOOD, **typed}, today=TODAY, uncovered=lambda _: "")
    assert (found is None) == any(one.severity == "violation" for one in findings)
    assert {one.pointer.removeprefix("/") for one in findings} <= set(ENTRY_FIELDS)


@given(st.dictionaries(st.sampled_from(ENTRY_FIELDS), texts), st.sampled_from(["zh", "en"]))
def test_what_is_kept_and_written_out_is_read_as_the_same(typed: dict[str, str], language: str) -> None:
    found, _ = read_entry({**GOOD, **typed}, today=TODAY, uncovered=lambda _: "")
    if found is not None:
        written = typed_of(found.outlet, found.facts, words=lambda code: word(code, language))
        assert differences(found, entry(**written)) == ()


def test_words_of_both_languages_are_understood() -> None:
    found = entry(
        scope="动力电池；mechanical", energies="纯电动、BEV", authorised_until="2027年3月1日", country="哈萨克斯坦"
    )
    assert found.outlet.scope == ("mechanical", "high-voltage-battery")
    assert (found.facts.energies, found.outlet.authorised_until) == (("battery-electric",), date(2027, 3, 1))


def test_only_a_whole_list_closes_and_only_in_its_countries() -> None:
    here, gone = entry(), entry(id="kz-2")
    abroad, ended = entry(id="ru-1", country="RU"), closed_entry(entry(id="kz-3"), TODAY)
    present = (here, gone, abroad, ended)
    assert compare([{"id": "kz-1"}], *present).is_empty
    assert [one.outlet.id for one in compare([{"id": "kz-1"}], *present, is_whole=True).closed] == ["kz-2"]


def test_a_list_with_a_wrong_row_closes_nothing() -> None:
    found = compare([{"id": "kz-1"}, {"id": "KZ 2", "name": "N"}], entry(), entry(id="kz-2"), is_whole=True)
    assert {one.row for one in found.wrong} == {3}
    assert found.closed == ()


def test_an_id_may_stand_once() -> None:
    found = compare([GOOD, GOOD])
    assert [(one.row, one.field, one.finding.rule) for one in found.wrong] == [(3, "id", "outlet-entry.twice")]


def test_the_digest_tells_whether_the_changes_are_those_that_were_shown() -> None:
    shown = compare([{"id": "kz-1", "phone": "1"}], entry())
    assert shown.digest == compare([{"id": "kz-1", "phone": "1"}], entry()).digest
    assert shown.digest != compare([{"id": "kz-1", "phone": "1"}], entry(phone="2")).digest
    assert shown.digest != compare([{"id": "kz-1", "phone": "2"}], entry()).digest


def test_an_outlet_that_is_closed_and_still_listed_opens_again_before_your_eyes() -> None:
    ended = closed_entry(entry(), TODAY)
    (change,) = compare([{**GOOD, "authorised_until": ""}], ended).changed
    assert ("closed_on", "2026-11-20", "") in change.fields
    assert change.entry.facts == OutletFacts()


@pytest.mark.parametrize("language", ["zh", "en"])
def test_each_column_is_known_by_its_title_whatever_its_case_and_width(language: str) -> None:
    headers = [f" {title(one.field, language).upper()}＊ " for one in COLUMNS]
    assert list(columns_of(headers)) == list(ENTRY_FIELDS)


@pytest.mark.parametrize(
    ("headers", "rule"),
    [
        (["name"], "outlet-list.no-id"),
        (["id", "编号"], "outlet-list.twice"),
        (["id", "颜色"], "outlet-list.unknown"),
    ],
)
def test_headers_that_would_be_guessed_are_refused(headers: list[str], rule: str) -> None:
    with pytest.raises(RuleViolation) as caught:
        columns_of(headers)
    assert [one.rule for one in caught.value.violations] == [rule]
