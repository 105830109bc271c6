"""What MkDocs is told beside mkdocs.yml: documents outside docs/ become pages, and files of the source are named."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from mkdocs.plugins import event_priority
from mkdocs.structure.files import File
from pymdownx.slugs import slugify

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.files import Files
    from mkdocs.structure.pages import Page

DOCS = Path(__file__).resolve().parent
ROOT = DOCS.parent
FROM_ABOVE = ("CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md")
_LINK = re.compile(r"(?<!!)\[([^\]]*)\]\(([^)\s#]+)(#[^)\s]*)?\)")


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    config.mdx_configs["toc"]["slugify"] = slugify(case="lower")  # anchors as a forge makes them, Chinese included
    return config


@event_priority(-100)  # after the languages were told apart: that plugin knows files on disk alone
def on_files(files: Files, config: MkDocsConfig) -> Files:
    language = config.theme["language"]
    for name in FROM_ABOVE:
        page = File.generated(config, name, content=(ROOT / name).read_text(encoding="utf-8"))
        if language != "en":
            page.dest_uri = f"{language}/{page.dest_uri}"
        page.locale, page.localization, page.locale_alternate_of = "en", None, language
        page.alternates, page.norm_src_uri = {language: page}, name
        files.append(page)
    return files


def on_page_markdown(markdown: str, page: Page, **_: object) -> str:
    """Lead to the documents from above by their pages, and only name what is no page: files of the source."""
    uri = page.file.src_uri
    if uri in ("index.md", "index.zh.md"):
        page.meta["hide"] = ["navigation"]  # it is one itself
    above = uri in FROM_ABOVE
    folder = ROOT if above else (DOCS / uri).parent

    def led(link: re.Match[str]) -> str:
        words, target, anchor = link[1], link[2], link[3] or ""
        where = (folder / target).resolve()
        if "://" in target or target.startswith("mailto:") or not where.exists():
            return link[0]  # elsewhere, or nowhere: the strict build says so
        if where.parent == ROOT and where.name in FROM_ABOVE:
            return f"[{words}]({'../' * uri.count('/')}{where.name}{anchor})"
        if not where.is_relative_to(DOCS):
            return f"{words} (`{where.relative_to(ROOT)}`)"
        return f"[{words}]({where.relative_to(DOCS)}{anchor})" if above else link[0]

    return _LINK.sub(led, markdown)
