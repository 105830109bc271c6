"""
What is refused before any parser sees a file: plain bytes and expressions that take linear time.

Source: docs/reference/acceptance-rules.md, rule 1.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Final

from signer.domain.number import ALPHABET, Number

if TYPE_CHECKING:
    from collections.abc import Iterable

MOST_BYTES: Final = 20_000_000
MOST_CONTENTS_BYTES: Final = 65_536
MOST_REVISIONS: Final = 16
MOST_OBJECTS: Final = 100_000
MOST_FIELDS: Final = 5_000
MOST_DIGITS: Final = 64
_MOST_BLOBS: Final = 64
_MOST_NUMBERS: Final = 1_000
_MOST_SIZES: Final = 10_000

_END = re.compile(rb"%%EOF(?:\r\n|\r|\n)?\Z")
_ENCRYPT = re.compile(rb"/Encrypt(?![A-Za-z0-9])")
_SIZE = re.compile(rb"/Size\s{1,8}([0-9]{1,20})")
_WORDS: Final = re.compile(rb"/(?:Encrypt|Size|FT|Contents)")
_FEW: Final = 2_000
"""So many of those words are looked at where they stand: one search instead of four, and too few to be too many."""
_NEAR: Final = 400
_TOO_MANY_DIGITS = b"0" * (MOST_DIGITS + 1)
_STEP: Final = 12
_SOME_DIGITS = b"0" * (len(_TOO_MANY_DIGITS) // _STEP)
"""What such a run has at every twelfth byte, wherever it begins; a table's lines of twenty bytes have fewer."""
_DIGITS_ALIKE = bytes(0x30 if chr(byte).isdecimal() and byte < 0x80 else 0x20 for byte in range(256))
_BEFORE_HEX = frozenset(b"0123456789ABCDEFabcdef<")
_CONTENTS = re.compile(rb"/Contents\s{0,8}<([0-9A-Fa-f\s]{%d})" % (2 * MOST_CONTENTS_BYTES + 1))
_HEX = re.compile(rb"<([0-9A-Fa-f]{512,%d})>?" % (2 * MOST_CONTENTS_BYTES))
_NUMBER = re.compile(rb"(?<![0-9A-Z-])[%b]{5}-[%b]{5}-[%b]{4}(?![0-9A-Z-])" % ((ALPHABET.encode(),) * 3))
_OUR_MARKS = (b"/T (Seal)", b"/T(Seal)", b"(confirmation.json)")


@dataclass(frozen=True, slots=True)
class Refusal:
    """
    Why a file is refused. `reason` is a stable word.

    `is_final` tells that nothing more need be asked; otherwise the file may be one of ours that was damaged.
    """

    reason: str
    detail: str
    is_final: bool


def refusal(pdf: bytes) -> Refusal | None:
    """Return why a file may not be parsed, or None."""
    if not pdf:
        return Refusal("EMPTY", "the file is empty", is_final=True)
    if len(pdf) > MOST_BYTES:
        return Refusal("TOO_LARGE", f"{len(pdf)} bytes; at most {MOST_BYTES} are read", is_final=True)
    if not pdf.startswith(b"%PDF-"):
        return Refusal("NOT_PDF", "the file does not begin with %PDF-", is_final=True)
    places = [found.start() for found in islice(_WORDS.finditer(pdf), _FEW + 1)]
    is_few = len(places) <= _FEW
    if any(_ENCRYPT.match(pdf, at) for at in places) if is_few else _ENCRYPT.search(pdf):
        return Refusal("ENCRYPTED", "the file is encrypted", is_final=True)
    fault = _size_fault(pdf, places if is_few else None)
    return Refusal("MALFORMED", fault, is_final=False) if fault else None


def _size_fault(pdf: bytes, places: list[int] | None) -> str:
    """Return what a file has too much of, or ''. `places` are those of all `_WORDS`, if they are few."""
    if pdf.count(b"startxref") > MOST_REVISIONS:
        return f"more than {MOST_REVISIONS} revisions"
    sizes = _SIZE.finditer(pdf) if places is None else filter(None, (_SIZE.match(pdf, at) for at in places))
    if any(_is_too_large(pdf, found) for found in islice(sizes, _MOST_SIZES)):
        return f"more than {MOST_OBJECTS} objects"
    if places is None and pdf.count(b"/FT") > MOST_FIELDS:
        return f"more than {MOST_FIELDS} fields"
    if _CONTENTS.search(pdf) if places is None else any(_CONTENTS.match(pdf, at) for at in places):
        return f"a signature of more than {MOST_CONTENTS_BYTES} bytes"
    if _has_long_number(pdf):
        return f"a number of more than {MOST_DIGITS} digits"
    return ""


def _is_too_large(pdf: bytes, size: re.Match[bytes]) -> bool:
    """Tell whether a table says that it has too many objects; the size of an attached file is its own."""
    if int(size[1]) <= MOST_OBJECTS:
        return False
    before = pdf[max(0, size.start() - _NEAR) : size.start()]
    return before.rfind(b"/Params") <= before.rfind(b">>")


def _has_long_number(pdf: bytes) -> bool:
    """Tell whether a run of digits, not inside a hexadecimal string, is longer than a parser should meet."""
    if _SOME_DIGITS not in pdf[::_STEP].translate(_DIGITS_ALIKE):
        return False
    alike = pdf.translate(_DIGITS_ALIKE)
    start = alike.find(_TOO_MANY_DIGITS)
    while start >= 0:
        if start == 0 or pdf[start - 1] not in _BEFORE_HEX:
            return True
        end = alike.find(b" ", start)
        start = alike.find(_TOO_MANY_DIGITS, end) if end >= 0 else -1
    return False


def has_clean_end(pdf: bytes) -> bool:
    """Tell whether the file ends with %%EOF and at most one end of line."""
    return _END.search(pdf, max(0, len(pdf) - 16)) is not None


def number_in(text: bytes) -> Number | None:
    """Return the first confirmation number in a text whose check character fits; a thousand are tried."""
    for match in islice(_NUMBER.finditer(text), _MOST_NUMBERS):
        try:
            return Number(match.group().decode())
        except ValueError:
            continue
    return None


def claims_ours(pdf: bytes, certificates: Iterable[bytes]) -> bool:
    """
    Tell, from bytes alone, whether a file that cannot be parsed claims to be a confirmation.

    It does by our field's name, our attachment's name, a number that fits, or one of these certificates (DER)
    inside a hexadecimal string.
    """
    if any(mark in pdf for mark in _OUR_MARKS) or number_in(pdf) is not None:
        return True
    found = [match.group(1) for match in islice(_HEX.finditer(pdf), _MOST_BLOBS)]
    blobs = [bytes.fromhex(text[: len(text) // 2 * 2].decode()) for text in found]
    return any(certificate in blob for certificate in certificates for blob in blobs)
