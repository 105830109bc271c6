"""
Deterministic CBOR, as far as we write it: integers, byte and text strings, arrays, and maps whose keys are integers.

Everything has one encoding, and `decode` takes no other: whoever reads what we wrote reads the very bytes.
Source: RFC 8949, 3 and 4.2.1.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeAlias, Union

from signer.errors import SignerError

if TYPE_CHECKING:
    from collections.abc import Mapping

Cbor: TypeAlias = Union[int, bytes, str, tuple["Cbor", ...], "Mapping[int, Cbor]"]
MOST_DEEP: Final = 8
_UNSIGNED, _NEGATIVE, _BYTES, _TEXT, _ARRAY, _MAP = range(6)
_DIRECT: Final = 24
_WIDTHS: Final = {24: 1, 25: 2, 26: 4, 27: 8}
_INDEFINITE: Final = 31


class CborRefused(SignerError):
    """
    Bytes are not the one encoding of a value of ours.

    `reason` is `truncated`, `trailing`, `not-minimal`, `indefinite`, `type` (floats, tags, simple values, keys that are
    no integers), `duplicate-key`, `key-order`, `text` (not UTF-8) or `depth`.
    """

    code = "cbor-refused"

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def encode(value: Cbor) -> bytes:
    """Return the one encoding of a value: shortest heads, definite lengths, keys in the order of their bytes."""
    if isinstance(value, int):
        return _head(_UNSIGNED, value) if value >= 0 else _head(_NEGATIVE, -1 - value)
    if isinstance(value, bytes):
        return _head(_BYTES, len(value)) + value
    if isinstance(value, str):
        data = value.encode()
        return _head(_TEXT, len(data)) + data
    if isinstance(value, tuple):
        return _head(_ARRAY, len(value)) + b"".join(map(encode, value))
    pairs = sorted((encode(key), encode(item)) for key, item in value.items())
    return _head(_MAP, len(pairs)) + b"".join(key + item for key, item in pairs)


def tagged(tag: int, encoded: bytes) -> bytes:
    """Return a value's encoding under a tag."""
    return _head(6, tag) + encoded


def _head(major: int, number: int) -> bytes:
    if number < _DIRECT:
        return bytes([major << 5 | number])
    for short, width in _WIDTHS.items():
        if number < 1 << (8 * width):
            return bytes([major << 5 | short]) + number.to_bytes(width, "big")
    raise ValueError("an integer of more than 64 bits has no place in CBOR of ours")


def decode(data: bytes) -> Cbor:
    """Return the value of its one encoding. Raises CborRefused for any other bytes."""
    reader = _Reader(data)
    value = reader.value(0)
    if reader.at != len(data):
        raise CborRefused("trailing")
    return value


@dataclass(slots=True)
class _Reader:
    """Where reading is; it grows by what it has read and never by what a head claims."""

    data: bytes
    at: int = 0

    def value(self, depth: int) -> Cbor:
        if depth > MOST_DEEP:
            raise CborRefused("depth")
        major, number = self._head()
        if major in {_UNSIGNED, _NEGATIVE}:
            return number if major == _UNSIGNED else -1 - number
        if major == _BYTES:
            return self._take(number)
        if major == _TEXT:
            return _text(self._take(number))
        if major == _ARRAY:
            return tuple(self.value(depth + 1) for _ in range(self._counted(number)))
        return self._map(self._counted(number), depth)

    def _map(self, count: int, depth: int) -> dict[int, Cbor]:
        found: dict[int, Cbor] = {}
        last = b""
        for _ in range(count):
            start = self.at
            key = self.value(depth + 1)
            if not isinstance(key, int):
                raise CborRefused("type")
            spelled = self.data[start : self.at]
            if key in found:
                raise CborRefused("duplicate-key")
            if spelled < last:
                raise CborRefused("key-order")
            last, found[key] = spelled, self.value(depth + 1)
        return found

    def _head(self) -> tuple[int, int]:
        major, short = divmod(self._take(1)[0], 32)
        if major > _MAP:
            raise CborRefused("indefinite" if (major, short) == (7, _INDEFINITE) else "type")
        if short < _DIRECT:
            return major, short
        if short == _INDEFINITE:
            raise CborRefused("indefinite")
        if short not in _WIDTHS:
            raise CborRefused("type")
        number = int.from_bytes(self._take(_WIDTHS[short]), "big")
        if len(_head(major, number)) != 1 + _WIDTHS[short]:
            raise CborRefused("not-minimal")
        return major, number

    def _counted(self, count: int) -> int:
        """Refuse more members than bytes are left: each takes one at least."""
        if count > len(self.data) - self.at:
            raise CborRefused("truncated")
        return count

    def _take(self, count: int) -> bytes:
        if count > len(self.data) - self.at:
            raise CborRefused("truncated")
        self.at += count
        return self.data[self.at - count : self.at]


def _text(data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise CborRefused("text") from error
