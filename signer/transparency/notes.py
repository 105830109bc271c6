"""
Signed notes: a text that one or more keys have signed, as checkpoints are.

A line of a key that nobody has named is ignored; a line of a known key that does not verify refuses the whole note.
Source: C2SP signed-note; C2SP tlog-cosignature for the lines of witnesses.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import IntEnum
from typing import TYPE_CHECKING, Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from signer.errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

MOST_BYTES: Final = 32_000
MOST_SIGNATURES: Final = 32
_ED25519_BYTES: Final = 64
_KEY_BYTES: Final = 32
_ID_BYTES: Final = 4
_NAME: Final = re.compile(r"[^\s+]{1,120}")
_LINE: Final = re.compile(r"\u2014 ([^\s+]{1,120}) ([A-Za-z0-9+/]{8,8000}={0,2})")
_CONTROLS: Final = re.compile(r"[\x00-\x09\x0b-\x1f\x7f]")
_VKEY: Final = re.compile(r"([^\s+]{1,120})\+([0-9a-f]{8})\+([A-Za-z0-9+/]{44})")


class NoteRefused(InvalidInput):
    """A signed note is not written as one, or a known key has not signed it."""

    code = "note-refused"

    def __init__(self, reason: str) -> None:
        super().__init__("note", reason)


class NotSigned(NoteRefused):
    """A note is written as one, but nobody who counts has signed it."""


class Kind(IntEnum):
    """What a key signs: the text alone, or, as a witness, the text and the time at which it was seen."""

    ED25519 = 0x01
    COSIGNATURE = 0x04


@dataclass(frozen=True, slots=True)
class NoteKey:
    """A key that may have signed a note: its name, its public key (32 bytes) and what it signs."""

    name: str
    public: bytes
    kind: Kind = Kind.ED25519

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name) or len(self.public) != _KEY_BYTES:
            raise NoteRefused("a key has a name without blanks or '+', and 32 bytes")

    @property
    def id(self) -> bytes:
        """The key's id in a note (4 bytes): a hint, not a proof."""
        named = self.name.encode() + b"\n" + bytes([self.kind]) + self.public
        return hashlib.sha256(named).digest()[:_ID_BYTES]

    @property
    def text(self) -> str:
        """The key as `name+id+key`, the form in which keys are handed to verifiers."""
        return f"{self.name}+{self.id.hex()}+{base64.b64encode(bytes([self.kind]) + self.public).decode()}"


@dataclass(frozen=True, slots=True)
class Signature:
    """A line whose signature verified; `at` is when a witness saw the text."""

    key: NoteKey
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Note:
    """A text, and the known keys that have signed it: at least one."""

    text: str
    signatures: tuple[Signature, ...]


def parse_key(text: str) -> NoteKey:
    """Return the key of `name+id+key`. Raises NoteRefused."""
    found = _VKEY.fullmatch(text.strip())
    if found is None:
        raise NoteRefused("a key is written name+id+key")
    data = _decode(found[3])
    if len(data) != _KEY_BYTES + 1 or data[0] not in {kind.value for kind in Kind}:
        raise NoteRefused("the key is of a kind that is not known here")
    key = NoteKey(found[1], data[1:], Kind(data[0]))
    if key.id.hex() != found[2]:
        raise NoteRefused("the key's id is not its own")
    return key


def sign_note(text: str, *, name: str, key_id: bytes, sign_raw: Callable[[bytes], bytes]) -> str:
    """Return a note of a text (which ends in a newline) and one Ed25519 signature."""
    _refuse_text(text)
    return f"{text}\n{line(name, key_id + sign_raw(text.encode()))}"


def line(name: str, signature: bytes) -> str:
    """Return a line of a note; `signature` begins with the key's id."""
    return f"\u2014 {name} {base64.b64encode(signature).decode()}\n"


def cosigned_bytes(text: str, at: datetime) -> bytes:
    """Return what a witness signs. Source: C2SP tlog-cosignature, cosignature/v1."""
    return f"cosignature/v1\ntime {int(at.timestamp())}\n{text}".encode()


def cosignature(text: str, *, key: NoteKey, at: datetime, sign_raw: Callable[[bytes], bytes]) -> str:
    """Return the line by which a witness says that it has seen a checkpoint's text, consistent with all before."""
    seconds = int(at.timestamp()).to_bytes(8, "big")
    return line(key.name, key.id + seconds + sign_raw(cosigned_bytes(text, at)))


def split(note: str) -> tuple[str, tuple[tuple[str, bytes], ...]]:
    """Return a note's text and its lines as name and signature, none of them verified. Raises NoteRefused."""
    if len(note.encode(errors="replace")) > MOST_BYTES:
        raise NoteRefused(f"it has more than {MOST_BYTES} bytes")
    text, blank, tail = note.rpartition("\n\n")
    lines = tail.split("\n")
    if not blank or lines.pop() != "" or not 1 <= len(lines) <= MOST_SIGNATURES:
        raise NoteRefused("it has no signatures, or too many")
    _refuse_text(text + "\n")
    found = []
    for each in lines:
        parts = _LINE.fullmatch(each)
        if parts is None:
            raise NoteRefused("a line of its signatures is not written as one")
        found.append((parts[1], _decode(parts[2])))
    return text + "\n", tuple(found)


def open_note(note: str, keys: Iterable[NoteKey]) -> Note:
    """
    Return a note that at least one of the keys has signed. Raises NoteRefused.

    The same key twice is refused too: no log or witness signs a text twice.
    """
    text, lines = split(note)
    known = {(key.name, key.id): key for key in keys}
    found: dict[NoteKey, Signature] = {}
    for name, signature in lines:
        key = known.get((name, signature[:_ID_BYTES]))
        if key is None:
            continue
        if key in found:
            raise NoteRefused(f"{name} has signed it twice")
        found[key] = _verified(text, key, signature[_ID_BYTES:])
    if not found:
        raise NotSigned("no known key has signed it")
    return Note(text, tuple(found.values()))


def _verified(text: str, key: NoteKey, signature: bytes) -> Signature:
    at, signed = None, text.encode()
    if key.kind is Kind.COSIGNATURE:
        seconds, signature = int.from_bytes(signature[:8], "big"), signature[8:]
        if not 0 < seconds < 2**37:
            raise NoteRefused(f"the time of {key.name} is none")
        at = datetime.fromtimestamp(seconds, UTC)
        signed = cosigned_bytes(text, at)
    if len(signature) != _ED25519_BYTES:
        raise NoteRefused(f"the signature of {key.name} has the wrong length")
    try:
        Ed25519PublicKey.from_public_bytes(key.public).verify(signature, signed)
    except (InvalidSignature, ValueError) as error:
        raise NoteRefused(f"the signature of {key.name} does not verify") from error
    return Signature(key, at)


def _refuse_text(text: str) -> None:
    if not text.endswith("\n") or text == "\n" or _CONTROLS.search(text):
        raise NoteRefused("its text is empty, does not end in a newline, or holds control characters")
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise NoteRefused("its text is no UTF-8") from error


def _decode(text: str) -> bytes:
    try:
        data = base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise NoteRefused("it holds what is no base64") from error
    if base64.b64encode(data).decode() != text:
        raise NoteRefused("it holds base64 in another than its one form")
    return data
