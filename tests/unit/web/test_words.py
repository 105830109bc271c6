"""No page says a word that is not in all its languages: besides its phrases a template has no letters."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest
from world import ROOT

from signer.domain.evidence import State
from signer.domain.verdict import Code
from signer.verification import wording
from signer.web import telling
from signer.web.languages import LANGUAGES, OTHERS, TONGUES
from signer.web.problem_kinds import KINDS

if TYPE_CHECKING:
    from pathlib import Path

    from signer.web.languages import Tongue

WEB = ROOT / "templates" / "web"
WEB_CODE = ROOT / "signer" / "web"
PAGES = sorted(path for path in WEB.rglob("*.html"))
NONCED = [path for path in PAGES if path.parent.name != "paper"]
"""The page that is saved as a file names its script and style by their digests: test_paper_page.py."""
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
_SPOKEN = re.compile(r"\b(?:alt|title|placeholder|aria-label|aria-description|label|data-(?!t=)[a-z-]+)=\"([^\"]*)\"")
"""`data-t` names a phrase that a script puts in."""
_KEY = re.compile(r"""\bt\(\s*["']([a-z0-9_.-]+)["']\s*[,)]""")
_HAN = re.compile(r"[\u4e00-\u9fff]")
UNWANTED = {
    "车架号": "车辆识别代号",
    "查验": "核验",
    "制造商": "生产企业",
    "出口商": "出口企业",
    "信任列表": "信任名单",
    "状态清单": "状态列表",
    "公开日志": "透明日志",
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
    named = set(_KEY.findall(path.read_text(encoding="utf-8")))
    if path.name in INSIDE_TOO:
        named -= phrases("en", "portal").keys()
    for language in LANGUAGES if path.parent.name in ("portal", "docs") and path.name not in OPENED else TONGUES:
        assert not named - phrases(language).keys(), language


@pytest.mark.parametrize("path", NONCED, ids=lambda path: str(path.relative_to(WEB)))
def test_every_script_and_style_is_named_by_the_answers_word(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    for tag in re.findall(r"<script\b[^>]*>|<link rel=\"stylesheet\"[^>]*>|<style[^>]*>", text):
        assert 'nonce="{{ nonce() }}"' in tag, tag


@pytest.mark.parametrize("language", TONGUES)
def test_every_phrase_is_in_each_language_with_the_same_places_to_fill(language: Tongue) -> None:
    en, theirs = phrases("en", "public"), phrases(language, "public")
    if language in LANGUAGES:
        en, theirs = phrases("en"), phrases(language)
    assert theirs.keys() == en.keys()
    for key, text in theirs.items():
        assert places(text) == places(en[key]), key
        assert text.strip(), key


@pytest.mark.parametrize("language", OTHERS)
def test_what_the_code_says_in_two_languages_is_said_in_the_other_four(language: Tongue) -> None:
    theirs, said_ = phrases(language, "told"), in_code()
    assert theirs.keys() == said_.keys()
    for key, text in theirs.items():
        assert text.strip(), key
        if said_[key] is not None:
            assert places(text) == places(said_[key] or ""), key


def in_code() -> dict[str, str | None]:
    """Return what the code says itself, by the keys of the other languages; None where its places are not known."""
    checks = {**wording.QUESTIONS, **telling.CHECK_TEXTS}
    names = ("asking.py", "fields.py", "telling.py", "api.py", "bodies.py", "car.py", "portal/shared.py")
    rooms = [WEB_CODE / name for name in names]
    source = "\n".join(path.read_text(encoding="utf-8") for path in rooms)
    faults = set(
        re.findall(
            r'"((?:box|field|vin|destination|uscc|date|number|tail|sha256|lookup|json|share|code)\.[a-z-]+)"', source
        )
    )
    faults |= {"box.number", "box.uscc", "box.vin", "invalid-input"}
    faults |= {f"field.missing.{place}" for place in ("destination", "exporter", "vin", "registered_on")}
    return {
        **{f"code.{code.value}": wording.banner(code, "en") for code in Code},
        **{f"sentence.{code.value}": en for code, (_, en) in wording.SENTENCES.items()},
        **{f"sentence.{code.value}.without-content": en for code, (_, en) in wording._WITHOUT_CONTENT.items()},
        **{f"sentence.{code.value}.paper": en for code, (_, en) in wording._ON_PAPER.items()},
        **{f"reason.{word}": en for word, (_, en) in wording.REASONS.items()},
        **{f"state.{state.value}": "" for state in State},
        **{f"check.{name}": en for name, (_, en) in checks.items()},
        **{f"problem.{code}": kind.en for code, kind in KINDS.items()},
        **{f"problem.{code}.detail": kind.en_detail for code, kind in KINDS.items()},
        **dict.fromkeys(f"fault.{code}" for code in faults),
        **dict.fromkeys(
            f"told.{name}"
            for name in (*("separator", "list", "as-of", "as-of-because", "test", "successor", "receipt"), "pages")
        ),
    }


SCRIPTS = {"zh": r"[\u4e00-\u9fff]", "ru": r"[\u0400-\u04ff]", "ar": r"[\u0600-\u06ff]"}
OPENED = {"share.html", "shared.html", "status.html", "paper_lines.html"}
"""Pages among the portal's that a link opens, without an account."""
INSIDE_TOO = {"problem.html", "form.html", "licence.html", "verdict.html"}
"""Public pages that are drawn behind a sign-in too, and say more there, in two languages."""
_SAME_EVERYWHERE = {"col.vin", "car.vin", "detail.sha256", "told.separator", "told.list"}
_QUOTED = {"car.registered-hint"}
"""What names a field of a Chinese paper as it is printed there."""
_ALIKE = {"reason.ERROR", "reason.FRAUD", "detail.code", "content.destination", "field.destination"}
_ALIKE |= {"state.failed", "car.no", "car.contact", "on-paper.page"}
"""What may be spelt alike in English and Spanish or French."""


@pytest.mark.parametrize("language", OTHERS)
def test_no_phrase_was_left_in_another_language(language: Tongue) -> None:
    english = {**phrases("en"), **{key: text for key, text in in_code().items() if text}}
    for key, text in phrases(language).items():
        if key in _SAME_EVERYWHERE | _QUOTED:
            continue
        own = SCRIPTS.get(language)
        assert own is None or re.search(own, text), key
        assert not any(re.search(script, text) for script in SCRIPTS.values() if script != own), key
        assert own or text != english.get(key) or key in _ALIKE, key


def test_chinese_is_chinese_and_english_is_not() -> None:
    odd = [key for key, text in phrases("en").items() if _HAN.search(text) and key not in _QUOTED]
    assert not [key for key in odd if not key.endswith((".names", ".aliases"))]
    plain = [key for key, text in phrases("zh").items() if not _HAN.search(text) and re.search(r"[a-z]{4}", text)]
    assert not plain


def places(text: str) -> set[str]:
    return set(re.findall(r"\{([a-z_0-9]+)\}", text))


def phrases(language: Tongue, *kinds: str) -> dict[str, str]:
    """Return the texts of a language: of all kinds (`public`, `portal`, `told`), or of these."""
    found: dict[str, str] = {}
    for path in (WEB / "strings").rglob("*.json"):
        kind = path.parent.name if path.parent.name in ("portal", "told") else "public"
        if path.name.split(".")[-2] == language and (not kinds or kind in kinds):
            found |= json.loads(path.read_text(encoding="utf-8"))
    return found


SPEAKING = (
    WEB.parent / "evidence" / "zh.json",
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
_OPERATORS = ("account.", "factor.", "sign-in.", "job.", "register.", "trust-list.", "person.", "log.")
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
