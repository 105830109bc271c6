"""The site of the documents: its nav, its two languages, and (soak, or `make docs`) its strict build."""

from __future__ import annotations

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


@pytest.mark.soak  # builds the whole site (10 s), with packages that `make test` does not install; so does `make docs`
def test_the_site_is_built_strictly_and_asks_no_other_host(tmp_path: Path) -> None:
    built = subprocess.run(
        [sys.executable, str(DOCS / "build_site.py"), str(tmp_path)], capture_output=True, text=True, check=False
    )
    assert built.returncode == 0, built.stdout + built.stderr
    assert (tmp_path / "index.html").is_file()
    assert (tmp_path / "zh" / "index.html").is_file()
