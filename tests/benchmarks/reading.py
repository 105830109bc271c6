"""How many pictures of a printed page give its code, and how long one takes. Alone: a table over every kind."""

from __future__ import annotations

import argparse
import itertools
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parent.parent)]

import printed_pages  # noqa: E402
import printing  # noqa: E402
import world as worlds  # noqa: E402
import zxingcpp  # noqa: E402 -- the path is set above
from cases import Case  # noqa: E402

from signer.paper import pictures, reading, task  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Iterator

    from PIL import Image

COUNT = 50
"""Pictures of each page for the rate; the soak has more."""
_KIND: printing.Kind = "scan-200"


def all_cases() -> Iterator[Case]:
    """Rates are counts of pictures, ours beside the library's reader with its other way of telling black from white."""
    pages = _pages()
    yield Case(
        name="paper.read_rate_200dpi",
        ours=lambda: sum(printed_pages.read(*page, _KIND, COUNT) for page in pages) / (COUNT * len(pages)),
        peer=lambda: sum(_read_by_threshold(*page) for page in pages) / (COUNT * len(pages)),
        peer_name="zxing-cpp, one threshold for the page",
        target=0.99,
        unit="share",
    )
    for (sheet, _), size in zip(pages, printed_pages.SIZES, strict=True):
        turns = itertools.cycle([printing.printed(sheet, _KIND, seed=seed) for seed in range(8)])
        yield Case(
            name=f"paper.read_{size}",
            ours=lambda turns=turns: reading.scan(next(turns)),  # type: ignore[misc]
            peer=lambda turns=turns: task.search(next(turns)),  # type: ignore[misc]
            peer_name="the same without walls, in this process",
            target=50,
        )


def _pages() -> tuple[tuple[Image.Image, str], ...]:
    folder = Path(tempfile.mkdtemp(prefix="bench-")) / "world"
    folder.mkdir()
    world = worlds.World(worlds.build(folder))
    return tuple(printed_pages.sheets(world, size) for size in printed_pages.SIZES)


def _read_by_threshold(sheet: Image.Image, code: str) -> int:
    found = 0
    for seed in range(COUNT):
        picture = pictures.grey(printing.printed(sheet, _KIND, seed=seed))
        view = memoryview(picture.tobytes()).cast("B", (picture.height, picture.width))
        read = zxingcpp.read_barcodes(view, binarizer=zxingcpp.Binarizer.GlobalHistogram, try_invert=False)
        found += code in {one.text for one in read}
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=20)
    count = parser.parse_args().count
    pages = _pages()
    print(f"| picture | {' | '.join(f'{size} VIN' for size in printed_pages.SIZES)} | ms a page |\n|---|---|---|---|")
    for kind in printing.KINDS:
        made = [[printing.printed(sheet, kind, seed=seed) for seed in range(count)] for sheet, _ in pages]
        begun = time.perf_counter()
        hits = [
            sum(code in printed_pages.texts(task.search(one)) for one in files)
            for files, (_, code) in zip(made, pages, strict=True)
        ]
        taken = (time.perf_counter() - begun) * 1000 / (count * len(pages))
        print(f"| {kind} | {' | '.join(f'{hit} of {count}' for hit in hits)} | {taken:.0f} |", flush=True)


if __name__ == "__main__":
    main()
