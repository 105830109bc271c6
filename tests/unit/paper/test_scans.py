"""Codes are read from pictures and scanners' PDFs; whatever else is handed in is refused before it is decoded."""

from __future__ import annotations

import io
import itertools
import struct
import zlib
from typing import TYPE_CHECKING

import pikepdf
import printing
import pytest
from PIL import Image, ImageDraw

from signer.domain.scan import MOST_PAGES, Scan
from signer.paper import reading, symbols, task
from signer.paper.symbol import matrix

if TYPE_CHECKING:
    from collections.abc import Callable

PAGE = (1240, 1500)
DIGITS = "7" + "0123456789" * 70
CODE = f"https://confirm.example.org/v#{DIGITS}"
SHORT = "https://confirm.example.org/verify#7K3QF-9ZC2M-8RX6"


def sheet(*texts: str) -> Image.Image:
    """A small sheet at 300 dpi with codes of 0.5 mm a module, one below the other, and some lines of print."""
    page = Image.new("L", PAGE, 255)
    draw = ImageDraw.Draw(page)
    for line in range(8):
        draw.text((60, 1180 + 36 * line), "L0YSA3B29T0000101 SAMPLE 售后" * 4, fill=0)
    top = 60
    for text in texts:
        modules = matrix(text, level="Q")
        side = len(modules) * 6
        symbol = Image.new("L", (len(modules), len(modules)))
        symbol.putdata([0 if black else 255 for row in modules for black in row])
        page.paste(symbol.resize((side, side), Image.Resampling.NEAREST), (90, top))
        top += side + 80
    return page


@pytest.fixture(scope="module")
def page() -> Image.Image:
    return sheet(SHORT, CODE)


@pytest.fixture(scope="module")
def jpeg(page: Image.Image) -> bytes:
    return printing.printed(page, "scan-200", seed=1)


def texts(scan: Scan) -> set[str]:
    return {one.text for one in scan.symbols}


@pytest.mark.parametrize("kind", printing.KINDS)
def test_a_sheet_is_read_whichever_way_it_comes(page: Image.Image, kind: printing.Kind) -> None:
    found = task.search(printing.printed(page, kind, seed=2))
    assert CODE in texts(found)
    assert (found.form, found.pages) == ("picture", 1)


def test_the_child_reads_a_picture_and_tells_its_page(jpeg: bytes) -> None:
    found = reading.scan(jpeg)
    assert [(one.page, one.text) for one in found.symbols] == [(1, CODE), (1, SHORT)]
    assert found.is_whole


def test_a_scanner_s_pdf_is_read_page_by_page(jpeg: bytes, page: Image.Image) -> None:
    other = CODE[:-1] + "1"
    found = reading.scan(printing.scanned_pdf(jpeg, printing.printed(sheet(other), "scan-200", seed=3)))
    assert (found.form, found.pages) == ("scan", 2)
    assert [(one.page, one.text) for one in found.symbols] == [(1, CODE), (1, SHORT), (2, other)]


def test_a_transparent_png_lies_on_white(page: Image.Image) -> None:
    clear = Image.new("RGBA", page.size, (0, 0, 0, 0))
    clear.paste((0, 0, 0, 255), mask=page.point(lambda value: 255 - value))
    assert CODE in texts(task.search(png(clear)))


def test_a_png_of_sixteen_bits_is_read(page: Image.Image) -> None:
    deep = page.convert("I").point(lambda value: value * 256).convert("I;16")
    assert CODE in texts(task.search(png(deep)))


def test_a_symbol_of_somebody_else_is_not_told(page: Image.Image) -> None:
    assert texts(task.search(png(sheet("https://shop.example.com/item?id=7", "售后#服务", SHORT)))) == {SHORT}


def test_what_looks_like_a_signed_code_is_only_the_form() -> None:
    assert symbols.is_signed(CODE)
    assert not symbols.is_signed(SHORT)
    assert not symbols.is_signed("https://confirm.example.org/v#0" + DIGITS)
    assert not symbols.is_signed("https://confirm.example.org/v#" + DIGITS[:99])


def png(picture: Image.Image, **how: object) -> bytes:
    kept = io.BytesIO()
    picture.save(kept, "PNG", **how)
    return kept.getvalue()


def bare_png(width: int, height: int) -> bytes:
    """A PNG that says how large it is and holds next to nothing."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"\0" * 9)) + chunk(b"IEND", b"")


@pytest.mark.parametrize("size", [(60_000, 60_000), (8_001, 8_001), (20_001, 1), (2**31 - 1, 2**31 - 1)])
def test_a_picture_that_says_it_is_huge_is_refused_before_it_is_decoded(size: tuple[int, int]) -> None:
    found = task.search(bare_png(*size))
    assert (found.form, found.reason) == ("none", "TOO_LARGE")


@pytest.mark.parametrize(
    "broken", [b"\xff\xd8\xff", b"\xff\xd8\xff\xe0" + b"\0" * 90, b"\x89PNG\r\n\x1a\n", bare_png(9, 9)]
)
def test_a_damaged_picture_is_an_answer(broken: bytes) -> None:
    found = reading.scan(broken)
    assert (found.form, found.reason) == ("none", "MALFORMED")


def test_a_picture_that_ends_early_is_an_answer(jpeg: bytes) -> None:
    assert task.search(jpeg[: len(jpeg) // 3]).reason == "MALFORMED"


def test_moving_pictures_are_refused(page: Image.Image) -> None:
    small = page.resize((200, 300))
    moving = png(small, save_all=True, append_images=[small.point(lambda value: value // 2)])
    assert task.search(moving).reason == "MALFORMED"


@pytest.mark.parametrize("form", ["GIF", "TIFF", "WEBP", "BMP", "JPEG2000"])
def test_other_forms_of_pictures_are_not_looked_at(page: Image.Image, form: str) -> None:
    kept = io.BytesIO()
    page.save(kept, form)
    assert reading.scan(kept.getvalue()) == Scan(form="none")


def changed(pdf: bytes, change: Callable[[pikepdf.Pdf], object]) -> bytes:
    kept = io.BytesIO()
    with pikepdf.open(io.BytesIO(pdf)) as document:
        change(document)
        document.save(kept)
    return kept.getvalue()


@pytest.fixture(scope="module")
def scanned(jpeg: bytes) -> bytes:
    return printing.scanned_pdf(jpeg)


def writes(mode: int) -> Callable[[pikepdf.Pdf], None]:
    """Return a change that adds a line of text, shown (0) or not shown (3)."""

    def change(document: pikepdf.Pdf) -> None:
        page = document.pages[0]
        font = pikepdf.Dictionary(Type=pikepdf.Name.Font, Subtype=pikepdf.Name.Type1, BaseFont=pikepdf.Name.Helvetica)
        page.Resources.Font = pikepdf.Dictionary(F1=font)
        text = f"BT /F1 12 Tf {mode} Tr 50 50 Td (100 vehicles for DE) Tj ET".encode()
        page.contents_add(document.make_stream(text))

    return change


def nests(depth: int) -> Callable[[pikepdf.Pdf], None]:
    """Return a change that puts the page's picture into groups within groups."""

    def change(document: pikepdf.Pdf) -> None:
        page = document.pages[0]
        group, resources = page.Contents.read_bytes(), page.Resources
        for _ in range(depth):
            form = document.make_stream(group)
            form.Type, form.Subtype, form.BBox = pikepdf.Name.XObject, pikepdf.Name.Form, page.MediaBox
            form.Resources = resources
            group, resources = b"/G Do", pikepdf.Dictionary(XObject=pikepdf.Dictionary(G=form))
        page.Contents, page.Resources = document.make_stream(group), resources

    return change


def draws_a_line(document: pikepdf.Pdf) -> None:
    document.pages[0].contents_add(document.make_stream(b"0 0 m 300 300 l S"))


def attaches(document: pikepdf.Pdf) -> None:
    document.attachments["confirmation.json"] = b"{}"


def has_a_field(document: pikepdf.Pdf) -> None:
    field = document.make_indirect(
        pikepdf.Dictionary(
            Type=pikepdf.Name.Annot, Subtype=pikepdf.Name.Widget, FT=pikepdf.Name.Sig, T="Other", Rect=[0, 0, 0, 0]
        )
    )
    document.Root.AcroForm = pikepdf.Dictionary(Fields=[field])


def has_a_note(document: pikepdf.Pdf) -> None:
    note = pikepdf.Dictionary(Type=pikepdf.Name.Annot, Subtype=pikepdf.Name.FreeText, Rect=[0, 0, 90, 90], Contents="x")
    document.pages[0].Annots = [document.make_indirect(note)]


def has_an_empty_page(document: pikepdf.Pdf) -> None:
    document.add_blank_page()


@pytest.mark.parametrize("change", [writes(3), nests(1), nests(2)], ids=["unseen-text", "a-group", "two-groups"])
def test_groups_and_text_that_is_not_shown_leave_it_a_scan(
    scanned: bytes, change: Callable[[pikepdf.Pdf], None]
) -> None:
    assert CODE in texts(task.search(changed(scanned, change)))


@pytest.mark.parametrize(
    "change",
    [writes(0), draws_a_line, attaches, has_a_field, has_a_note, has_an_empty_page, nests(3)],
    ids=["text", "line", "attached", "field", "note", "empty-page", "deep-groups"],
)
def test_a_pdf_that_holds_more_than_pictures_is_no_scan(scanned: bytes, change: Callable[[pikepdf.Pdf], None]) -> None:
    assert task.search(changed(scanned, change)) == Scan(form="none")


def test_a_scan_of_too_many_pages_is_not_searched(scanned: bytes) -> None:
    def repeat(document: pikepdf.Pdf) -> None:
        for _ in range(MOST_PAGES):
            document.pages.append(document.pages[0])

    assert task.search(changed(scanned, repeat)).reason == "TOO_MANY_PAGES"


def test_a_picture_in_a_pdf_that_says_it_is_huge_is_refused(scanned: bytes) -> None:
    def swell(document: pikepdf.Pdf) -> None:
        picture = document.pages[0].Resources.XObject.image
        picture.write(zlib.compress(b"\0" * 100_000), filter=pikepdf.Name.FlateDecode)
        picture.Width = picture.Height = 30_000
        picture.ColorSpace = pikepdf.Name.DeviceGray

    assert task.search(changed(scanned, swell)).reason == "TOO_LARGE"


def test_a_page_of_a_kilometre_is_drawn_within_bounds(scanned: bytes) -> None:
    def grow(document: pikepdf.Pdf) -> None:
        document.pages[0].MediaBox = [0, 0, 2_000_000, 2_000_000]
        document.pages[0].Contents = document.make_stream(b"q 2000000 0 0 2000000 0 0 cm /image Do Q")

    found = reading.scan(changed(scanned, grow))
    assert found.form == "scan" or found.reason in ("TOO_LARGE", "MALFORMED")


def test_what_is_found_is_bounded(monkeypatch: pytest.MonkeyPatch, jpeg: bytes) -> None:
    monkeypatch.setattr(symbols, "read", lambda _: tuple(f"https://x.example/v#{'1' * 100}{n}" for n in range(200)))
    assert len(task.search(jpeg).symbols) == 60


def test_without_time_the_answer_says_that_it_is_not_whole(monkeypatch: pytest.MonkeyPatch, page: Image.Image) -> None:
    monkeypatch.setattr(task, "_PATIENCE_S", 0.0)
    found = task.search(png(sheet(SHORT)))
    assert not found.is_whole


def test_what_slow_pages_gave_is_told_though_the_time_did_not_last_for_all(
    monkeypatch: pytest.MonkeyPatch, jpeg: bytes
) -> None:
    passed = itertools.count(0.0, 1.6)
    monkeypatch.setattr("signer.paper.task.time.process_time", lambda: next(passed))
    found = task.search(printing.scanned_pdf(jpeg, jpeg, jpeg))
    assert (found.form, found.pages, found.is_whole) == ("scan", 1, False)
    assert {symbol.page for symbol in found.symbols} == {1}
