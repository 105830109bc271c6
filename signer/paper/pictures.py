"""
Pictures of paper as grey bytes: JPEG and PNG, within limits that are looked at before anything is decoded.

No other format is opened: each is a decoder more for hostile files, and cameras and scanners write these two. Source:
docs/adr/0047-reading-paper.md.
"""

from __future__ import annotations

import io
from typing import Final

from PIL import Image, JpegImagePlugin, PngImagePlugin

JPEG: Final = b"\xff\xd8\xff"
PNG: Final = b"\x89PNG\r\n\x1a\n"
MOST_PIXELS: Final = 64_000_000
"""A telephone's camera has 12 to 50 million; the largest sheet that we print, at 600 dpi, 35."""
MOST_SIDE: Final = 20_000
_ENOUGH_PIXELS: Final = 16_000_000
"""A larger JPEG is decoded at half its size: a module of the code then still has several pixels."""
_WHITE = 255

Opened = JpegImagePlugin.JpegImageFile | PngImagePlugin.PngImageFile


class PictureRefused(Exception):
    """A picture cannot be looked at; the first argument is a `ScanReason`."""


def is_picture(data: bytes) -> bool:
    """Tell whether a file begins as a picture that can be looked at."""
    return data.startswith((JPEG, PNG))


def grey(data: bytes) -> Image.Image:
    """Return a picture in grey, on white where it is transparent; of several in one file the first. PictureRefused."""
    try:
        picture = _open(data)
        _refuse_size(picture.width, picture.height)
        if isinstance(picture, PngImagePlugin.PngImageFile):
            if picture.is_animated:
                raise PictureRefused("MALFORMED")
        else:
            is_large = picture.width * picture.height > _ENOUGH_PIXELS
            wanted = (picture.width // 2, picture.height // 2) if is_large else picture.size
            picture.draft("L", wanted)
        return _flat(picture)
    except (OSError, ValueError, SyntaxError, EOFError, TypeError, MemoryError, Image.DecompressionBombError) as error:
        raise PictureRefused("MALFORMED") from error


def _open(data: bytes) -> Opened:
    kind = JpegImagePlugin.JpegImageFile if data.startswith(JPEG) else PngImagePlugin.PngImageFile
    return kind(io.BytesIO(data))


def _refuse_size(width: int, height: int) -> None:
    if width * height > MOST_PIXELS or max(width, height) > MOST_SIDE:
        raise PictureRefused("TOO_LARGE")


def _flat(picture: Image.Image) -> Image.Image:
    if picture.mode.startswith("I"):
        return picture.convert("I").point(lambda value: value / 256).convert("L")
    if picture.mode in ("RGBA", "LA", "PA") or "transparency" in picture.info:
        layers = picture.convert("RGBA")
        return Image.composite(layers.convert("L"), Image.new("L", layers.size, _WHITE), layers.getchannel("A"))
    return picture.convert("L")
