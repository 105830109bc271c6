"""
Paper: a page printed, then scanned, faxed, copied, soiled or photographed; the same seed gives the same picture.

No two devices are alike, so each picture draws its own blur, grain, skew and contrast within the bounds of its kind.
"""

from __future__ import annotations

import io
import random
from typing import TYPE_CHECKING, Literal, get_args

import pypdfium2
from PIL import Image, ImageChops, ImageDraw, ImageFilter

if TYPE_CHECKING:
    from collections.abc import Callable

Kind = Literal[
    "scan-300", "scan-200", "scan-150", "fax", "copy-of-copy", "soiled", "skewed", "turned", "photo", "photo-far"
]
KINDS: tuple[Kind, ...] = get_args(Kind)
_PRINTED_DPI = 300


def rendered(pdf: bytes, page: int = -1) -> Image.Image:
    """Return a page of a PDF as a printer lays it on paper: grey, 300 dpi."""
    with pypdfium2.PdfDocument(pdf) as document:
        sheet = document[page % len(document)]
        return sheet.render(scale=_PRINTED_DPI / 72, grayscale=True).to_pil().convert("L")


def printed(page: Image.Image, kind: Kind, *, seed: int) -> bytes:
    """Return what arrives of a page (as `rendered`) by a way: a JPEG file, or a PNG where the way is a fax."""
    chance = random.Random(f"{kind}/{seed}")
    picture = _WAYS[kind](page, chance)
    kept = io.BytesIO()
    if kind == "fax":
        picture.save(kept, "PNG")
    else:
        picture.save(kept, "JPEG", quality=chance.randint(60, 85))
    return kept.getvalue()


def scanned_pdf(*pictures: bytes, dpi: int = 200) -> bytes:
    """Return the PDF that a scanner makes of several sheets: pictures and nothing else."""
    opened = [Image.open(io.BytesIO(picture)) for picture in pictures]
    kept = io.BytesIO()
    opened[0].save(kept, "PDF", save_all=True, append_images=opened[1:], resolution=dpi)
    return kept.getvalue()


def _scan(page: Image.Image, chance: random.Random, dpi: int, *, skew: float = 1.0, grain: float = 0.07) -> Image.Image:
    """Print and scan: ink spreads a little, the sheet lies a little askew, the sensor has grain and its own white."""
    spread = page.filter(ImageFilter.GaussianBlur(chance.uniform(0.6, 1.4)))
    turned = spread.rotate(chance.uniform(-skew, skew), resample=Image.Resampling.BICUBIC, fillcolor=255)
    small = _resized(turned, dpi / _PRINTED_DPI).filter(ImageFilter.GaussianBlur(chance.uniform(0.2, 0.7)))
    black, white = chance.randint(10, 60), chance.randint(215, 255)
    toned = small.point([round(black + (white - black) * value / 255) for value in range(256)])
    return Image.blend(toned, _noise(toned.size, chance), grain)


def _fax(page: Image.Image, chance: random.Random) -> Image.Image:
    """Send by fax at standard resolution: 204 dots an inch across, 98 down, black or white; shown at its true shape."""
    sheet = _scan(page, chance, 204, skew=0.6, grain=0.04)
    low = sheet.resize((sheet.width, round(sheet.height * 98 / 204)), Image.Resampling.BOX)
    level = chance.randint(115, 150)
    return low.point(lambda value: 255 if value > level else 0).convert("1", dither=Image.Dither.NONE)


def _copied(page: Image.Image, chance: random.Random) -> Image.Image:
    """Copy a copy: scanned and printed twice with more contrast each time, then scanned."""
    for _ in range(2):
        grey = _scan(page, chance, 300, skew=0.7, grain=0.05)
        low, high = chance.randint(50, 80), chance.randint(175, 205)
        page = grey.point([max(0, min(255, (value - low) * 255 // (high - low))) for value in range(256)])
    return _scan(page, chance, 200, skew=0.7)


def _soiled(page: Image.Image, chance: random.Random) -> Image.Image:
    """Handle it for a year: spots, a pen stroke, a fold, a stamp's edge, anywhere on the sheet."""
    page = page.copy()
    draw = ImageDraw.Draw(page)
    for _ in range(90):
        x, y, size = chance.randrange(page.width), chance.randrange(page.height), chance.randint(3, 14)
        draw.ellipse((x, y, x + size, y + size), fill=chance.choice((20, 90, 255)))
    x = chance.randrange(page.width)
    draw.line((x, 0, x + chance.randint(-400, 400), page.height), fill=70, width=5)
    y = chance.randrange(page.height)
    draw.line((0, y, page.width, y + chance.randint(-20, 20)), fill=215, width=9)
    return _scan(page, chance, 200)


def _photo(page: Image.Image, chance: random.Random, pixels: int) -> Image.Image:
    """Photograph the sheet on a table: from an angle, a little out of focus, under a lamp at one side."""
    lit = ImageChops.multiply(
        page.resize((round(page.width * pixels / page.height), pixels)), _light(page, pixels, chance)
    )
    width, height = lit.size
    table = Image.new("L", (round(width * 1.25), round(height * 1.2)), chance.randint(60, 130))
    table.paste(lit, (round(width * 0.12), round(height * 0.1)))
    far = [chance.uniform(0.0, 0.08) for _ in range(8)]
    w, h = table.size
    corners = (
        far[0] * w,
        far[1] * h,
        far[2] * w,
        h - far[3] * h,
        w - far[4] * w,
        h - far[5] * h,
        w - far[6] * w,
        far[7] * h,
    )
    seen = table.transform(table.size, Image.Transform.QUAD, corners, Image.Resampling.BICUBIC)
    blurred = seen.filter(ImageFilter.GaussianBlur(chance.uniform(0.6, 1.3)))
    return Image.blend(blurred, _noise(blurred.size, chance), 0.06).convert("RGB")


def _light(page: Image.Image, pixels: int, chance: random.Random) -> Image.Image:
    """Return light that falls off from one side to the other."""
    size = (round(page.width * pixels / page.height), pixels)
    slope = Image.linear_gradient("L").rotate(chance.choice((0, 90, 180, 270))).resize(size)
    dark = chance.uniform(0.35, 0.6)
    return slope.point([round(255 * (dark + (1 - dark) * value / 255)) for value in range(256)])


def _noise(size: tuple[int, int], chance: random.Random) -> Image.Image:
    return Image.frombytes("L", size, chance.randbytes(size[0] * size[1]))


def _resized(picture: Image.Image, factor: float) -> Image.Image:
    size = (round(picture.width * factor), round(picture.height * factor))
    return picture.resize(size, Image.Resampling.BOX if factor < 1 else Image.Resampling.BICUBIC)


_WAYS: dict[Kind, Callable[[Image.Image, random.Random], Image.Image]] = {
    "scan-300": lambda page, chance: _scan(page, chance, 300),
    "scan-200": lambda page, chance: _scan(page, chance, 200),
    "scan-150": lambda page, chance: _scan(page, chance, 150),
    "fax": _fax,
    "copy-of-copy": _copied,
    "soiled": _soiled,
    "skewed": lambda page, chance: _scan(page, chance, 200, skew=12),
    "turned": lambda page, chance: _scan(page, chance, 200).transpose(
        chance.choice((Image.Transpose.ROTATE_90, Image.Transpose.ROTATE_180, Image.Transpose.ROTATE_270))
    ),
    "photo": lambda page, chance: _photo(page, chance, 3400),
    "photo-far": lambda page, chance: _photo(page, chance, 2200),
}
