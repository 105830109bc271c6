"""
Which language an answer is in, and its phrases: `?lang=` or the form's field, the account's, Accept-Language.

The public pages speak six languages, and so do those that a share link opens. What is behind a sign-in speaks two, and
so does the API unless it is asked for another one by name.
"""

from __future__ import annotations

import json
from functools import lru_cache
from typing import TYPE_CHECKING, Literal, get_args

from babel.dates import format_date
from babel.numbers import format_decimal
from babel.units import format_unit
from flask import g, request
from werkzeug.datastructures import LanguageAccept
from werkzeug.http import parse_accept_header

from signer.domain import json_text
from signer.domain.parties import ThirdLanguage, country_name
from signer.domain.values import BEIJING
from signer.verification import wording
from signer.verification.wording import Language

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date, datetime
    from pathlib import Path

    from signer.verification.wording import Speech

Tongue = Language | ThirdLanguage
LANGUAGES: tuple[Language, ...] = get_args(Language)
OTHERS: tuple[ThirdLanguage, ...] = get_args(ThirdLanguage)
TONGUES: tuple[Tongue, ...] = (*LANGUAGES, *OTHERS)
TAGS: dict[Tongue, str] = {"zh": "zh-CN", "en": "en", "ru": "ru", "es": "es", "ar": "ar", "fr": "fr"}
NAMES: dict[Tongue, str] = {
    "zh": "中文",
    "en": "English",
    "ru": "Русский",
    "es": "Español",
    "ar": "العربية",
    "fr": "Français",
}
"""What each language calls itself."""
RIGHT_TO_LEFT = frozenset({"ar"})
_TWO = ("zh-CN", "zh", "zh-Hans", "en")
_MOST_HEADER = 400
_ISOLATE, _END = "\N{FIRST STRONG ISOLATE}", "\N{POP DIRECTIONAL ISOLATE}"
_IN_WORDS = "long"
"""The form of a day with its month in words: 05.06 and 06/05 are read differently in different countries."""


def chosen() -> Language:
    """Return which of two languages this request is answered in, English if neither is asked for."""
    wanted = _asked()
    if wanted is not None:
        return "zh" if wanted.lower().startswith("zh") else "en"
    known = getattr(g.get("principal"), "language", "")
    return known if known in LANGUAGES else accepted()


def spoken() -> Tongue:
    """Return which of six languages a public page is in: the one asked for, or what the browser prefers."""
    wanted = _asked()
    if wanted is not None:
        return _tongue(wanted) or "en"
    return _tongue(_preferred(request.headers.get("Accept-Language", ""), (*_TWO, *OTHERS))) or "en"


def answered() -> Tongue:
    """Return the language of an answer to a program: a third one only if it is asked for by name."""
    return named() or chosen()


def named() -> Tongue | None:
    """Return the language that the address or the form asks for by name."""
    return _tongue(_asked() or "")


def accepted() -> Language:
    """Return which of two languages the Accept-Language header prefers."""
    return "zh" if _preferred(request.headers.get("Accept-Language", ""), _TWO).startswith("zh") else "en"


@lru_cache(maxsize=256)
def _preferred(header: str, offered: tuple[str, ...]) -> str:
    """Return which of some languages a header prefers; browsers and programs send few different ones."""
    return parse_accept_header(header[:_MOST_HEADER], LanguageAccept).best_match(offered, default="en")


def _asked() -> str | None:
    """Return what the address or the form asks for; a body not yet read stays unread."""
    form = request.form if "form" in request.__dict__ else {}
    return next((wanted for wanted in (request.args.get("lang"), form.get("lang")) if wanted is not None), None)


def _tongue(tag: str) -> Tongue | None:
    first = tag.lower().replace("_", "-").partition("-")[0]
    return next((tongue for tongue in TONGUES if tongue == first), None)


class Phrases:
    """The fixed texts of the pages in one language; a missing one is an error, never an empty place."""

    def __init__(self, language: Tongue, texts: dict[str, str]) -> None:
        self.language = language
        self.direction = "rtl" if language in RIGHT_TO_LEFT else "ltr"
        self._texts = texts

    def __contains__(self, key: str) -> bool:
        """Tell whether there is such a text."""
        return key in self._texts

    def __call__(self, key: str, **values: object) -> str:
        """Return a text with its values put in; among words from right to left each value keeps its own order."""
        if not values:
            return self._texts[key]
        if self.direction == "rtl":
            values = {name: f"{_ISOLATE}{value}{_END}" for name, value in values.items()}
        return self._texts[key].format(**values)

    def knows(self, key: str) -> bool:
        """Tell whether there is such a text."""
        return key in self._texts

    def beginning(self, prefix: str) -> dict[str, str]:
        """Return the texts whose keys begin so, with their places to fill: for a page that puts values in itself."""
        return {key: text for key, text in self._texts.items() if key.startswith(prefix)}

    @property
    def speech(self) -> Speech:
        """What verdicts are told in: Chinese and English are written in the code, the others here."""
        return next((language for language in LANGUAGES if language == self.language), self)

    @property
    def two(self) -> Language:
        """Which of the two languages of the register comes next to this one: Chinese, or else English."""
        return "zh" if self.language == "zh" else "en"

    def day(self, day: date) -> str:
        """Return a calendar day; in the two languages of the paper as it is printed there."""
        if self.language in LANGUAGES:
            return day.isoformat()
        return format_date(day, _IN_WORDS, locale=self.language)

    def instant(self, at: datetime | None) -> str:
        """Return an instant as read in Beijing, to the minute, or a dash."""
        if at is None or self.language in LANGUAGES:
            return wording.beijing(at)
        there = at.astimezone(BEIJING)
        return f"{self.day(there.date())}{'،' if self.language == 'ar' else ','} {there:%H:%M} (UTC+8)"

    def amount(self, number: int) -> str:
        """Return a whole number with its thousands set apart."""
        return format_decimal(number, locale=self.language)

    def measured(self, number: int, unit: str) -> str:
        """
        Return a number of units (`duration-month`, `length-kilometer`: CLDR's names), in the form it asks for.

        Where CLDR's long form is an alias of the short one (Chinese), Babel does not follow and says the unit's id.
        """
        lengths: tuple[Literal["long", "short"], ...] = ("long", "short")
        told = [format_unit(number, unit, length=length, locale=self.language) for length in lengths]
        return next(text for text in told if unit not in text)

    def country(self, alpha2: str) -> str:
        """Return the name of a destination."""
        return country_name(alpha2, self.language)


def read_phrases(folder: Path) -> dict[Tongue, Phrases]:
    """
    Read the texts of each language: `<language>.json` and `public/<name>.<language>.json` in all six.

    Those of the rooms behind a sign-in (`portal/<room>.<language>.json`) are in two, and those that stand in the code
    in these two (`told/<language>.json`) in the other four. ValueError when a language has a text that another one
    lacks, or two files have the same one.
    """
    found: dict[Tongue, dict[str, str]] = {}
    for language in TONGUES:
        texts: dict[str, str] = {}
        for path in _files(folder, language):
            texts |= _read(path, known=texts)
        found[language] = texts
    for one, others in ((LANGUAGES[0], LANGUAGES), (OTHERS[0], OTHERS)):
        for other in others:
            _refuse_odd(found[one].keys() ^ found[other].keys())
    _refuse_odd(_public(folder, LANGUAGES[0]) ^ _public(folder, OTHERS[0]))
    return {language: Phrases(language, texts) for language, texts in found.items()}


def _files(folder: Path, language: Tongue) -> Iterator[Path]:
    yield folder / f"{language}.json"
    yield from sorted((folder / "public").glob(f"*.{language}.json"))
    if language in LANGUAGES:
        yield from sorted((folder / "portal").glob(f"*.{language}.json"))
    else:
        yield folder / "told" / f"{language}.json"


def _public(folder: Path, language: Tongue) -> frozenset[str]:
    paths = (path for path in _files(folder, language) if path.parent.name not in ("portal", "told"))
    return frozenset(key for path in paths for key in _read(path, known={}))


def _refuse_odd(odd: set[str] | frozenset[str]) -> None:
    if odd:
        raise ValueError(f"phrases that a language lacks: {json.dumps(sorted(odd))}")


def _read(path: Path, *, known: dict[str, str]) -> dict[str, str]:
    plain = json_text.load(path.read_bytes())
    texts = {key: text for key, text in plain.items() if isinstance(text, str)} if isinstance(plain, dict) else {}
    if twice := texts.keys() & known.keys():
        raise ValueError(f"{path.name} says again: {json.dumps(sorted(twice))}")
    return texts
