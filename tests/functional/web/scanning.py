"""Paper: a sealed file printed and scanned, and what a reviewer can take from such a picture: code and words."""

from __future__ import annotations

import io
import math
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import pypdfium2
import typst
import zxingcpp
from PIL import Image, ImageChops, ImageFilter, ImageStat

from signer.domain.number import ALPHABET

if TYPE_CHECKING:
    import random
    from collections.abc import Iterator

DPI = 200
_EM = 8.6 * DPI / 72
"""The number beside the code is set at 8.6 points."""
_PITCH = 0.602 * _EM
"""How far one character of the number stands from the next: they are all of one width."""
_DARK, _LEAD = 110, 5
_PLACES = len("XXXXX-XXXXX-XXXX")


@dataclass(frozen=True)
class Read:
    """What one scanned sheet says: the text of its symbol, and the number printed beside it, character by character."""

    code: str
    printed: str

    @property
    def number(self) -> str:
        """The number behind the code's `#`."""
        return self.code.rpartition("#")[2]


def scan(pdf: bytes, *, skew: float, chance: random.Random) -> Image.Image:
    """Print the last sheet, which has the code, and scan it: grey, turned, blurred, with a scanner's grain and JPEG."""
    with pypdfium2.PdfDocument(pdf) as document:
        sheet = document[len(document) - 1].render(scale=DPI / 72, grayscale=True).to_pil().convert("L")
    turned = sheet.rotate(skew, resample=Image.Resampling.BICUBIC, fillcolor=255).filter(ImageFilter.GaussianBlur(0.6))
    grain = Image.frombytes("L", turned.size, chance.randbytes(turned.width * turned.height))
    kept = io.BytesIO()
    Image.blend(turned, grain, 0.08).save(kept, "JPEG", quality=70)
    return Image.open(kept).convert("L")


def read(sheet: Image.Image) -> Read:
    """Read the one short code of a sheet, and the number that is printed to its right."""
    found = zxingcpp.read_barcodes(memoryview(sheet.tobytes()).cast("B", (sheet.height, sheet.width)))
    (code,) = (one for one in found if "/verify#" in one.text)
    corners = code.position
    skew = math.atan2(corners.top_right.y - corners.top_left.y, corners.top_right.x - corners.top_left.x)
    middle = (corners.top_left.x, corners.top_left.y)
    straight = sheet.rotate(math.degrees(skew), resample=Image.Resampling.BICUBIC, center=middle, fillcolor=255)
    side = round(math.hypot(corners.top_right.x - middle[0], corners.top_right.y - middle[1]))
    left, top = round(middle[0] + side * 1.12), round(middle[1] - side * 0.2)
    beside = straight.crop((left, top, left + round(20 * _PITCH), top + round(side * 1.2)))
    return Read(code=code.text, printed="".join(_characters(_last_line(beside))))


def _last_line(beside: Image.Image) -> Image.Image:
    """Return the lowest line of print, from a little before its first dark column on."""
    dark = beside.point(lambda value: 255 if value < _DARK else 0)
    bottom = (dark.getbbox() or (0, 0, 0, 0))[3]
    top = bottom - round(0.85 * _EM)
    left = (dark.crop((0, top, dark.width, bottom)).getbbox() or (0, 0, 0, 0))[0]
    return beside.crop((left - _LEAD, top, beside.width, bottom + _LEAD))


def _characters(line: Image.Image) -> Iterator[str]:
    """Find where the line begins, then compare each place with every character that a number may have."""
    starts = [(left, top) for left in range(_LEAD + 2) for top in range(-1, _LEAD + 1)]
    start = min(starts, key=lambda at: sum(_best(line, place, (at,))[0] for place in range(0, _PLACES, 4)))
    around = tuple((start[0] + right, start[1] + down) for right in (-1, 0, 1) for down in (-1, 0, 1))
    for place in range(_PLACES):
        yield _best(line, place, around)[1]


def _best(line: Image.Image, place: int, starts: tuple[tuple[int, int], ...]) -> tuple[float, str]:
    at = round(place * _PITCH)
    return min((_difference(line, left + at, top, letter), char) for left, top in starts for char, letter in _letters())


def _difference(line: Image.Image, left: int, top: int, letter: Image.Image) -> float:
    cell = line.crop((left, top, left + letter.width, top + letter.height))
    return float(ImageStat.Stat(ImageChops.difference(cell, letter)).sum2[0])


@cache
def _letters() -> tuple[tuple[str, Image.Image], ...]:
    """Return pictures of each character that a number may have, as the paper draws it, at two places of a pixel."""
    known = ALPHABET + "-"
    found = []
    for start in (10.0, 10.5):
        source = f"""#set page(width: 300pt, height: 20pt, margin: (x: {start * 72 / DPI}pt, y: 4pt))
        #text(font: "DejaVu Sans Mono", size: 8.6pt, weight: 700)[{known}]"""
        png = typst.compile(source.encode(), format="png", ppi=DPI, ignore_system_fonts=True)
        drawn = Image.open(io.BytesIO(png)).convert("L").filter(ImageFilter.GaussianBlur(0.6))
        _, top, _, bottom = drawn.point(lambda value: 255 if value < _DARK else 0).getbbox() or (0, 0, 0, 0)
        for place, char in enumerate(known):
            left, right = (round(start + at * _PITCH) for at in (place, place + 1))
            found.append((char, drawn.crop((left, top, right, bottom))))
    return tuple(found)
