"""Hostile JSON, read strictly: UTF-8 only, no duplicate keys, no NaN, no floats, bounded size and depth."""

from __future__ import annotations

import json
import re
from typing import NoReturn

from signer.errors import InvalidInput, TooLarge

Json = dict[str, "Json"] | list["Json"] | str | int | bool | None

MOST_BYTES = 2_000_000
MOST_DEPTH = 32
_STRUCTURE = re.compile(r'"(?:[^"\\]|\\.)*+"?|[\[\]{}]', re.DOTALL)


def load(data: bytes, *, most_bytes: int = MOST_BYTES) -> Json:
    """
    Parse JSON of at most `most_bytes` and 32 levels; numbers are whole and below 2^53 in size.

    Raises TooLarge, or InvalidInput with a reason that says what is wrong and where.
    Source: RFC 8259; RFC 7493 (I-JSON).
    """
    if len(data) > most_bytes:
        raise TooLarge(f"JSON of {len(data)} bytes; at most {most_bytes} are read")
    text = _decode(data)
    _refuse_depth(text)
    try:
        value: Json = json.loads(
            text,
            object_pairs_hook=_unique,
            parse_constant=_refuse_constant,
            parse_float=_refuse_float,
            parse_int=_whole,
        )
    except json.JSONDecodeError as error:
        raise InvalidInput("", f"not JSON: {error.msg} at line {error.lineno}, column {error.colno}") from error
    return value


def canonical(value: Json) -> bytes:
    """
    Return the one encoding of JSON whose keys are ASCII, without null and without fractions.

    The bytes are those of rfc8785 (a test holds them together); the standard library's encoder is written in C, and
    this is done for every answer. ValueError for NaN and infinities; TypeError for what is no JSON at all.
    Source: RFC 8785.
    """
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":"))
    return text.encode("utf-8")


def _decode(data: bytes) -> str:
    if data[:2] in (b"\xff\xfe", b"\xfe\xff") or b"\x00" in data[:4]:
        raise InvalidInput("", "the text is UTF-16 or UTF-32; JSON must be UTF-8")
    if data.startswith(b"\xef\xbb\xbf"):
        raise InvalidInput("", "the text begins with a byte order mark; JSON must be plain UTF-8")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise InvalidInput("", f"not UTF-8 at byte {error.start}") from error


def _refuse_depth(text: str) -> None:
    if text.count("[") + text.count("{") <= MOST_DEPTH:
        return
    depth = 0
    for match in _STRUCTURE.finditer(text):
        first = match.group()[0]
        depth += (first in "[{") - (first in "]}")
        if depth > MOST_DEPTH:
            raise InvalidInput("", f"nested deeper than {MOST_DEPTH} levels")


def _unique(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    found: dict[str, Json] = {}
    for key, value in pairs:
        if key in found:
            raise InvalidInput("", f"the key {key[:60]!r} stands twice in one object")
        found[key] = value
    return found


def _refuse_constant(name: str) -> NoReturn:
    raise InvalidInput("", f"{name} is not a JSON number")


def _refuse_float(digits: str) -> NoReturn:
    raise InvalidInput("", f"{digits[:30]} is not a whole number; write decimals as text")


def _whole(digits: str) -> int:
    if len(digits.lstrip("-")) > 16 or abs(int(digits)) >= 2**53:
        raise InvalidInput("", "a number is 2^53 or larger")
    return int(digits)
