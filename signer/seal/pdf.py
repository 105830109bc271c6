"""Hostile PDF objects, read strictly and within limits."""

from __future__ import annotations

from io import BytesIO
from typing import Final, TypeVar

from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.decode_limits import DecodeLimits, DocumentDecodeBudget, StreamDecodeLimits
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.pdf_utils.xref import TrailerDictionary

_MIB: Final = 1 << 20
_LIMITS: Final = DecodeLimits(
    per_stream=StreamDecodeLimits(max_ratio=300, ratio_floor=_MIB, max_output_size=32 * _MIB),
    document_budget=DocumentDecodeBudget(base_allowance=64 * _MIB, max_ratio=20),
)
Dictionary = generic.DictionaryObject | TrailerDictionary
_Object = TypeVar("_Object", bound=generic.PdfObject)


def open_strictly(pdf: bytes) -> PdfFileReader:
    """Open a PDF with pyHanko's strict reader; raises whatever that raises. Streams decode to 64 MiB at most in all."""
    return PdfFileReader(BytesIO(pdf), strict=True, decode_limits=_LIMITS)


def entry(dictionary: Dictionary, key: str, kind: type[_Object]) -> _Object:
    """Return a dictionary's entry with its reference followed; an empty value if it is absent or of another kind."""
    try:
        value = dictionary[key]
    except KeyError:
        return kind()
    return value if isinstance(value, kind) else kind()


def text(dictionary: generic.DictionaryObject, key: str) -> str:
    """Return a string or name entry as text, or '' if it is absent or something else."""
    try:
        value = dictionary[key]
    except KeyError:
        return ""
    return str(value) if isinstance(value, str) else ""


def number(dictionary: generic.DictionaryObject, key: str) -> int | None:
    """Return a whole number, or None if the entry is absent or something else."""
    try:
        value = dictionary[key]
    except KeyError:
        return None
    return int(value) if isinstance(value, generic.NumberObject) else None
