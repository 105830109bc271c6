"""No page says a word that is not in both languages: what stands in a template besides its phrases has no letters."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest
from world import ROOT

if TYPE_CHECKING:
    from pathlib import Path

WEB = ROOT / "templates" / "web"
PAGES = sorted(path for path in WEB.rglob("*.html"))
NAMES = {
    "TEST",
    "VIN",
    "PDF",
    "JSON",
    "JSONL",
    "SHA-256",
    "CSV",
    "XLSX",
    "TOTP",
    "en",
    "zh",
    "kB",
    "MB",
    "DRAFT",
    "HTTP",
    "n",
}
"""Names that are the same in every language; codes and numbers are never translated."""
_CODE = re.compile(r"\{#.*?#\}|\{%.*?%\}|\{\{.*?\}\}|<!--.*?-->|<(script|style|code)\b.*?</\1>", re.DOTALL)
_CLASS = re.compile(r"\{% block main_class %\}.*?\{% endblock %\}")
_TAG = re.compile(r"""<[^>]*>|\s(?:aria-describedby|aria-invalid|selected|checked)(?:="[^"]*")?""", re.DOTALL)
_SPOKEN = re.compile(r"\b(?:alt|title|placeholder|aria-label|aria-description|label|data-[a-z-]+)=\"([^\"]*)\"")
_KEY = re.compile(r"""\bt\(\s*["']([a-z0-9_.-]+)["']\s*[,)]""")
_HAN = re.compile(r"[\u4e00-\u9fff]")
UNWANTED = {
    "车架号": "车辆识别代号",
    "查验": "核验",
    "制造商": "生产企业",
    "出口商": "出口企业",
    "信任列表": "信任名单",
    "官方副本": "正式用印件",
    "经办人": "制单人",
    "编制人": "制单人",
    "审批人": "批准人",
    "换发": "替代",
    "取代": "替代",
    "盖章": "用印",
}
"""Words that once stood beside the glossary's for the same thing; sealed pages keep theirs."""
GLOSSED = ("车辆识别代号（车架号）", "“车架号”")
"""Where the everyday word may stand: beside the right one, and as a heading that people type."""


def said(text: str) -> list[str]:
    """Return the words that a template says by itself."""
    bare = _CODE.sub(" ", _CLASS.sub(" ", text))
    spoken = " ".join(_SPOKEN.findall(bare)) + " " + _TAG.sub(" ", bare)
    return [word for word in re.findall(r"[^\W\d_][\w-]*", spoken) if word not in NAMES]


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(WEB)))
def test_a_template_says_nothing_by_itself(path: Path) -> None:
    words = said(path.read_text(encoding="utf-8"))
    assert not [word for word in words if word not in {"确"}]


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(WEB)))
def test_every_phrase_that_a_template_names_is_there(path: Path) -> None:
    missing = set(_KEY.findall(path.read_text(encoding="utf-8"))) - phrases("en").keys()
    assert not missing


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(WEB)))
def test_every_script_and_style_is_named_by_the_answers_word(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    for tag in re.findall(r"<script\b[^>]*>|<link rel=\"stylesheet\"[^>]*>|<style[^>]*>", text):
        assert 'nonce="{{ nonce() }}"' in tag, tag


def test_every_phrase_is_in_both_languages_with_the_same_places_to_fill() -> None:
    zh, en = phrases("zh"), phrases("en")
    assert zh.keys() == en.keys()
    for key in zh:
        assert places(zh[key]) == places(en[key]), key
        assert zh[key].strip(), key
        assert en[key].strip(), key


def test_chinese_is_chinese_and_english_is_not() -> None:
    odd = [key for key, text in phrases("en").items() if _HAN.search(text) and key not in {"site.other"}]
    assert not [key for key in odd if not key.endswith((".names", ".aliases"))]
    plain = [key for key, text in phrases("zh").items() if not _HAN.search(text) and re.search(r"[a-z]{4}", text)]
    assert not [key for key in plain if key not in {"site.other"}]


def places(text: str) -> set[str]:
    return set(re.findall(r"\{([a-z_0-9]+)\}", text))


def phrases(language: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for path in (
        WEB / "strings" / f"{language}.json",
        *sorted((WEB / "strings" / "portal").glob(f"*.{language}.json")),
    ):
        found |= json.loads(path.read_text(encoding="utf-8"))
    return found


SPEAKING = (
    *sorted((WEB / "strings").rglob("*zh.json")),
    *sorted((WEB / "mail").glob("*.zh.txt")),
    *sorted(path for path in (ROOT / "signer").rglob("*.py") if path.name != "vehicle_columns.py"),
)
"""Whatever speaks Chinese to people, but the headings of sheets: those are read in everybody's words."""


def test_one_thing_has_one_word_in_pages_mails_rules_and_verdicts() -> None:
    odd = {}
    for path in SPEAKING:
        text = path.read_text(encoding="utf-8")
        for allowed in (*GLOSSED, "加盖公章"):
            text = text.replace(allowed, "")
        if found := [f"{word}: {UNWANTED[word]}" for word in UNWANTED if word in text]:
            odd[str(path.relative_to(ROOT))] = found
    assert not odd


_EVENT = re.compile(r"""note\(\s*(?:tx|link|connection),\s*"([a-z-]+\.[a-z-]+)\"""")
_MADE = {
    *(f"draft.{state}" for state in ("open", "waiting", "sealing", "issued", "discarded")),
    *(f"import.{state}" for state in ("running", "done", "failed", "dropped")),
    *(f"{kind}.{word}" for kind in ("withdraw", "retract") for word in ("asked", "done", "dropped")),
    *(f"member.{kind}-{word}" for kind in ("grant-approver", "reset-factor") for word in ("granted", "refused")),
    *(f"renaming.{word}" for word in ("asked", "done", "dropped")),
    *(f"exporter.{word}" for word in ("accepted", "refused", "member")),
    *(f"request.{word}" for word in ("promised", "drafted", "refused", "withdrawn")),
    *(f"seal.ends-within-{days}" for days in (60, 30, 7)),
}
"""Events whose names the code puts together."""
_OPERATORS = ("account.", "factor.", "sign-in.", "job.", "register.", "trust-list.", "person.")
"""Events of no manufacturer: no audit at the portal shows them."""


def test_every_event_of_a_manufacturer_is_told_in_a_sentence() -> None:
    sources = (path.read_text(encoding="utf-8") for path in (ROOT / "signer").rglob("*.py"))
    events = _MADE | {event for text in sources for event in _EVENT.findall(text)}
    missing = {event for event in events if f"event.{event}" not in phrases("en") and not event.startswith(_OPERATORS)}
    assert len(events) > 60
    assert not missing


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(WEB)))
def test_the_way_back_has_one_form(path: Path) -> None:
    if path.name != "parts.html":
        assert 'class="back"' not in path.read_text(encoding="utf-8")
