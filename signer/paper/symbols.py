"""
QR symbols on a picture, looked for ever harder: as it is, then smoothed, sharpened, enlarged and stretched.

Which steps there are, and in which order, was measured: docs/adr/0047-reading-paper.md.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import zxingcpp
from PIL import Image, ImageFilter

from signer.domain.scan import MOST_TEXT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_OURS = re.compile(r"[\x21-\x7e]*#[\x21-\x7e]+")
_SIGNED = re.compile(r"#[1-9][0-9]{99}")
_QR: Final = zxingcpp.BarcodeFormats([zxingcpp.BarcodeFormat.QRCode])
_LARGE: Final = 9_000_000
"""Pixels above which a picture is not enlarged: it has more than its lens or scanner saw."""
_FAX: Final = 204 / 98


def is_signed(text: str) -> bool:
    """Tell whether a text looks like a signed code: enough to look no further, never to believe it."""
    return _SIGNED.search(text) is not None


def read(picture: Image.Image) -> tuple[str, ...]:
    """Return the texts of the QR symbols on a grey picture that may be ours: ASCII with a `#`, bounded."""
    view = memoryview(picture.tobytes()).cast("B", (picture.height, picture.width))
    found = zxingcpp.read_barcodes(view, formats=_QR, try_invert=False)
    return tuple(one.text for one in found if len(one.text) <= MOST_TEXT and _OURS.fullmatch(one.text))


def harder(picture: Image.Image) -> Iterator[tuple[str, ...]]:
    """Go through what is read after each change of a picture, the likeliest to help first."""
    for change in _CHANGES:
        changed = change(picture)
        if changed is not None:
            yield read(changed)


def _smoothed(picture: Image.Image) -> Image.Image:
    """Take away grain, and the dots of a printer."""
    return picture.filter(ImageFilter.GaussianBlur(1.2))


def _sharpened(picture: Image.Image) -> Image.Image:
    """Draw apart what a copy of a copy ran together."""
    return picture.filter(ImageFilter.UnsharpMask(radius=2, percent=150, threshold=0))


def _enlarged(picture: Image.Image) -> Image.Image | None:
    """Give small modules more pixels."""
    if picture.width * picture.height > _LARGE // 2:
        return None
    return picture.resize((picture.width * 2, picture.height * 2), Image.Resampling.BICUBIC)


def _stretched(picture: Image.Image) -> Image.Image | None:
    """Give a fax its true shape: it may arrive with half the lines that it has columns an inch."""
    if picture.width * picture.height > _LARGE:
        return None
    return picture.resize((picture.width, round(picture.height * _FAX)), Image.Resampling.BICUBIC)


_CHANGES: Final[tuple[Callable[[Image.Image], Image.Image | None], ...]] = (
    _smoothed,
    _sharpened,
    _enlarged,
    _stretched,
)
