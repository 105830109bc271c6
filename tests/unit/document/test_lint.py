"""Nothing unexpected reaches the seal's key."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import pikepdf
import pytest
from pikepdf import Array, Dictionary, Name, String

from signer.document.lint import LintFailed, lint
from signer.errors import SignerError

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

    from signer.domain.confirmation import Confirmation

    Rendered = Callable[..., tuple[bytes, Confirmation, bytes]]


def changed(pdf: bytes, change: Callable[[pikepdf.Pdf], object], **options: object) -> bytes:
    with pikepdf.open(io.BytesIO(pdf)) as opened:
        change(opened)
        out = io.BytesIO()
        opened.save(out, **options)
    return out.getvalue() if out.getvalue().endswith(b"\n") else out.getvalue() + b"\n"


def faults(pdf: bytes, confirmation: Confirmation, encoded: bytes) -> str:
    with pytest.raises(LintFailed) as caught:
        lint(pdf, confirmation, encoded)
    assert isinstance(caught.value, SignerError)
    return "; ".join(caught.value.faults)


@pytest.fixture(scope="module")
def page(rendered: Rendered) -> tuple[bytes, Confirmation, bytes]:
    return rendered(vehicles=2, outlets=1)


def test_a_page_as_rendered_passes_and_only_resaved_it_still_does(page: tuple[bytes, Confirmation, bytes]) -> None:
    pdf, confirmation, encoded = page
    lint(pdf, confirmation, encoded)
    lint(changed(pdf, lambda _: None), confirmation, encoded)


def test_a_vin_that_the_content_has_and_the_page_has_not_is_named(
    page: tuple[bytes, Confirmation, bytes], samples: ModuleType
) -> None:
    pdf, _, _ = page
    other, encoded = samples.confirmation(vehicles=(samples.vehicle(1), samples.vehicle(77)))
    found = faults(pdf, other, encoded)
    assert f"the pages do not show the vehicle's '{samples.vin(77)}'" in found
    assert "the attached confirmation.json is not the given one" in found
    assert "page 1 does not show" in found


def test_every_fault_is_named_at_once(page: tuple[bytes, Confirmation, bytes]) -> None:
    pdf, confirmation, encoded = page

    def spoil(opened: pikepdf.Pdf) -> None:
        opened.Root.OpenAction = Dictionary(S=Name.JavaScript, JS=String("app.alert(1)"))
        del opened.Root.Lang

    found = faults(changed(pdf, spoil), confirmation, encoded)
    assert "the catalog has /OpenAction" in found
    assert "the language is not stated" in found


def attach(opened: pikepdf.Pdf) -> None:
    opened.attachments["more.txt"] = pikepdf.AttachedFileSpec(opened, b"more", filename="more.txt")


def replace_content(opened: pikepdf.Pdf) -> None:
    opened.Root.AF[0].EF.F.write(b"{}")


def page_action(opened: pikepdf.Pdf) -> None:
    opened.pages[0].obj.AA = Dictionary(O=Dictionary(S=Name.JavaScript, JS=String("x")))


def named_script(opened: pikepdf.Pdf) -> None:
    opened.Root.Names.JavaScript = Dictionary(Names=Array([String("x"), Dictionary(S=Name.JavaScript, JS=String("x"))]))


def link(opened: pikepdf.Pdf) -> None:
    action = Dictionary(S=Name.URI, URI=String("https://other.example"))
    annotation = opened.make_indirect(
        Dictionary(Type=Name.Annot, Subtype=Name.Link, Rect=Array([0, 0, 9, 9]), A=action)
    )
    opened.pages[0].obj.Annots = Array([*opened.pages[0].obj.get(Name.Annots, ()), annotation])


def fill(opened: pikepdf.Pdf) -> None:
    opened.Root.AcroForm.Fields[0].V = opened.make_indirect(Dictionary(Type=Name.Sig))


def second_field(opened: pikepdf.Pdf) -> None:
    opened.Root.AcroForm.Fields.append(opened.make_indirect(Dictionary(FT=Name.Tx, T=String("More"))))


def no_field(opened: pikepdf.Pdf) -> None:
    del opened.Root.AcroForm
    del opened.pages[-1].obj.Annots


def appearance(opened: pikepdf.Pdf) -> None:
    opened.Root.AcroForm.Fields[0].AP = Dictionary(N=opened.make_stream(b""))


def untagged(opened: pikepdf.Pdf) -> None:
    opened.Root.MarkInfo.Marked = False


def no_intent(opened: pikepdf.Pdf) -> None:
    del opened.Root.OutputIntents


def other_metadata(opened: pikepdf.Pdf) -> None:
    opened.Root.Metadata.write(
        opened.Root.Metadata.read_bytes().replace(b">A<", b">B<").replace(b'conformance="A"', b'conformance="B"')
    )


def bare_font(opened: pikepdf.Pdf) -> None:
    font = next(iter(opened.pages[0].resources.Font.values()))
    descriptor = font.DescendantFonts[0].FontDescriptor
    for key in ("/FontFile2", "/FontFile3"):
        if key in descriptor:
            del descriptor[key]


def page_removed(opened: pikepdf.Pdf) -> None:
    del opened.pages[0]


def many_pages(opened: pikepdf.Pdf) -> None:
    for _ in range(9):
        opened.pages.append(opened.pages[0])


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (attach, "more.txt is attached"),
        (replace_content, "the attached confirmation.json is not the given one"),
        (page_action, "page 1 has /AA"),
        (named_script, "the name tree has /JavaScript"),
        (link, "annotations beside the field"),
        (fill, "the field Seal is not empty"),
        (second_field, "the only field is not"),
        (no_field, "the only field is not"),
        (appearance, "the field Seal has /AP"),
        (untagged, "not tagged"),
        (no_intent, "no OutputIntent"),
        (other_metadata, "pdfaid:conformance A"),
        (bare_font, "is not embedded"),
        (page_removed, "does not show"),
        (many_pages, "pages, at most"),
    ],
)
def test_a_changed_page_is_refused_by_name(
    page: tuple[bytes, Confirmation, bytes], change: Callable[[pikepdf.Pdf], object], said: str
) -> None:
    pdf, confirmation, encoded = page
    assert said in faults(changed(pdf, change), confirmation, encoded)


def test_a_missing_newline_is_refused(page: tuple[bytes, Confirmation, bytes]) -> None:
    pdf, confirmation, encoded = page
    assert "does not end with %%EOF and one newline" in faults(pdf[:-1], confirmation, encoded)
    assert "does not end with %%EOF and one newline" in faults(pdf + b"\n", confirmation, encoded)


def test_a_second_revision_is_refused(page: tuple[bytes, Confirmation, bytes]) -> None:
    pdf, confirmation, encoded = page
    assert "more than one revision" in faults(pdf + pdf[pdf.rindex(b"startxref") :], confirmation, encoded)


def test_an_encrypted_file_is_refused(page: tuple[bytes, Confirmation, bytes]) -> None:
    pdf, confirmation, encoded = page
    encryption = pikepdf.Encryption(owner="x", user="")
    assert "encrypted" in faults(changed(pdf, lambda _: None, encryption=encryption), confirmation, encoded)


@pytest.mark.parametrize("pdf", [b"", b"%PDF-1.7\n", b"not a PDF", b"%PDF-1.7\n%%EOF\n"])
def test_what_is_no_pdf_is_refused_and_never_raises_anything_else(
    page: tuple[bytes, Confirmation, bytes], pdf: bytes
) -> None:
    _, confirmation, encoded = page
    assert "cannot be read" in faults(pdf, confirmation, encoded)
