"""
Checkpoints: what a log says of itself, once signed: its name, its size, the root of its tree.

Source: C2SP tlog-checkpoint. Extension lines are refused: nobody can audit them.
"""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from signer.transparency.merkle import DIGEST_BYTES, MOST_LEAVES
from signer.transparency.notes import Kind, NoteRefused, NotSigned, Signature, open_note

if TYPE_CHECKING:
    from collections.abc import Iterable

    from signer.transparency.notes import NoteKey

_TEXT: Final = re.compile(r"([^\s+]{1,120})\n(0|[1-9][0-9]{0,15})\n([A-Za-z0-9+/]{43}=)\n")


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A log's name (`origin`), how many leaves it has, and the root of their tree (32 bytes)."""

    origin: str
    size: int
    root: bytes

    @property
    def text(self) -> str:
        """The text that is signed."""
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode()}\n"


@dataclass(frozen=True, slots=True)
class Signed:
    """A checkpoint that its log has signed, and the known witnesses that have seen it."""

    checkpoint: Checkpoint
    by: NoteKey
    witnesses: tuple[Signature, ...]


def parse(text: str) -> Checkpoint:
    """Return the checkpoint of a note's text, in the one form that it has. Raises NoteRefused."""
    found = _TEXT.fullmatch(text)
    if found is None:
        raise NoteRefused("the text is no checkpoint")
    try:
        root = base64.b64decode(found[3], validate=True)
    except binascii.Error as error:
        raise NoteRefused("the root is no base64") from error
    checkpoint = Checkpoint(found[1], int(found[2]), root)
    if len(root) != DIGEST_BYTES or checkpoint.size > MOST_LEAVES or checkpoint.text != text:
        raise NoteRefused("the text is no checkpoint in its one form")
    return checkpoint


def open_signed(note: str, keys: Iterable[NoteKey]) -> Signed:
    """
    Return a checkpoint that one of the keys has signed as its log: under the log's own name.

    A witness's word alone makes none. Raises NotSigned if nobody who counts has signed it so, else NoteRefused.
    """
    opened = open_note(note, keys)
    checkpoint = parse(opened.text)
    logs = [each.key for each in opened.signatures if each.key.kind is Kind.ED25519]
    by = next((key for key in logs if key.name == checkpoint.origin), None)
    if by is None:
        raise NotSigned("its log has not signed it")
    witnesses = tuple(each for each in opened.signatures if each.key.kind is Kind.COSIGNATURE)
    return Signed(checkpoint, by, witnesses)
