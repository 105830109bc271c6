"""The small values that everything else is made of: text, dates, instants, frozen models."""

from __future__ import annotations

import re
import unicodedata
from datetime import UTC, date, datetime
from functools import lru_cache
from typing import Annotated, TypeVar
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, WithJsonSchema

BEIJING = ZoneInfo("Asia/Shanghai")
_INSTANT = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})T([0-9]{2}):([0-9]{2}):([0-9]{2})Z")
_UNPRINTABLE = ("Cc", "Cs", "Cn", "Co", "Zl", "Zp")
_NEEDED_FORMAT = "\u200c\u200d\u200e\u200f\u061c"
_DROPPED = frozenset("-\u2010\u2011\u2012\u2013\u2014\u2212\u200b\u200e\u200f\u2060\ufeff")
ARABIC_VOWEL_MARKS = frozenset(chr(point) for point in range(0x064B, 0x0653))
_MOST_REMEMBERED = 4096
"""Texts that return in draft after draft: names, brands, models, addresses."""

When = TypeVar("When", bound=date)


class Frozen(BaseModel):
    """A value that never changes, refuses unknown fields and coerces nothing."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


@lru_cache(maxsize=64)
def beijing_day(at: datetime) -> date:
    """Return the calendar day in Asia/Shanghai of an aware instant: 16:30 UTC is already the next day."""
    if at.tzinfo is None:
        raise ValueError("an instant needs a time zone")
    return at.astimezone(BEIJING).date()


def format_instant(at: datetime) -> str:
    """Return an aware instant as `YYYY-MM-DDTHH:MM:SSZ`, the only form in canonical JSON."""
    if at.tzinfo is None:
        raise ValueError("an instant needs a time zone")
    return at.astimezone(UTC).isoformat(timespec="seconds")[:19] + "Z"


def parse_instant(text: object) -> datetime:
    """Parse `YYYY-MM-DDTHH:MM:SSZ` and nothing else; an aware datetime passes, cut to whole seconds in UTC."""
    if isinstance(text, datetime):
        if text.tzinfo is None:
            raise ValueError("an instant needs a time zone")
        return text.astimezone(UTC).replace(microsecond=0)
    found = _INSTANT.fullmatch(text) if isinstance(text, str) else None
    if found is None:
        raise ValueError("an instant is written YYYY-MM-DDTHH:MM:SSZ")
    year, month, day, hour, minute, second = map(int, found.groups())
    return _within_years(datetime(year, month, day, hour, minute, second, tzinfo=UTC))


def parse_day(text: object) -> date:
    """Parse `YYYY-MM-DD` and nothing else, in the years 1900-2999 (so that days can be added); a date passes."""
    if isinstance(text, date) and not isinstance(text, datetime):
        return _within_years(text)
    if not isinstance(text, str) or not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
        raise ValueError("a date is written YYYY-MM-DD")
    return _within_years(date.fromisoformat(text))


def _within_years(when: When) -> When:
    if not 1900 <= when.year <= 2999:
        raise ValueError("a year is from 1900 to 2999")
    return when


@lru_cache(maxsize=_MOST_REMEMBERED)
def unprintable(text: str) -> str:
    """
    Return the first character that has no place in sealed text, or ''.

    That is: control characters, line separators, lone surrogates, private and unassigned code points, and
    invisible format characters (bidi overrides, zero-width space, byte order mark, tags). The joiners and
    direction marks that Arabic and Indic scripts need are allowed.
    """
    if text.isascii() and text.isprintable():
        return ""
    for char in text:
        category = unicodedata.category(char)
        if category in _UNPRINTABLE or (category == "Cf" and char not in _NEEDED_FORMAT):
            return char
    return ""


def fold_code(typed: str) -> str:
    """
    Return a typed code (VIN, USCC, number) in upper-case ASCII, as far as it is one: blanks and hyphens dropped.

    Characters are folded one by one, so that folding twice changes nothing; what does not fold to ASCII
    stays, for a rule to name.
    """
    if typed.isascii():
        return "".join(typed.upper().replace("-", "").split())
    return "".join(map(_fold, typed))


def _fold(char: str) -> str:
    folded = unicodedata.normalize("NFKC", char).upper()
    kept = folded if folded.isascii() else char
    return "" if kept.isspace() or kept in _DROPPED else kept


@lru_cache(maxsize=_MOST_REMEMBERED)
def tidy(text: str) -> str:
    """
    Return text as it is stored: NFC, Arabic vowel marks dropped, runs of blanks made one, ends trimmed.

    The caller shows the person what changed (notice `text.normalised`).
    """
    kept = text if text.isascii() else "".join(char for char in text if char not in ARABIC_VOWEL_MARKS)
    composed = unicodedata.normalize("NFC", kept)
    return re.sub(r"[ \u3000\u00a0]+", " ", composed).strip()


def _stored(text: str) -> str:
    if bad := unprintable(text):
        raise ValueError(f"the character U+{ord(bad):04X} may not stand in text")
    if tidy(text) != text:
        raise ValueError("text is not in its stored form (NFC, trimmed, single blanks, no Arabic vowel marks)")
    return text


_DAY_SCHEMA = {"type": "string", "format": "date", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"}
_INSTANT_SCHEMA = {
    "type": "string",
    "format": "date-time",
    "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z$",
}
Day = Annotated[
    date,
    BeforeValidator(parse_day),
    PlainSerializer(lambda day: day.isoformat(), when_used="json"),
    WithJsonSchema(_DAY_SCHEMA),
]
Instant = Annotated[
    datetime,
    BeforeValidator(parse_instant),
    PlainSerializer(format_instant, when_used="json"),
    WithJsonSchema(_INSTANT_SCHEMA),
]
MOST_TEXT = 120
MOST_LONG_TEXT = 600
MOST_WHOLE = 9_999_999
Text = Annotated[str, Field(min_length=1, max_length=MOST_TEXT), AfterValidator(_stored)]
LongText = Annotated[str, Field(min_length=1, max_length=MOST_LONG_TEXT), AfterValidator(_stored)]
Hex256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Whole = Annotated[int, Field(ge=0, le=MOST_WHOLE)]
