"""What may be entered is what Typst can print."""

from __future__ import annotations

import json
import unicodedata
from functools import cache

import pytest
import typst
from hypothesis import given, settings
from hypothesis import strategies as st

from signer.document import fonts, glyphs
from signer.domain.values import unprintable

MAIN = b"""#let d = json("data.json")
#set document(title: "x", date: datetime(year: 2026, month: 1, day: 1))
#set text(font: d.fonts, fallback: false)
#d.text"""


@cache
def compiler() -> typst.Compiler:
    found = typst.Fonts(include_system_fonts=False, include_embedded_fonts=True, font_paths=list(fonts.folders()))
    return typst.Compiler(font_paths=found, ignore_system_fonts=True)


def prints(text: str) -> bool:
    data = json.dumps({"text": text, "fonts": [face.family for face in fonts.FACES]}).encode()
    try:
        compiler().compile(input={"main.typ": MAIN, "data.json": data}, pdf_standards=["a-3a", "ua-1"])
    except typst.TypstError:
        return False
    return True


covered = sorted(frozenset[str]().union(*glyphs._covers()))


def may_be_entered(text: str) -> bool:
    return not unprintable(text) and unicodedata.normalize("NFC", text) == text


letters = st.one_of(st.sampled_from(covered), st.characters(exclude_categories=("Cs", "Cc", "Cn", "Co"))).filter(
    may_be_entered
)


@settings(max_examples=400, deadline=None)
@given(letters)
def test_a_character_is_covered_if_and_only_if_typst_prints_it(char: str) -> None:
    if (
        unicodedata.category(char)[0] == "M" or unicodedata.category(char) == "Cf"
    ):  # nothing to stand on: we are the stricter ones
        assert glyphs.uncovered(char) or prints(char)
    else:
        assert (glyphs.uncovered(char) == "") == prints(char)


@settings(max_examples=150, deadline=None)
@given(st.text(st.sampled_from(covered).filter(may_be_entered), min_size=1, max_size=12))
def test_text_that_is_covered_is_printed(text: str) -> None:
    if glyphs.uncovered(text) == "":
        assert prints(text)


@pytest.mark.parametrize(
    "text",
    [
        "售后维修服务确认书",
        "Көктем, г. Алматы № 14",
        "الإمارات العربية المتحدة ۱۲ ٣",
        "گاراژ پارس",
        "México ñ ¿?",
        "Côte d’Ivoire",
        "ศูนย์บริการ",
        "საქართველო",
        "Հայաստան",
        "የኢትዮጵያ",
        "नेपाल",
        "বাংলাদেশ",
        "ລາວ",
        "កម្ពុជា",
        "မြန်မာ",
        "ශ්‍රී ලංකා",
        "ישראל",
        "Ελλάδα",
        "Việt Nam",
        "㐀䶵龥",
        "“” —…·℃№",
    ],
)
def test_the_scripts_of_the_destinations_are_covered(text: str) -> None:
    assert glyphs.uncovered(text) == ""
    assert prints(text)


@pytest.mark.parametrize(
    ("text", "first"),
    [("车🚗辆", "🚗"), ("a\U00012000b", "\U00012000"), ("A\U0001f600\U00012000", "\U0001f600"), ("", "")],
)
def test_the_first_character_that_no_font_has_is_named(text: str, first: str) -> None:
    assert glyphs.uncovered(text) == first
    assert prints(text) == (first == "")
