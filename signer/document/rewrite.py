"""
Write a PDF of Typst's again, whole, with a few of its objects changed and a few more: one revision, one table.

Typst writes each object plainly, one after another, and a classic table of them. What it wrote is copied as it is, so
that this costs a hundredth of reading and writing all of it. Source: ISO 32000-1, 7.5; ISO 19005-3, 6.1.
"""

from __future__ import annotations

import base64
import hashlib
import re
from typing import TYPE_CHECKING, Final

from signer.errors import SignerError

if TYPE_CHECKING:
    from collections.abc import Mapping

_TAIL: Final = re.compile(
    rb"trailer\n<</Size (?P<size>[0-9]+)(?P<middle>/Root [0-9]+ 0 R/Info [0-9]+ 0 R)"
    rb"/ID\[\((?P<id>[A-Za-z0-9+/=]{24})\)\([A-Za-z0-9+/=]{24}\)\]>>\nstartxref\n(?P<at>[0-9]+)\n%%EOF\n?"
)
_ENTRY: Final = re.compile(rb"([0-9]{10}) 00000 n\r\n")
_FREE: Final = b"0000000000 65535 f\r\n"
_MOST_TAIL_BYTES: Final = 400
_ENTRY_BYTES: Final = 20


class RewriteFailed(SignerError):
    """A rendered PDF is not as Typst writes it."""

    code = "rewrite-failed"


def rewritten(pdf: bytes, changed: Mapping[int, bytes], added: tuple[bytes, ...] = ()) -> bytes:
    """
    Return the PDF with objects changed, by number, and others added behind them, as numbers from `next_number` on.

    Each is given as its value, without `obj` and `endobj`. The second identifier follows from all of it. The same input
    gives the same bytes. Raises RewriteFailed.
    """
    tail, offsets = _table(pdf)
    values = dict(changed) | dict(enumerate(added, start=len(offsets) + 1))
    parts = [pdf[: min(offsets)]]
    at, placed = len(parts[0]), {}
    ends = dict(zip(sorted(offsets), [*sorted(offsets)[1:], int(tail["at"])], strict=True))
    kept = [(number, pdf[start : ends[start]]) for number, start in sorted(enumerate(offsets, start=1), key=_second)]
    further = [(number, b"") for number in range(len(offsets) + 1, len(offsets) + 1 + len(added))]
    for number, as_it_is in (*kept, *further):
        value = values.pop(number, None)
        part = as_it_is if value is None else b"%d 0 obj\n%b\nendobj\n\n" % (number, value)
        placed[number] = at
        parts.append(part)
        at += len(part)
    if values:
        raise RewriteFailed(f"there is no object {min(values)} to be changed")
    entries = b"".join([b"%010d 00000 n \n" % placed[number] for number in range(1, len(placed) + 1)])
    table = b"xref\n0 %d\n0000000000 65535 f \n%b" % (len(placed) + 1, entries)
    whole = b"".join((*parts, table))
    named = base64.b64encode(hashlib.sha256(whole).digest()[:16])
    trailer = b"trailer\n<</Size %d%b/ID[(%b)(%b)]>>" % (len(placed) + 1, tail["middle"], tail["id"], named)
    return whole + trailer + b"\nstartxref\n%d\n%%%%EOF\n" % at


def next_number(pdf: bytes) -> int:
    """Return the number of the first object that is added. Raises RewriteFailed."""
    return int(_tail(pdf)["size"])


def _second(pair: tuple[int, int]) -> int:
    return pair[1]


def _tail(pdf: bytes) -> re.Match[bytes]:
    place = pdf.rfind(b"trailer\n", max(0, len(pdf) - _MOST_TAIL_BYTES))
    found = _TAIL.fullmatch(pdf, max(0, place))
    if found is None:
        raise RewriteFailed("the file does not end as Typst ends it")
    return found


def _table(pdf: bytes) -> tuple[re.Match[bytes], list[int]]:
    """Return the end of the file, and where each object stands, from 1 on: every one of them is in use."""
    tail = _tail(pdf)
    size, start = int(tail["size"]), int(tail["at"])
    head = b"xref\n0 %d\n%b" % (size, _FREE)
    entries = pdf[start + len(head) : tail.start()]
    found = [int(each) for each in _ENTRY.findall(entries)]
    is_so = pdf[start : start + len(head)] == head and len(entries) == _ENTRY_BYTES * (size - 1) and found
    if not is_so or len(found) != size - 1 or not 0 < min(found) <= max(found) < start:
        raise RewriteFailed("the file has no table as Typst writes it")
    if any(pdf[place : place + 12].split(b" ", 1)[0] != b"%d" % number for number, place in enumerate(found, start=1)):
        raise RewriteFailed("the table does not lead to its objects")
    return tail, found
