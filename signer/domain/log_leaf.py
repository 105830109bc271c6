"""
What the transparency log holds of a confirmation, and what opens it: leaves, openings, and `log-proof.json`.

A leaf tells strangers nothing but that something of a kind happened in a minute: neither number nor digest (they stand
in a commitment), nor whose it is (its tag is another for each leaf of a manufacturer). The bytes are frozen: see
tests/vectors/log_proof.json.
Source: docs/reference/formats.md, log proofs; docs/adr/0051.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Final, Literal

import rfc8785
from pydantic import AfterValidator, ConfigDict, Field, ValidationError

from signer.domain import json_text
from signer.domain.number import Number
from signer.domain.values import Frozen, Hex256
from signer.errors import InvalidInput, SignerError

if TYPE_CHECKING:
    from signer.domain.parties import Uscc

SCHEMA: Final = "signer.log-proof/1"
MOST_BYTES: Final = 40_000
"""The longest `log-proof.json`; one of a log of a million leaves has some 2 kB."""
_PREFIX: Final = b"signer/leaf/1"
_DIGEST: Final = 32
_HEADS: Final = tuple(bytes([0x60 + length]) for length in range(24))
_FIRST_MINUTE, _LAST_MINUTE = 1 << 16, 4_223_371_679


class LeafType(StrEnum):
    """What happened to a confirmation."""

    INTENT = "intent"
    ISSUED = "issued"
    ABANDON = "abandon"
    WITHDRAW = "withdraw"
    SUPERSEDE = "supersede"
    BACKFILL = "backfill"


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaf:
    """
    One leaf of the log: its type, the minute in which it was made, its tag, and the commitment to the rest.

    `tag` and `commitment` have 32 bytes; `at` is a whole minute.
    """

    type: LeafType
    at: datetime
    tag: bytes
    commitment: bytes

    def encode(self) -> bytes:
        """Return its bytes: deterministic CBOR (RFC 8949, 4.2.1) of [1, type, minutes since 1970, tag, commitment]."""
        return _leaf(self.type, self.at, self.tag, self.commitment)

    @classmethod
    def parse(cls, data: bytes) -> Leaf:
        """Read a leaf in its one encoding. Raises InvalidInput."""
        for kind in LeafType:
            start = b"\x85\x01" + _text(kind) + b"\x1a"
            if data.startswith(start):
                rest = data[len(start) :]
                minutes = int.from_bytes(rest[:4], "big")
                if len(rest) != 4 + 2 * (2 + _DIGEST) or not _FIRST_MINUTE <= minutes <= _LAST_MINUTE:
                    break
                at = datetime.fromtimestamp(minutes * 60, UTC)
                found = cls(type=kind, at=at, tag=rest[6:38], commitment=rest[40:])
                if found.encode() == data:
                    return found
        raise InvalidInput("leaf", "is no leaf of this log")


@dataclass(frozen=True, slots=True, kw_only=True)
class Plain:
    """An opening in bytes, as the log is written by: `digest`, `previous` and `nonce` have 32 each."""

    type: LeafType
    number: Number
    digest: bytes
    previous: bytes | None
    nonce: bytes

    def commitment(self, tag: bytes) -> bytes:
        """Return the commitment that `Opening` describes."""
        previous = b"\xf6" if self.previous is None else _of(self.previous)
        fields = b"\x85" + _text(self.type) + _text(self.number) + _of(tag, self.digest) + previous
        return hashlib.sha256(_PREFIX + self.nonce + fields).digest()

    def leaf(self, *, tag: bytes, at: datetime) -> Leaf:
        """Return the leaf that this opens; `at` is cut to its minute."""
        minute = at.replace(second=0, microsecond=0)
        return Leaf(type=self.type, at=minute, tag=tag, commitment=self.commitment(tag))

    def encoded(self, *, tag: bytes, at: datetime) -> bytes:
        """Return the bytes of the leaf that this opens."""
        return _leaf(self.type, at, tag, self.commitment(tag))


class Opening(Frozen):
    """
    What a leaf commits to: whose the leaf is beyond doubt, for who holds this.

    `digest` is that of the content for an `intent`, else that of S, the sealed prefix. `previous` is the leaf hash of
    the leaf before about the same number, absent if there is none.
    """

    nonce: Hex256
    type: LeafType
    number: Number
    digest: Hex256
    previous: Hex256 | None = None

    def commitment(self, tag: bytes) -> bytes:
        """Return SHA-256 of `signer/leaf/1`, the nonce, and the CBOR of [type, number, tag, digest, previous]."""
        return self.plain.commitment(tag)

    @property
    def plain(self) -> Plain:
        """The same in bytes."""
        return Plain(
            type=self.type,
            number=self.number,
            digest=bytes.fromhex(self.digest),
            previous=None if self.previous is None else bytes.fromhex(self.previous),
            nonce=bytes.fromhex(self.nonce),
        )

    def opens(self, leaf: Leaf) -> bool:
        """Tell whether this is what a leaf commits to."""
        return leaf.type is self.type and leaf.commitment == self.commitment(leaf.tag)


def maker_key(issuer_secret: bytes, uscc: Uscc) -> bytes:
    """Return the key (32 bytes) by which a manufacturer finds its own leaves, and nobody else's."""
    return hmac.digest(issuer_secret, uscc.encode(), "sha256")


def tag(maker: bytes, running: int) -> bytes:
    """Return the tag (32 bytes) of a manufacturer's leaf; its leaves are numbered from 1 without a gap."""
    return hmac.digest(maker, b"signer/tag/1" + running.to_bytes(8, "big"), "sha256")


def _is_base64(text: str) -> str:
    try:
        data = base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise ValueError("is no base64") from error
    if base64.b64encode(data).decode() != text:
        raise ValueError("is not in the one form of base64")
    return text


Base64 = Annotated[str, Field(max_length=400, pattern=r"^[A-Za-z0-9+/]+={0,2}$"), AfterValidator(_is_base64)]
Hash = Annotated[str, Field(pattern=r"^[A-Za-z0-9+/]{43}=$"), AfterValidator(_is_base64)]


class LogProof(Frozen):
    """
    That a leaf stands in the log: `log-proof.json`.

    `leaf` is its bytes and `path` the hashes of RFC 9162, from the leaf upwards, in base64; `index` counts from 0;
    `checkpoint` is the signed note under whose root the leaf stands.
    """

    model_config = ConfigDict(populate_by_name=True)

    schema_: Literal["signer.log-proof/1"] = Field(default=SCHEMA, alias="schema")
    leaf: Base64
    opening: Opening
    index: Annotated[int, Field(ge=0, lt=2**53)]
    path: Annotated[tuple[Hash, ...], Field(max_length=53)]
    checkpoint: Annotated[str, Field(min_length=1, max_length=32_000)]

    @property
    def leaf_bytes(self) -> bytes:
        """The leaf's bytes, which are hashed."""
        return base64.b64decode(self.leaf)

    @property
    def hashes(self) -> tuple[bytes, ...]:
        """The hashes of the path."""
        return tuple(base64.b64decode(each) for each in self.path)


class ProofRefused(InvalidInput):
    """Bytes are no log proof; `fault` is `schema-unknown`, `malformed` or `not-canonical`."""

    code = "log-proof-refused"

    def __init__(self, fault: str, reason: str) -> None:
        super().__init__("log-proof", reason)
        self.fault = fault


def encode_proof(proof: LogProof) -> bytes:
    """Return the bytes of `log-proof.json` (RFC 8785): what is absent is absent, never null."""
    return rfc8785.dumps(proof.model_dump(mode="json", by_alias=True, exclude_none=True))


def parse_proof(data: bytes) -> LogProof:
    """Read `log-proof.json` in its one encoding. Raises ProofRefused."""
    try:
        value = json_text.load(data, most_bytes=MOST_BYTES)
    except SignerError as error:
        raise ProofRefused("malformed", str(error)) from error
    if not isinstance(value, dict) or value.get("schema") != SCHEMA:
        raise ProofRefused("schema-unknown", f"not {SCHEMA}")
    try:
        proof = LogProof.model_validate_json(data)
    except ValidationError as error:
        first = error.errors(include_input=False)[0]
        raise ProofRefused("malformed", f"/{'/'.join(map(str, first['loc']))}: {first['msg']}"[:300]) from error
    if encode_proof(proof) != data:
        raise ProofRefused("not-canonical", "the bytes are not the canonical encoding of what they say")
    return proof


def _leaf(kind: LeafType, at: datetime, tag_: bytes, commitment: bytes) -> bytes:
    minutes = int(at.timestamp()) // 60
    if not _FIRST_MINUTE <= minutes <= _LAST_MINUTE:
        raise ValueError(f"no leaf is of {at}")
    return b"\x85\x01" + _text(kind) + b"\x1a" + minutes.to_bytes(4, "big") + _of(tag_, commitment)


def _text(value: str) -> bytes:
    """Return the CBOR of ASCII text below 24 characters, as every type and number is."""
    data = value.encode("ascii")
    if len(data) >= 24:
        raise ValueError(f"{value!r} is too long for a leaf")
    return _HEADS[len(data)] + data


def _of(*digests: bytes) -> bytes:
    """Return the CBOR of byte strings of 32 bytes, one after the other."""
    for each in digests:
        if len(each) != _DIGEST:
            raise ValueError("a digest has 32 bytes")
    return b"\x58\x20" + b"\x58\x20".join(digests)
