"""
The status list as data: how each confirmation stands, in two bits, for verifiers that cannot ask the register.

`seal.status_list` signs and believes it.
Source: IETF, Token Status List (draft-ietf-oauth-status-list-19), sections 4 and 5; docs/reference/status-list.md.
"""

from __future__ import annotations

import base64
import binascii
import re
import zlib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import IntEnum, StrEnum
from typing import TYPE_CHECKING, Annotated, Final, Literal

import rfc8785
from pydantic import Field, ValidationError

from signer.domain import json_text
from signer.domain.confirmation import Standing
from signer.domain.values import Frozen
from signer.errors import InvalidInput, TooLarge

if TYPE_CHECKING:
    from collections.abc import Iterable

SIZE: Final = 131_072
"""How many places a list of ours has."""
MOST_PLACES: Final = 1 << 20
"""No list is read that has more places: unpacked it takes a quarter of that in bytes."""
MOST_BYTES: Final = 400_000
"""The longest payload that is read: the most places, not compressible, in base64url."""
LASTS: Final = timedelta(days=7)
TTL: Final = timedelta(hours=1)
FRESH: Final = timedelta(hours=24)
"""A list that is older says nothing good by itself any more."""
TOLERANCE: Final = timedelta(minutes=5)
"""How far the clocks of a service and of a verifier may lie apart."""
PATH: Final = "/.well-known/status/"
MOST_LISTS: Final = 100_000_000
_NUMBER: Final = re.compile(r"[1-9][0-9]{0,8}")
_FIELD: Final = "status-list"
_PER_BYTE: Final = 4


class Status(IntEnum):
    """
    The two bits.

    `ENDED` is for ever. `NOT_NOW`: pending, suspended, in doubt after a restore, or a place that nobody has.
    `REPLACED`: superseded, wholly or partly, or ended for some of its vehicles.
    """

    IN_FORCE = 0
    ENDED = 1
    NOT_NOW = 2
    REPLACED = 3


_NOT_NOW: Final = frozenset({Standing.PENDING, Standing.SUSPENDED})


def of_standings(standings: Iterable[Standing]) -> Status:
    """Return what the list says of a confirmation whose lines stand so; what holds any of them outweighs the rest."""
    found = frozenset(standings)
    if not found or found & _NOT_NOW:
        return Status.NOT_NOW
    if found == {Standing.ISSUED}:
        return Status.IN_FORCE
    return Status.REPLACED if found & {Standing.ISSUED, Standing.SUPERSEDED} else Status.ENDED


def blank(size: int = SIZE) -> bytearray:
    """Return the places of a list, a byte each, before anybody has one."""
    return bytearray([Status.NOT_NOW]) * size


def pack(places: bytes | bytearray) -> bytes:
    """Pack places of a byte each, a multiple of four: the first of four in the lowest bits. Source: section 4.1."""
    whole = 0
    for nth in range(_PER_BYTE):
        whole |= int.from_bytes(places[nth::_PER_BYTE], "little") << (2 * nth)
    return whole.to_bytes(len(places) // _PER_BYTE, "little")


def compress(packed: bytes) -> str:
    """
    Return packed places as `lst`: zlib in base64url without padding. Source: section 4.1.

    Our places are drawn at random, so that there is nothing in a list that comes again: Huffman's code alone is shorter
    than zlib's highest level, and a hundred times as fast. Of a list that is almost empty runs are shorter.
    """
    found = (_deflate(packed, strategy) for strategy in (zlib.Z_HUFFMAN_ONLY, zlib.Z_RLE))
    return base64.urlsafe_b64encode(min(found, key=len)).rstrip(b"=").decode("ascii")


def _deflate(packed: bytes, strategy: int) -> bytes:
    stream = zlib.compressobj(9, zlib.DEFLATED, zlib.MAX_WBITS, 9, strategy)
    return stream.compress(packed) + stream.flush()


def expand(lst: str) -> bytes:
    """Return the packed places of a `lst`, at most a megabit of places. Raises InvalidInput."""
    try:
        data = base64.b64decode(lst + "=" * (-len(lst) % 4), altchars=b"-_", validate=True)
        stream = zlib.decompressobj()
        packed = stream.decompress(data, MOST_PLACES // _PER_BYTE + 1)
    except (binascii.Error, zlib.error, ValueError) as error:
        raise InvalidInput(_FIELD, f"lst is no zlib stream in base64url: {error}"[:200]) from error
    if base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii") != lst:
        raise InvalidInput(_FIELD, "lst is not in its one spelling")
    if len(packed) * _PER_BYTE > MOST_PLACES:
        raise InvalidInput(_FIELD, f"it has more than {MOST_PLACES} places")
    if not packed or not stream.eof or stream.unused_data:
        raise InvalidInput(_FIELD, "lst is cut off, empty, or has something after its end")
    return packed


class Bits(Frozen):
    """The list itself. Source: section 4.2."""

    bits: Literal[2] = 2
    lst: Annotated[str, Field(min_length=1, max_length=MOST_BYTES)]


Epoch = Annotated[int, Field(ge=0, le=253_402_300_799)]


class Claims(Frozen):
    """What a list's token says; `sub` is where it lies. Source: section 5.1."""

    sub: Annotated[str, Field(max_length=400)]
    iat: Epoch
    exp: Epoch
    ttl: Annotated[int, Field(ge=1, le=2_592_000)]
    status_list: Bits


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusList:
    """A list that was believed, unpacked: where it lies, of when it is, and until when it may be used."""

    uri: str
    at: datetime
    expires: datetime
    packed: bytes

    def __len__(self) -> int:
        return len(self.packed) * _PER_BYTE

    def status(self, index: int) -> Status:
        """Return the two bits of a place. Raises InvalidInput if there is no such place."""
        if not 0 <= index < len(self):
            raise InvalidInput(_FIELD, f"there is no place {index} in a list of {len(self)}")
        return Status(self.packed[index // _PER_BYTE] >> (2 * (index % _PER_BYTE)) & 3)


def encode(uri: str, places: bytes | bytearray, *, at: datetime) -> bytes:
    """Return the payload of a list's token: canonical JSON (RFC 8785)."""
    begun = int(at.timestamp())
    claims = Claims(
        sub=uri,
        iat=begun,
        exp=begun + int(LASTS.total_seconds()),
        ttl=int(TTL.total_seconds()),
        status_list=Bits(lst=compress(pack(places))),
    )
    return rfc8785.dumps(claims.model_dump())


def decode(payload: bytes) -> StatusList:
    """Read a payload back. Raises InvalidInput unless it is the one encoding of what it says."""
    try:
        json_text.load(payload, most_bytes=MOST_BYTES)
        claims = Claims.model_validate_json(payload)
    except TooLarge as error:
        raise InvalidInput(_FIELD, str(error)) from error
    except ValidationError as error:
        found = error.errors(include_input=False)[0]
        raise InvalidInput(_FIELD, f"/{'/'.join(map(str, found['loc']))}: {found['msg']}"[:300]) from error
    if rfc8785.dumps(claims.model_dump()) != payload:
        raise InvalidInput(_FIELD, "is not in its one canonical form")
    if claims.exp <= claims.iat:
        raise InvalidInput(_FIELD, "it ends before it begins")
    return StatusList(
        uri=claims.sub,
        at=datetime.fromtimestamp(claims.iat, UTC),
        expires=datetime.fromtimestamp(claims.exp, UTC),
        packed=expand(claims.status_list.lst),
    )


def uri_of(base_url: str, number: int) -> str:
    """Return where a list lies."""
    return f"{base_url.rstrip('/')}{PATH}{number}"


def number_of(uri: str, base_url: str) -> int:
    """Return which list lies there. Raises InvalidInput if it is not one of this service."""
    begin, number = uri_of(base_url, 0)[:-1], uri.rpartition("/")[2]
    if not _NUMBER.fullmatch(number) or uri != begin + number:
        raise InvalidInput(_FIELD, f"{uri[:120]!r} is not a list of {base_url}")
    return int(number)


def refuse_following(older: StatusList | None, newer: StatusList) -> None:
    """Refuse to keep a list in the place of another unless it is a later word on the same. Raises InvalidInput."""
    if older is None:
        return
    if newer.uri != older.uri:
        raise InvalidInput(_FIELD, f"it is {newer.uri}, not {older.uri}")
    if newer.at < older.at or (newer.at == older.at and newer.packed != older.packed):
        raise InvalidInput(_FIELD, f"it is of {newer.at:%Y-%m-%dT%H:%M:%SZ}; a later one is kept already")
    if len(newer) < len(older):
        raise InvalidInput(_FIELD, f"it has {len(newer)} places; the one before had {len(older)}")


class Doubt(StrEnum):
    """Why a list says nothing, or nothing good, of a place."""

    MISSING = "STATUS_LIST_MISSING"
    OLDER = "STATUS_LIST_OLDER"
    OUT_OF_RANGE = "STATUS_LIST_TOO_SHORT"
    EXPIRED = "STATUS_LIST_EXPIRED"
    TOO_OLD = "STANDING_TOO_OLD"
    FUTURE = "STATUS_LIST_FROM_THE_FUTURE"


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """
    What a list says of a place.

    `status` is None where it says nothing at all. With a `doubt` beside it, it is only what was so `as_of` then; what
    has ended for ever is never in doubt.
    """

    status: Status | None = None
    doubt: Doubt | None = None
    as_of: datetime | None = None


def status_of(found: StatusList | None, index: int, at: datetime, *, code_at: datetime) -> Said:
    """
    Say how the confirmation stands that has a place, at an instant, for a code that was made at `code_at`.

    A list from before the code says nothing of it: the place was another's word then, or nobody's.
    """
    if found is None:
        return Said(doubt=Doubt.MISSING)
    if index >= len(found) or index < 0:
        return Said(doubt=Doubt.OUT_OF_RANGE, as_of=found.at)
    if found.at < code_at:
        return Said(doubt=Doubt.OLDER, as_of=found.at)
    status = found.status(index)
    return Said(status=status, doubt=None if status is Status.ENDED else _age(found, at), as_of=found.at)


def _age(found: StatusList, at: datetime) -> Doubt | None:
    if found.at > at + TOLERANCE:
        return Doubt.FUTURE
    if at >= found.expires:
        return Doubt.EXPIRED
    return Doubt.TOO_OLD if at - found.at > FRESH else None
