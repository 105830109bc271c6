"""What the child does with a picture of paper: bytes in, the texts of its QR symbols out. It believes none of them."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from signer.domain.scan import MOST_CODES, NO_SCAN, Scan, Symbol
from signer.paper import pictures, symbols
from signer.paper.pictures import PictureRefused
from signer.paper.scans import NotAScan, Scanned

if TYPE_CHECKING:
    from collections.abc import Callable

    from PIL import Image

_PATIENCE_S: Final = 2.2
_WALL_S: Final = 3.0
"""Processor time, and time in all, after which no further step is begun: the longest takes less than what is left."""
_MORE_S: Final = 0.8
"""So much longer pages may be read for the first time: that takes a fraction of such a step."""


def child(_header: bytes, data: bytes) -> bytes:
    """Run as the sandbox's task `signer.paper.task:child`: a file in, a Scan as JSON out."""
    return search(data).model_dump_json().encode()


def search(data: bytes) -> Scan:
    """Find the symbols on a picture, or on every page of a scanner's PDF; other files are not looked at."""
    try:
        if pictures.is_picture(data):
            sheet = pictures.grey(data)
            return _found("picture", 1, lambda _: sheet)
        scanned = Scanned(data)
        return _found("scan", scanned.pages, scanned.drawn)
    except NotAScan:
        return NO_SCAN
    except PictureRefused as error:
        return Scan.model_validate({"form": "none", "reason": error.args[0]})


class _Patience:
    """The time that one file may take, in this process and in all."""

    def __init__(self) -> None:
        self._process, self._wall = time.process_time() + _PATIENCE_S, time.monotonic() + _WALL_S

    def is_over(self, *, more_s: float = 0.0) -> bool:
        return time.process_time() > self._process + more_s or time.monotonic() > self._wall + more_s


def _found(form: str, pages: int, drawn: Callable[[int], Image.Image]) -> Scan:
    """Read every page once; then look harder at those without a signed code; each while there is time."""
    found: dict[tuple[int, str], None] = {}
    is_whole, patience = True, _Patience()
    for page in range(pages):
        if patience.is_over(more_s=_MORE_S):
            is_whole, pages = False, page
            break
        found |= {(page, text): None for text in symbols.read(drawn(page))}
    for page in [page for page in range(pages) if not _has_signed(found, page)]:
        is_whole = is_whole and _look_harder(page, drawn(page), found, patience)
    texts = sorted(found, key=lambda one: (one[0], not symbols.is_signed(one[1])))[:MOST_CODES]
    told = tuple(Symbol(page=page + 1, text=text) for page, text in texts)
    return Scan.model_validate({"form": form, "pages": pages, "symbols": told, "is_whole": is_whole})


def _look_harder(page: int, sheet: Image.Image, found: dict[tuple[int, str], None], patience: _Patience) -> bool:
    """Add what is read by further steps, until a signed code is; tell whether the time lasted."""
    for texts in symbols.harder(sheet):
        found |= {(page, text): None for text in texts}
        if _has_signed(found, page):
            return True
        if patience.is_over():
            return False
    return True


def _has_signed(found: dict[tuple[int, str], None], page: int) -> bool:
    return any(where == page and symbols.is_signed(text) for where, text in found)
