"""The small values that everything else is made of: text, dates, instants, frozen models."""

from __future__ import annotations

import re
import unicodedata
from datetime import UTC, date, datetime
from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer

BEIJING = ZoneInfo("Asia/Shanghai")
ARABIC_VOWEL_MARKS = frozenset(chr(point) for point in range(0x064B, 0x0653))


class Frozen(BaseModel):
    """A value that never changes, refuses unknown fields and coerces nothing."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


def beijing_day(at: datetime) -> date:
    """Return the calendar day in Asia/Shanghai of an aware instant: 16:30 UTC is already the next day."""
    if at.tzinfo is None:
        raise ValueError("an instant needs a time zone")
    return at.astimezone(BEIJING).date()


def format_instant(at: datetime) -> str:
    """Return an aware instant as `YYYY-MM-DDTHH:MM:SSZ`, the only form in canonical JSON."""
    if at.tzinfo is None:
        raise ValueError("an instant needs a time zone")
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def parse_instant(text: object) -> datetime:
    """Parse `YYYY-MM-DDTHH:MM:SSZ` and nothing else; a datetime passes unchanged."""
    if isinstance(text, datetime):
        return text
    if not isinstance(text, str) or not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z", text):
        raise ValueError("an instant is written YYYY-MM-DDTHH:MM:SSZ")
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)


def parse_day(text: object) -> date:
    """Parse `YYYY-MM-DD` and nothing else; a date passes unchanged."""
    if isinstance(text, date) and not isinstance(text, datetime):
        return text
    if not isinstance(text, str) or not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
        raise ValueError("a date is written YYYY-MM-DD")
    return date.fromisoformat(text)


def unprintable(text: str) -> str:
    """Return the first control character, lone surrogate, bidi override or non-character, or ''."""
    for char in text:
        category = unicodedata.category(char)
        if category in ("Cc", "Cs", "Cn", "Co", "Zl", "Zp") or char in "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff":
            return char
    return ""


def tidy(text: str) -> str:
    """
    Return text as it is stored: NFC, Arabic vowel marks dropped, runs of blanks made one, ends trimmed.

    The caller shows the person what changed (notice `text.normalised`).
    """
    composed = unicodedata.normalize("NFC", "".join(char for char in text if char not in ARABIC_VOWEL_MARKS))
    return re.sub(r"[ \u3000\u00a0]+", " ", composed).strip()


def _stored(text: str) -> str:
    if bad := unprintable(text):
        raise ValueError(f"the character U+{ord(bad):04X} may not stand in text")
    if tidy(text) != text:
        raise ValueError("text is not in its stored form (NFC, trimmed, single blanks, no Arabic vowel marks)")
    return text


Day = Annotated[date, BeforeValidator(parse_day), PlainSerializer(lambda day: day.isoformat(), when_used="json")]
Instant = Annotated[datetime, BeforeValidator(parse_instant), PlainSerializer(format_instant, when_used="json")]
Text = Annotated[str, Field(min_length=1, max_length=120), AfterValidator(_stored)]
LongText = Annotated[str, Field(min_length=1, max_length=600), AfterValidator(_stored)]
Hex256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Whole = Annotated[int, Field(ge=0, le=9_999_999)]
