"""The site of the documents: its nav, its two languages, and (soak, or `make docs`) its strict build."""

from __future__ import annotations

import re
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[3]
DOCS = ROOT / "docs"
SITE: dict[str, Any] = yaml.safe_load((ROOT / "mkdocs.yml").read_text(encoding="utf-8"))
FROM_ABOVE = {"CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md"}


def _pages(nav: Any) -> Iterator[str]:
    match nav:
        case str():
            yield nav
        case dict():
            for inner in nav.values():
                yield from _pages(inner)
        case _:
            for inner in nav:
                yield from _pages(inner)


def _sections(nav: Any) -> Iterator[str]:
    for entry in nav if isinstance(nav, list) else ():
        if isinstance(entry, dict):
            for name, inner in entry.items():
                yield name
                yield from _sections(inner)


def test_the_nav_leads_to_every_page_once_and_to_nothing_else() -> None:
    written = {str(path.relative_to(DOCS)) for path in DOCS.rglob("*.md") if not path.name.endswith(".zh.md")}
    named = Counter(_pages(SITE["nav"]))
    assert sorted((written | FROM_ABOVE) - named.keys()) == [], "add these to the nav in mkdocs.yml"
    assert sorted(named.keys() - written - FROM_ABOVE) == []
    assert [name for name, count in named.items() if count > 1] == []


def test_every_part_of_the_nav_has_a_chinese_name_and_no_name_is_left_over() -> None:
    (chinese,) = (language for language in SITE["plugins"][1]["i18n"]["languages"] if language["locale"] == "zh")
    assert set(_sections(SITE["nav"])) == chinese["nav_translations"].keys()


def test_the_theme_takes_no_font_from_elsewhere() -> None:
    assert SITE["theme"]["font"] is False
    assert {name for plugin in SITE["plugins"] for name in plugin} == {"search", "i18n"}


USERS = "Use it"
"""The part of the nav that users read: exporters, officers, preparers and approvers, holders and buyers."""
BESIDE = (
    "index.md",
    "glossary.md",
    "explanation/the-rule.md",
    "explanation/what-a-seal-proves.md",
    "explanation/legal-notes.md",
    "explanation/what-an-offline-check-proves.md",
)
"""What users read elsewhere."""
IN_BOTH = (*BESIDE, *_pages([entry[USERS] for entry in SITE["nav"] if isinstance(entry, dict) and USERS in entry]))
_FENCE = re.compile(r"^```.*?^```", re.DOTALL | re.MULTILINE)
_NAMED = re.compile(r"`(?:[A-Z_]{5,}|/[a-z][^`]*|signer\s[^`]*|SIGNER_[^`]*|--[^`]*)`")
"""Codes, addresses, commands and settings."""
_GLOSSARIES = ("glossary.md", "glossary.zh.md")
_CHINESE = re.compile(r"[\u4e00-\u9fff]")


def _read(page: str) -> str:
    return (DOCS / page).read_text(encoding="utf-8")


def _chinese(page: str) -> str:
    return page.removesuffix(".md") + ".zh.md"


def _headings(text: str) -> list[int]:
    return [len(marks) for marks in re.findall(r"^(#+) ", _FENCE.sub("", text), re.MULTILINE)]


def _tables(text: str) -> list[int]:
    """Return how many rows each table has."""
    return [block.count("\n") for block in re.findall(r"(?:^\|.*\n)+", text, re.MULTILINE)]


def _named(text: str) -> set[str]:
    return {" ".join(name.split()) for name in _NAMED.findall(_FENCE.sub("", text))}


@pytest.mark.parametrize("page", IN_BOTH)
def test_a_page_of_users_says_the_same_in_both_languages(page: str) -> None:
    english, chinese = _read(page), _read(_chinese(page))
    assert _headings(chinese) == _headings(english)
    assert _FENCE.findall(chinese) == _FENCE.findall(english)
    if page != "index.md":  # the English one leads to every page as well
        assert _tables(chinese) == _tables(english)
        assert _named(chinese) == _named(english)
    assert _CHINESE.search(chinese.partition("\n")[0])


def test_no_page_is_chinese_alone() -> None:
    alone = [page for page in DOCS.rglob("*.zh.md") if not page.with_name(page.name.replace(".zh.md", ".md")).exists()]
    assert alone == []


def test_a_chinese_page_leads_to_the_chinese_page_where_there_is_one() -> None:
    for page in IN_BOTH:
        folder = (DOCS / page).parent
        targets = re.findall(r"\]\(([^)#\s:]+\.md)", _read(_chinese(page)))
        english = [name for name in targets if not name.endswith(".zh.md") and (folder / _chinese(name)).exists()]
        assert (page, english) == (page, [])


def test_the_glossary_has_the_same_words_in_both_languages() -> None:
    pairs = [re.findall(r"^\| ([^|]+) \| ([^|]+) \|", _read(page), re.MULTILINE)[1:] for page in _GLOSSARIES]
    assert pairs[0] == pairs[1]


@pytest.mark.soak  # builds the whole site (10 s), with packages that `make test` does not install; so does `make docs`
def test_the_site_is_built_strictly_and_asks_no_other_host(tmp_path: Path) -> None:
    built = subprocess.run(
        [sys.executable, str(DOCS / "build_site.py"), str(tmp_path)], capture_output=True, text=True, check=False
    )
    assert built.returncode == 0, built.stdout + built.stderr
    assert (tmp_path / "index.html").is_file()
    assert (tmp_path / "zh" / "index.html").is_file()
