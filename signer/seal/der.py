"""DER, read strictly and written: every length minimal and definite, nothing left over. Source: ITU-T X.690, 10."""

from __future__ import annotations

from typing import NamedTuple

INTEGER, OCTET_STRING, NULL, OID, SEQUENCE, SET = 0x02, 0x04, 0x05, 0x06, 0x30, 0x31
CONTEXT_0, CONTEXT_1, CONTEXT_4 = 0xA0, 0xA1, 0xA4
_LONG_FORM = 0x80
_MOST_LENGTH_BYTES = 4


class NotDer(ValueError):
    """Bytes are not the DER that they must be."""


class Node(NamedTuple):
    """One value: its tag byte, its content, and the whole with tag and length."""

    tag: int
    body: bytes
    whole: bytes


def read(data: bytes, start: int = 0) -> Node:
    """Read the value that begins at `start`; what follows it is the caller's business. Raises NotDer."""
    if len(data) < start + 2:
        raise NotDer(f"cut off at byte {start}")
    tag, first = data[start], data[start + 1]
    if tag & 0x1F == 0x1F:
        raise NotDer(f"a tag of several bytes at byte {start}")
    body_at, length = start + 2, first
    if first >= _LONG_FORM:
        size = first - _LONG_FORM
        if not 1 <= size <= _MOST_LENGTH_BYTES:
            raise NotDer(f"an indefinite or huge length at byte {start}")
        body_at += size
        length = int.from_bytes(data[start + 2 : body_at], "big")
        if length < _LONG_FORM or length >> (8 * (size - 1)) == 0:
            raise NotDer(f"a length that is not minimal at byte {start}")
    end = body_at + length
    if end > len(data):
        raise NotDer(f"cut off at byte {start}")
    return Node(tag, data[body_at:end], data[start:end])


def only(data: bytes, tag: int) -> Node:
    """Read the one value that is all of `data` and has this tag."""
    node = read(data)
    if len(node.whole) != len(data):
        raise NotDer(f"{len(data) - len(node.whole)} bytes follow the value")
    if node.tag != tag:
        raise NotDer(f"tag {node.tag:#04x} where {tag:#04x} must be")
    return node


def children(body: bytes) -> tuple[Node, ...]:
    """Read the values that fill a constructed value's content."""
    found, start = [], 0
    while start < len(body):
        node = read(body, start)
        found.append(node)
        start += len(node.whole)
    return tuple(found)


def encode(tag: int, *parts: bytes) -> bytes:
    """Return one value: tag, minimal length, and the parts as its content."""
    body = b"".join(parts)
    if len(body) < _LONG_FORM:
        return bytes((tag, len(body))) + body
    length = len(body).to_bytes((len(body).bit_length() + 7) // 8, "big")
    return bytes((tag, _LONG_FORM + len(length))) + length + body


def integer(number: int) -> bytes:
    """Return an INTEGER of a number that is not negative."""
    return encode(INTEGER, number.to_bytes(number.bit_length() // 8 + 1, "big"))


def set_of(tag: int, *parts: bytes) -> bytes:
    """Return a SET OF: its members in the order of their encodings. Source: X.690, 11.6."""
    return encode(tag, *sorted(parts))
