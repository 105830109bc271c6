"""The value is spelt otherwise than DER spells it: without lengths, with long ones, deep, huge, negative."""

from __future__ import annotations

from typing import TYPE_CHECKING

from forged import replaced, value, with_value

from signer.seal import cms, der

if TYPE_CHECKING:
    from collections.abc import Iterator

    from genuine import Genuine


def make(genuine: Genuine) -> Iterator[bytes]:
    whole = value(genuine)
    inside = der.only(whole, der.SEQUENCE).body
    key = genuine.ours.seal("yunzhou").certificate
    yield with_value(genuine, b"\x30\x80" + inside + b"\x00\x00")
    yield with_value(genuine, b"\x30\x84" + len(inside).to_bytes(4, "big") + inside)
    yield with_value(genuine, whole[:-1])
    yield with_value(genuine, whole + b"\x05\x00")
    yield with_value(genuine, b"\x31" + whole[1:])
    for opened in (b"\x30\x80" * 2000, b"\xa0\x80" * 2000, b"\x24\x80" * 2000):
        yield with_value(genuine, opened)
    nested = b""
    for _ in range(1200):
        nested = der.encode(der.SEQUENCE, nested)
    yield with_value(genuine, nested)
    yield with_value(genuine, whole.replace(key.serial, nested, 1))
    huge = der.encode(der.INTEGER, b"\x7f" + bytes(4000))
    for serial in (huge, b"\x02\x01\xff", b"\x02\x00", b"\x02\x02\x00\x01", der.encode(der.INTEGER, bytes(20))):
        yield with_value(genuine, replaced(whole, key.serial, serial))
    for oid in (b"\x06\x00", b"\x06\x01\x80", der.encode(der.OID, b"\xff" * 3000 + b"\x01")):
        yield with_value(genuine, der.encode(der.SEQUENCE, oid, inside[len(cms.SIGNED_DATA) :]))
    yield with_value(genuine, b"\x1f\xff\xff\xff\x7f\x00")
