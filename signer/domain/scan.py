"""What a reader finds on pictures of paper: the texts of QR symbols, each with its page. Nothing of it is believed."""

from __future__ import annotations

from typing import Annotated, Final, Literal

from pydantic import Field

from signer.domain.values import Frozen

MOST_TEXT: Final = 4_200
MOST_CODES: Final = 60
MOST_PAGES: Final = 20
"""Sheets of one scanned PDF that are searched."""

ScanForm = Literal["picture", "scan", "none"]
"""One picture; a PDF whose pages hold nothing but pictures; or neither, so that nothing was searched."""
ScanReason = Literal["TOO_LARGE", "TOO_MANY_PAGES", "MALFORMED", "CHILD_DIED", "TOO_SLOW", "OUTPUT_TOO_LARGE"]


class Symbol(Frozen):
    """One QR symbol: on which page it was found (from 1), and its text, ASCII with a `#` in it."""

    page: Annotated[int, Field(ge=1, le=MOST_PAGES)]
    text: Annotated[str, Field(min_length=1, max_length=MOST_TEXT, pattern=r"^[\x21-\x7e]+$")]


class Scan(Frozen):
    """
    What was found in one file. `reason` says why nothing could be searched.

    `is_whole` is false when the time allowed did not last for every page: then what is missing proves nothing.
    """

    form: ScanForm
    reason: ScanReason | None = None
    pages: Annotated[int, Field(ge=0, le=MOST_PAGES)] = 0
    symbols: Annotated[tuple[Symbol, ...], Field(max_length=MOST_CODES)] = ()
    is_whole: bool = True


NO_SCAN: Final = Scan(form="none")
