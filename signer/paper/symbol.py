"""QR symbols as modules: the page draws them, so that they stay sharp at any size; and the texts of drawn ones."""

from __future__ import annotations

from typing import Literal

import zxingcpp

Level = Literal["M", "Q"]
Modules = tuple[bytes, ...]
"""Rows of modules from the top, each a byte: 1 for black, 0 for white."""
_BLACK = bytes([1, *bytes(255)])


def matrix(text: str, *, level: Level) -> Modules:
    """
    Return the QR symbol of a text.

    The quiet zone is not included: whoever draws the symbol leaves four white modules around it.
    The smallest version that holds the text is chosen; digits alone are packed in numeric mode.

    Source: ISO/IEC 18004:2024.
    """
    barcode = zxingcpp.create_barcode(text, zxingcpp.BarcodeFormat.QRCode, ec_level=level)
    image = memoryview(barcode.to_image(scale=1, add_quiet_zones=False))  # type: ignore[arg-type]  # it is a buffer
    side = image.shape[0] if image.shape else 0
    flat = image.tobytes().translate(_BLACK)
    return tuple([flat[row * side : (row + 1) * side] for row in range(side)])


def texts(pixels: bytes, *, width: int) -> tuple[str, ...]:
    """Return the texts of the QR symbols in a clean picture (8 bits a pixel, rows without gaps), upright."""
    image = memoryview(pixels).cast("B", (len(pixels) // width, width))
    found = zxingcpp.read_barcodes(
        image,
        formats=zxingcpp.BarcodeFormats(zxingcpp.BarcodeFormat.QRCode),
        try_rotate=False,
        try_downscale=False,
        try_invert=False,
    )
    return tuple(barcode.text for barcode in found)
