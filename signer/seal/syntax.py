"""
The syntax of PDF objects in revisions that follow a seal: a small strict reader, and a writer in one form.

Nothing is guessed, skipped or mended: no comments, no object streams, no filters, no reference that is not plain.
Source: ISO 32000-2, 7.3 and 7.5.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from io import BytesIO
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

    from pyhanko.pdf_utils.generic import PdfObject

MOST_DEPTH: Final = 24
_BLANKS: Final = rb"[\x00\t\n\f\r ]*"
_WHITE: Final = b"\0\t\n\f\r "
_STOP: Final = rb"(?![^\x00\t\n\f\r ()<>\[\]{}/%])"
_BLANK: Final = re.compile(_BLANKS)
_NAME: Final = re.compile(rb"/([^\x00\t\n\f\r ()<>\[\]{}/%]*)")
_KEY: Final = re.compile(_BLANKS + rb"(?:/([^\x00\t\n\f\r ()<>\[\]{}/%]*)" + _BLANKS + rb"|(>>))")
_REFERENCE: Final = re.compile(rb"([0-9]{1,8})[\x00\t\n\f\r ]+([0-9]{1,5})[\x00\t\n\f\r ]+R" + _STOP)
_NUMBER: Final = re.compile(rb"[+-]?(?:[0-9]{1,12}(?:\.[0-9]{0,12})?|\.[0-9]{1,12})" + _STOP)
_WORD: Final = re.compile(rb"(?:true|false|null)" + _STOP)
_HEX: Final = re.compile(rb"<([0-9A-Fa-f\x00\t\n\f\r ]*)>")
_OBJECT: Final = re.compile(rb"([0-9]{1,8}) ([0-9]{1,5}) obj" + _STOP)
_STREAM: Final = re.compile(rb"stream\r?\n")
_END_OF_STREAM: Final = re.compile(rb"\r?\n?endstream" + _BLANKS + rb"endobj")
_UNTIL: Final = re.compile(rb"([^()\\]*)([()\\])")
_PLAIN: Final = re.compile(rb"\(((?:[^()\\]++|\\[0-7]{3}|\\[nrtbf()\\])*+)\)")
_PLAIN_ESCAPE: Final = re.compile(rb"\\(?:[0-7]{3}|.)")
_OCTAL: Final = re.compile(rb"[0-7]{1,3}")
_END_OF_LINE: Final = re.compile(rb"\r\n|\r|\n")
_ESCAPED: Final = re.compile(rb"#([0-9A-Fa-f]{2})")
_ESCAPES: Final = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"b": b"\b", b"f": b"\f"}
_PLAIN_ESCAPES: Final = {b"\\%03o" % code: bytes((code & 0xFF,)) for code in range(512)} | {
    b"\\" + letter: _ESCAPES.get(letter, letter) for letter in (b"n", b"r", b"t", b"b", b"f", b"(", b")", b"\\")
}
_WORDS: Final = {b"true": True, b"false": False, b"null": None}
_REGULAR: Final = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.+*:@!$&'=~,;?^|`\"\\")


class SyntaxRefused(ValueError):
    """Bytes are not the objects that they must be."""


class Name(str):
    """A name, decoded, without its slash."""

    __slots__ = ()


class Reference(NamedTuple):
    """A reference to an object."""

    number: int
    generation: int


Value = None | bool | int | Decimal | bytes | Name | Reference | list["Value"] | dict[str, "Value"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Object:
    """
    An indirect object where it stands: from `start` to `end`.

    `stream` is its data, as encoded, if it is one; that begins at `stream_at`.
    """

    number: int
    value: Value
    start: int
    end: int
    stream: bytes | None = None
    stream_at: int = 0


def skip_blanks(data: bytes, at: int) -> int:
    """Return where the next byte stands that is not white."""
    match = _BLANK.match(data, at)
    return match.end() if match else at


def read(data: bytes, at: int = 0) -> tuple[Value, int]:
    """Read the value at a place, and return it with the place behind it. Raises SyntaxRefused."""
    return _read(data, skip_blanks(data, at), MOST_DEPTH)


def _read(data: bytes, at: int, depth: int) -> tuple[Value, int]:
    if depth == 0:
        raise SyntaxRefused(f"nested more than {MOST_DEPTH} deep")
    reader = _COMPOSED.get(data[at : at + 1])
    if reader is not None:
        return reader(data, at, depth)
    if match := _REFERENCE.match(data, at):
        return Reference(int(match[1]), int(match[2])), match.end()
    if match := _NUMBER.match(data, at):
        text = match.group().decode()
        return (Decimal(text) if "." in text else int(text)), match.end()
    if match := _WORD.match(data, at):
        return _WORDS[match.group()], match.end()
    raise SyntaxRefused(f"no value at byte {at}")


def _name(data: bytes, at: int, _depth: int) -> tuple[Name, int]:
    match = _NAME.match(data, at)
    if match is None:
        raise SyntaxRefused(f"no name at byte {at}")
    return Name(_decoded(match[1])), match.end()


def _decoded(name: bytes) -> str:
    if b"#" in name:
        name = _ESCAPED.sub(lambda found: bytes((int(found[1], 16),)), name)
    return name.decode("latin-1")


def _array(data: bytes, at: int, depth: int) -> tuple[list[Value], int]:
    found: list[Value] = []
    at = skip_blanks(data, at + 1)
    while not data.startswith(b"]", at):
        value, at = _read(data, at, depth - 1)
        found.append(value)
        at = skip_blanks(data, at)
    return found, at + 1


def _dictionary(data: bytes, at: int, depth: int) -> tuple[dict[str, Value], int]:
    found: dict[str, Value] = {}
    at += 2
    while match := _KEY.match(data, at):
        if match[2]:
            return found, match.end()
        key = _decoded(match[1])
        value, at = _read(data, match.end(), depth - 1)
        if key in found:
            raise SyntaxRefused(f"a key stands twice before byte {at}")
        found[key] = value
    raise SyntaxRefused(f"no name at byte {at}")


def _angled(data: bytes, at: int, depth: int) -> tuple[Value, int]:
    return (_dictionary if data.startswith(b"<<", at) else _hexadecimal)(data, at, depth)


def _hexadecimal(data: bytes, at: int, _depth: int) -> tuple[bytes, int]:
    match = _HEX.match(data, at)
    if match is None:
        raise SyntaxRefused(f"no hexadecimal string at byte {at}")
    digits = match[1].translate(None, _WHITE)
    return bytes.fromhex((digits + b"0" * (len(digits) % 2)).decode()), match.end()


def _literal(data: bytes, at: int, _depth: int) -> tuple[bytes, int]:
    """Read a string in parentheses. Source: ISO 32000-2, 7.3.4.2."""
    if plain := _PLAIN.match(data, at):
        return _PLAIN_ESCAPE.sub(lambda found: _PLAIN_ESCAPES[found[0]], plain[1]), plain.end()
    found, at, opened = bytearray(), at + 1, 1
    while run := _UNTIL.match(data, at):
        found += run[1]
        at = run.end()
        if run[2] == b"\\":
            piece, at = _escape(data, at)
            found += piece
            continue
        opened += 1 if run[2] == b"(" else -1
        if not opened:
            return bytes(found), at
        found += run[2]
    raise SyntaxRefused("a string without an end")


def _escape(data: bytes, at: int) -> tuple[bytes, int]:
    byte = data[at : at + 1]
    if byte in _ESCAPES:
        return _ESCAPES[byte], at + 1
    if match := _OCTAL.match(data, at):
        return bytes((int(match.group(), 8) & 0xFF,)), match.end()
    if match := _END_OF_LINE.match(data, at):
        return b"", match.end()
    return byte, at + 1


_COMPOSED: Final[dict[bytes, Callable[[bytes, int, int], tuple[Value, int]]]] = {
    b"/": _name,
    b"[": _array,
    b"<": _angled,
    b"(": _literal,
}


def read_object(data: bytes, at: int) -> Object | None:
    """Read the indirect object at a place, or return None if none begins there. Raises SyntaxRefused."""
    match = _OBJECT.match(data, at)
    if match is None:
        return None
    if match[2] != b"0":
        raise SyntaxRefused(f"object {int(match[1])} is not of generation 0")
    value, end = read(data, match.end())
    end = skip_blanks(data, end)
    number = int(match[1])
    if data.startswith(b"endobj", end):
        return Object(number=number, value=value, start=at, end=end + len(b"endobj"))
    begun = _STREAM.match(data, end)
    length = value.get("Length") if isinstance(value, dict) else None
    if begun is None or type(length) is not int or length < 0:
        raise SyntaxRefused(f"object {number} does not end")
    ended = _END_OF_STREAM.match(data, begun.end() + length)
    if ended is None:
        raise SyntaxRefused(f"the stream {number} does not end where it says")
    stream = data[begun.end() : begun.end() + length]
    return Object(number=number, value=value, start=at, end=ended.end(), stream=stream, stream_at=begun.end())


def of(value: PdfObject) -> Value:
    """Return an object that pyHanko read, references not followed, as a value of this module."""
    written = BytesIO()
    value.write_to_stream(written, None)
    whole = written.getvalue()
    found, end = read(whole)
    if skip_blanks(whole, end) != len(whole):
        raise SyntaxRefused("more than one value")
    return found


def write(value: Value) -> bytes:
    """Write a value in one form, the keys of dictionaries in order: two values are the same if they are written so."""
    if isinstance(value, dict):
        pairs = (_write_name(key) + b" " + write(value[key]) for key in sorted(value))
        return b"<< " + b" ".join(pairs) + b" >>"
    if isinstance(value, Reference):
        return b"%d %d R" % value
    if isinstance(value, list):
        return b"[ " + b" ".join(map(write, value)) + b" ]"
    return _write_plain(value)


def _write_plain(value: bool | int | Decimal | bytes | Name | None) -> bytes:  # noqa: FBT001 - a value, not a switch
    if isinstance(value, bytes):
        return b"<" + value.hex().upper().encode() + b">"
    if isinstance(value, Name):
        return _write_name(value)
    if isinstance(value, bool) or value is None:
        return b"null" if value is None else (b"true" if value else b"false")
    if isinstance(value, Decimal):
        return format(value.normalize(), "f").encode()
    return b"%d" % value


def _write_name(name: str) -> bytes:
    raw = name.encode("latin-1")
    return b"/" + b"".join(bytes((byte,)) if byte in _REGULAR else b"#%02X" % byte for byte in raw)


def is_same(one: Value, other: Value) -> bool:
    """Tell whether two values are the same, true and 1 being two things."""
    return write(one) == write(other)
