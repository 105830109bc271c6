"""Are the symbols on the page those that were meant? They are drawn as a reader draws them, and read."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pikepdf import Array, Dictionary, Name

from signer.document import field

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    import pikepdf
    import pypdfium2

_PIXELS_A_POINT: Final = 2.5
"""Three and a half pixels a module of the smallest symbol: a clean picture needs no more."""


@dataclass(frozen=True, slots=True)
class Expected:
    """What the symbols on all pages say, and who reads a picture: its pixels (8 bits, rows without gaps), its width."""

    texts: tuple[str, ...]
    read: Callable[[bytes, int], tuple[str, ...]]


NONE: Final = Expected(texts=(), read=lambda _pixels, _width: ())
"""No symbol is looked for."""


@dataclass(frozen=True, slots=True)
class Box:
    """A place on a page, in points from its lower left corner."""

    left: float
    bottom: float
    right: float
    top: float

    def meets(self, other: Box) -> bool:
        """Tell whether two places have room in common."""
        is_beside = self.right <= other.left or other.right <= self.left
        return not is_beside and self.bottom < other.top and other.bottom < self.top

    def around(self, other: Box) -> Box:
        """Return the smallest place that holds both."""
        lower = min(self.left, other.left), min(self.bottom, other.bottom)
        return Box(*lower, max(self.right, other.right), max(self.top, other.top))


def places(pdf: pikepdf.Pdf, count: int) -> tuple[dict[int, Box], tuple[str, ...]]:
    """Return where the last `count` figures beside the seal stand, by page, and what is wrong with these places."""
    pages = {page.obj.objgen: place for place, page in enumerate(pdf.pages)}
    seal_page, seal = _seal(pdf, pages)
    found: dict[int, list[Box]] = defaultdict(list)
    for page, box in _figures(pdf, pages):
        if sum(map(len, found.values())) == count:
            break
        if (page, box) != (seal_page, seal):
            found[page].append(box)
    faults = ["a symbol is under the seal" for box in found[seal_page] if seal is not None and box.meets(seal)]
    merged = {page: _around(boxes) for page, boxes in found.items() if boxes}
    return merged, tuple(faults)


def _around(boxes: list[Box]) -> Box:
    whole = boxes[0]
    for box in boxes[1:]:
        whole = whole.around(box)
    return whole


def _figures(pdf: pikepdf.Pdf, pages: Mapping[tuple[int, int], int]) -> Iterator[tuple[int, Box]]:
    """Yield the figures, the last first: page and place."""
    for element, _ in field.elements(pdf.Root.StructTreeRoot):
        if element.get(Name.S) == Name.Figure and Name.Pg in element:
            about = element.A[0] if isinstance(element.A, Array) else element.A
            yield pages[element.Pg.objgen], _box(about.BBox)


def _seal(pdf: pikepdf.Pdf, pages: Mapping[tuple[int, int], int]) -> tuple[int, Box | None]:
    for widget in pdf.Root.get(Name.AcroForm, Dictionary()).get(Name.Fields, ()):
        return pages[widget.P.objgen], _box(widget.Rect)
    return -1, None


def _box(numbers: pikepdf.Object) -> Box:
    left, bottom, right, top = map(float, numbers)
    return Box(left, bottom, right, top)


def draw(page: pypdfium2.PdfPage, box: Box) -> tuple[bytes, int]:
    """Return a place on a page as pixels, 8 bits each, and how many stand in a row."""
    width, height = page.get_size()
    edges = (box.left, box.bottom, width - box.right, height - box.top)
    bitmap = page.render(scale=_PIXELS_A_POINT, crop=edges, grayscale=True)
    try:
        data, stride = bytes(bitmap.buffer), bitmap.stride
        return b"".join(data[row * stride : row * stride + bitmap.width] for row in range(bitmap.height)), bitmap.width
    finally:
        bitmap.close()


def faults(read: tuple[str, ...], expected: tuple[str, ...]) -> Iterator[str]:
    """Say which texts were meant and do not stand on the pages, and which stand there and were not meant."""
    meant, there = Counter(expected), Counter(read)
    for text in (meant - there).elements():
        yield f"no symbol says {text[:60]}"
    for text in (there - meant).elements():
        yield f"a symbol says {text[:60]}"
