"""Which language an answer is in, and its phrases. No cookie: `?lang=` or the form's field, then Accept-Language."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from flask import request

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
    return accepted()


def accepted() -> Language:
    """Return the language that the Accept-Language header prefers."""
    best = request.accept_languages.best_match(["zh-CN", "zh", "zh-Hans", "en"], default="en")
    return "zh" if best.startswith("zh") else "en"


class Phrases:
    """The fixed texts of the pages in one language; a missing one is an error, never an empty place."""

    def __init__(self, language: Language, texts: dict[str, str]) -> None:
        self.language = language
        self._texts = texts

    def __call__(self, key: str, **values: object) -> str:
        """Return a text with its values put in."""
        return self._texts[key].format(**values) if values else self._texts[key]


def read_phrases(folder: Path) -> dict[Language, Phrases]:
    """Read `zh.json` and `en.json`; ValueError when one has a text that the other lacks."""
    found: dict[Language, dict[str, str]] = {}
    for language in LANGUAGES:
        plain = json_text.load((folder / f"{language}.json").read_bytes())
        found[language] = (
            {key: text for key, text in plain.items() if isinstance(text, str)} if isinstance(plain, dict) else {}
        )
    if odd := found["zh"].keys() ^ found["en"].keys():
        raise ValueError(f"phrases in one language only: {json.dumps(sorted(odd))}")
    return {language: Phrases(language, texts) for language, texts in found.items()}
