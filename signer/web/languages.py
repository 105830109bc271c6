"""Which language an answer is in, and its phrases: `?lang=` or the form's field, the account's, Accept-Language."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from flask import g, request

from signer.domain import json_text

if TYPE_CHECKING:
    from pathlib import Path

    from signer.verification.wording import Language

LANGUAGES: tuple[Language, ...] = ("zh", "en")
TAGS: dict[Language, str] = {"zh": "zh-CN", "en": "en"}


def chosen() -> Language:
    """Return the language of this request, English if neither is asked for; a body not yet read stays unread."""
    form = request.form if "form" in request.__dict__ else {}
    for wanted in (request.args.get("lang"), form.get("lang")):
        if wanted is not None:
            return "zh" if wanted.lower().startswith("zh") else "en"
    known = getattr(g.get("principal"), "language", "")
    return known if known in LANGUAGES else accepted()


def accepted() -> Language:
    """Return the language that the Accept-Language header prefers."""
    best = request.accept_languages.best_match(["zh-CN", "zh", "zh-Hans", "en"], default="en")
    return "zh" if best.startswith("zh") else "en"


class Phrases:
    """The fixed texts of the pages in one language; a missing one is an error, never an empty place."""

    def __init__(self, language: Language, texts: dict[str, str]) -> None:
        self.language = language
        self._texts = texts

    def __contains__(self, key: str) -> bool:
        """Tell whether there is such a text."""
        return key in self._texts

    def __call__(self, key: str, **values: object) -> str:
        """Return a text with its values put in."""
        return self._texts[key].format(**values) if values else self._texts[key]


def read_phrases(folder: Path) -> dict[Language, Phrases]:
    """
    Read `zh.json` and `en.json`, and those of each room (`portal/<room>.zh.json`, `.en.json`).

    ValueError when a language has a text that the other lacks, or two files have the same one.
    """
    found: dict[Language, dict[str, str]] = {}
    for language in LANGUAGES:
        texts: dict[str, str] = {}
        for path in (folder / f"{language}.json", *sorted((folder / "portal").glob(f"*.{language}.json"))):
            texts |= _read(path, known=texts)
        found[language] = texts
    if odd := found["zh"].keys() ^ found["en"].keys():
        raise ValueError(f"phrases in one language only: {json.dumps(sorted(odd))}")
    return {language: Phrases(language, texts) for language, texts in found.items()}


def _read(path: Path, *, known: dict[str, str]) -> dict[str, str]:
    plain = json_text.load(path.read_bytes())
    texts = {key: text for key, text in plain.items() if isinstance(text, str)} if isinstance(plain, dict) else {}
    if twice := texts.keys() & known.keys():
        raise ValueError(f"{path.name} says again: {json.dumps(sorted(twice))}")
    return texts
