"""The rendered file: same bytes for the same input, PDF/A-3a and PDF/UA-1, everything printed literally."""

from __future__ import annotations

import io
import os
import re
import unicodedata
from typing import TYPE_CHECKING

import pdfua
import pikepdf
import pypdfium2
import pytest
import zxingcpp
from pikepdf import Name
from pyhanko.pdf_utils.reader import PdfFileReader

from signer.document.catalogue import TemplateBroken
from signer.document.lint import LintFailed, lint
from signer.document.page import Attachment, Extras, SignedCode
from signer.document.render import Renderer, RenderFailed
from signer.domain.confirmation import SealClass, TemplateChoice
from signer.paper.symbol import matrix
from signer.resources import templates_dir

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from types import ModuleType

    from signer.domain.confirmation import Confirmation

    Rendered = Callable[..., tuple[bytes, Confirmation, bytes]]

SKIPPED_BY_PDFUA = {"UA-14-001"}  # raises on heading numbers as Typst writes them


def text_of(pdf: bytes) -> str:
    document = pypdfium2.PdfDocument(pdf)
    try:
        pages = []
        for place in range(len(document)):
            page = document[place]
            textpage = page.get_textpage()
            pages.append(textpage.get_text_range())
            textpage.close()
            page.close()
        return unicodedata.normalize("NFKC", "\n".join(pages))
    finally:
        document.close()


def squeezed(text: str) -> str:
    return re.sub(r"[\s\-\ufffe\u0002]+", "", unicodedata.normalize("NFKC", text))


def page_count(pdf: bytes) -> int:
    with pikepdf.open(io.BytesIO(pdf)) as opened:
        return len(opened.pages)


def test_the_same_input_gives_the_same_bytes_in_another_renderer(rendered: Rendered, samples: ModuleType) -> None:
    pdf, confirmation, encoded = rendered(vehicles=3, outlets=2, country="AE")
    other = Renderer(templates_dir(), symbol=lambda text: matrix(text, level="Q"))
    assert other.render(confirmation, encoded=encoded, base_url=samples.BASE_URL) == pdf


def test_another_content_gives_other_bytes_and_the_compiler_keeps_nothing_of_the_first(
    rendered: Rendered, renderer: Renderer, samples: ModuleType
) -> None:
    pdf, confirmation, encoded = rendered(vehicles=1)
    other, other_encoded = samples.confirmation(vehicles=1, contract="OTHER-1")
    assert renderer.render(other, encoded=other_encoded, base_url=samples.BASE_URL) != pdf
    assert renderer.render(confirmation, encoded=encoded, base_url=samples.BASE_URL) == pdf


@pytest.mark.parametrize("country", ["KZ", "AE", "MX", "CI", "TH"])
def test_pdfua_finds_nothing_and_skips_only_what_is_known(rendered: Rendered, tmp_path: Path, country: str) -> None:
    path = tmp_path / "page.pdf"
    path.write_bytes(rendered(vehicles=2, outlets=2, country=country)[0])
    report = pdfua.validate(str(path))
    assert [finding for outcome in report.outcomes for finding in outcome.findings] == []
    assert {outcome.rule_id for outcome in report.outcomes if outcome.skipped_reason} == SKIPPED_BY_PDFUA


def test_the_file_states_pdfa_3a_and_pdfua_1_and_carries_its_content(rendered: Rendered) -> None:
    pdf, _, encoded = rendered(vehicles=2, outlets=2)
    assert pdf.endswith(b"%%EOF\n")
    with pikepdf.open(io.BytesIO(pdf)) as opened:
        metadata = opened.open_metadata()
        assert (metadata["pdfaid:part"], metadata["pdfaid:conformance"], metadata["pdfuaid:part"]) == ("3", "A", "1")
        assert opened.Root.OutputIntents[0].S == Name.GTS_PDFA1
        assert bool(opened.Root.MarkInfo.Marked)
        assert str(opened.Root.Lang).startswith("zh")
        (file,) = opened.Root.AF
        assert file.AFRelationship == Name.Data
        assert file.EF.F.read_bytes() == encoded
        assert str(metadata["dc:title"]).startswith("售后维修服务确认书")


def test_the_empty_field_lies_over_the_seal_and_is_tagged(rendered: Rendered) -> None:
    pdf, _, _ = rendered(vehicles=1)
    with pikepdf.open(io.BytesIO(pdf)) as opened:
        (widget,) = opened.Root.AcroForm.Fields
        assert (str(widget.T), widget.FT, Name.V in widget, Name.AP in widget) == ("Seal", Name.Sig, False, False)
        page = opened.pages[-1].obj
        assert page.Tabs == Name.S
        assert page.Annots[0].objgen == widget.objgen
        left, bottom, right, top = map(float, widget.Rect)
        assert 110 < right - left < 120
        assert 110 < top - bottom < 120
        element = pikepdf.NumberTree(opened.Root.StructTreeRoot.ParentTree)[int(widget.StructParent)]
        assert Name.Form == element.S
        assert element.K.Obj.objgen == widget.objgen
        assert int(opened.Root.StructTreeRoot.ParentTreeNextKey) == int(widget.StructParent) + 1


def test_the_strict_reader_reads_it_and_finds_the_one_empty_field(rendered: Rendered) -> None:
    reader = PdfFileReader(io.BytesIO(rendered(vehicles=1)[0]), strict=True)
    assert list(reader.embedded_signatures) == []
    assert reader.root["/AcroForm"]["/Fields"][0].get_object()["/T"] == "Seal"


def test_markup_in_names_is_printed_literally(samples: ModuleType, renderer: Renderer) -> None:
    name = '#include "x" *bold* _it_ $x$ \\ <b>&amp;</b> @ref `raw` //c [a] ~ = h'
    outlet = samples.outlet("MX", 1).model_copy(update={"name": name, "provider": "= Heading - list + enum / term: x"})
    confirmation, encoded = samples.confirmation(country="MX", outlets=(outlet,))
    pdf = renderer.render(confirmation, encoded=encoded, base_url=samples.BASE_URL)
    assert squeezed(name) in squeezed(text_of(pdf))
    assert squeezed("= Heading - list + enum / term: x") in squeezed(text_of(pdf))


def test_text_comes_out_as_it_went_in_also_cyrillic_and_arabic(rendered: Rendered) -> None:
    kazakh, confirmation, _ = rendered(vehicles=1, outlets=1, country="KZ")
    assert squeezed(confirmation.terms.outlets[0].address_local) in squeezed(text_of(kazakh))
    arabic, confirmation, _ = rendered(vehicles=1, outlets=1, country="AE")
    assert "مركز النخيل لخدمة السيارات" in text_of(arabic)
    words = ["الوحدة 12", "شارع 8", "منطقة القوز الصناعية 3", "دبي", "الإمارات العربية المتحدة"][2:]
    for phrase in ("منطقة القوز الصناعية", *words[1:]):
        assert phrase in text_of(arabic)


def test_the_sections_are_extracted_in_their_printed_order(rendered: Rendered) -> None:
    text = text_of(rendered(vehicles=1, country="KZ")[0])
    order = [
        "售后维修服务确认书",
        "Intended use",
        "制造商 Manufacturer",
        "出口企业 Exporter",
        "Destination",
        "车辆 Vehicles",
        "Service outlets",
        "Service commitment",
        "What a reader program shows",
    ]
    places = [text.index(wanted) for wanted in order]
    assert places == sorted(places)


def test_long_names_without_a_blank_stay_on_the_page_and_are_extracted_whole(
    samples: ModuleType, renderer: Renderer
) -> None:
    long, address, arabic = "W" * 120, "Ab9" * 200, "مسكن" * 29
    outlet = samples.outlet("AE", 1).model_copy(
        update={
            "name": long,
            "provider": long,
            "address": address,
            "address_local": arabic,
            "hours": long,
            "phone": long,
            "email": long,
        }
    )
    vehicle = samples.vehicle(1).model_copy(update={"brand": long, "model": long, "colour": long, "engine_no": long})
    maker = samples.MANUFACTURER.model_copy(
        update={
            "legal_name": "青" * 120,
            "legal_name_en": long,
            "address": address,
            "contact": long,
            "verification_domain": long,
        }
    )
    vehicle = vehicle.model_copy(update={"certificate_manufacturer": "青" * 120})
    confirmation, encoded = samples.confirmation(
        country="AE", outlets=(outlet,), vehicles=(vehicle,), manufacturer=maker
    )
    pdf = renderer.render(confirmation, encoded=encoded, base_url=samples.BASE_URL)
    lint(pdf, confirmation, encoded)
    assert characters_outside(pdf, margin=44) == []


def characters_outside(pdf: bytes, *, margin: float) -> list[str]:
    """Return the characters printed nearer to the left or right edge than a margin in points; the watermark is none."""
    document = pypdfium2.PdfDocument(pdf)
    outside = []
    for place in range(len(document)):
        page = document[place]
        text = page.get_textpage()
        width = page.get_width()
        for index in range(text.count_chars()):
            left, _, right, _ = text.get_charbox(index)
            if right > left and (left < margin or right > width - margin):
                outside.append(text.get_text_range(index, 1))
        text.close()
        page.close()
    document.close()
    return outside


@pytest.mark.parametrize(("vehicles", "outlets"), [(1, 1), (20, 10), (21, 3), (200, 1)])
def test_any_allowed_number_of_vehicles_fits_and_passes_the_lint(
    rendered: Rendered, vehicles: int, outlets: int
) -> None:
    pdf, confirmation, encoded = rendered(vehicles=vehicles, outlets=outlets)
    lint(pdf, confirmation, encoded)
    assert page_count(pdf) <= 2 + vehicles // 12 + outlets // 3


@pytest.mark.parametrize("country", ["KZ", "AE", "MX", "CI", "TH"])
def test_each_language_passes_the_lint(rendered: Rendered, country: str) -> None:
    lint(*rendered(vehicles=2, outlets=2, country=country))


def test_a_page_is_written_in_few_texts_as_each_is_written_and_read_again(rendered: Rendered) -> None:
    with pikepdf.open(io.BytesIO(rendered(vehicles=2, outlets=2)[0])) as opened:
        assert max(page.Contents.read_bytes().count(b"\nBT ") for page in opened.pages) < 330


def test_a_test_seal_says_test_on_every_page_and_the_others_do_not(rendered: Rendered) -> None:
    pdf, _, _ = rendered(vehicles=20, outlets=3, country="TH")
    text = text_of(pdf)
    assert text.count("测试 TEST") >= page_count(pdf)
    for seal in (SealClass.MAKER, SealClass.OFFICIAL):
        assert "TEST" not in text_of(rendered(vehicles=1, country="TH", seal=seal)[0])


def test_only_the_official_seal_comes_without_words_of_caution(rendered: Rendered) -> None:
    assert "no claim is made" in squeezed_words(rendered(vehicles=1, seal=SealClass.MAKER)[0])
    official = squeezed_words(rendered(vehicles=1, seal=SealClass.OFFICIAL)[0])
    assert "no claim is made" not in official
    assert "technical demonstration" not in official


def squeezed_words(pdf: bytes) -> str:
    return " ".join(text_of(pdf).split())


def test_the_page_never_claims_legal_equality_nor_asks_to_ignore_a_warning(rendered: Rendered) -> None:
    text = squeezed_words(rendered(vehicles=1, seal=SealClass.OFFICIAL)[0]).lower()
    assert not re.search(r"legally|equal|ignore|忽略|同等|等效", text)


def test_the_short_code_is_read_from_the_printed_page(rendered: Rendered, samples: ModuleType) -> None:
    pdf, confirmation, _ = rendered(vehicles=1)
    document = pypdfium2.PdfDocument(pdf)
    page = document[len(document) - 1]
    image = page.render(scale=150 / 72, grayscale=True).to_pil().convert("L")
    found = zxingcpp.read_barcodes(memoryview(image.tobytes()).cast("B", (image.height, image.width)))
    page.close()
    document.close()
    assert [code.text for code in found] == [f"{samples.BASE_URL}/verify#{confirmation.number}"]


def test_later_proofs_change_data_and_not_the_template(samples: ModuleType, renderer: Renderer) -> None:
    confirmation, encoded = samples.confirmation(vehicles=1)
    proof = Attachment(name="log-proof.json", data=b'{"v":1}', description="Log proof")
    extras = Extras(
        signed_codes=(SignedCode("https://confirm.example.org/v#" + "1234567890" * 60),),
        attachments=(proof,),
        watermark="草稿 DRAFT",
        status="Draft only",
    )
    pdf = renderer.render(confirmation, encoded=encoded, base_url=samples.BASE_URL, extras=extras)
    lint(pdf, confirmation, encoded, others=(proof,))
    with pytest.raises(LintFailed, match=r"log-proof\.json is attached"):
        lint(pdf, confirmation, encoded)
    assert "草稿 DRAFT" in text_of(pdf)
    assert "纸面签名码" in text_of(pdf)


def test_a_superseded_number_and_linked_outlets_are_printed(samples: ModuleType, renderer: Renderer) -> None:
    vehicles = (samples.vehicle(1, ("outlet-02",)), samples.vehicle(2))
    old = samples.number("0000000000001")
    confirmation, encoded = samples.confirmation(vehicles=vehicles, outlets=2, supersedes=old)
    confirmation, encoded = samples.confirmation(
        samples.terms(outlets=2).model_copy(update={"vehicles": vehicles, "supersedes": old})
    )
    text = text_of(renderer.render(confirmation, encoded=encoded, base_url=samples.BASE_URL))
    assert old in text
    assert "Supersedes confirmation" in text


def test_an_unprintable_character_is_a_named_error_and_no_page(samples: ModuleType, renderer: Renderer) -> None:
    outlet = samples.outlet("KZ", 1).model_copy(update={"name": "ꙮ\U00012000"})
    confirmation, encoded = samples.confirmation(outlets=(outlet,))
    with pytest.raises(RenderFailed, match=r"U\+|glyph|font|unicode|displayed"):
        renderer.render(confirmation, encoded=encoded, base_url=samples.BASE_URL)


def test_an_unknown_template_version_is_refused(samples: ModuleType, renderer: Renderer) -> None:
    confirmation, encoded = samples.confirmation(
        samples.terms().model_copy(update={"template": TemplateChoice(version="9999", languages=("zh", "en"))})
    )
    with pytest.raises(TemplateBroken, match="template 9999"):
        renderer.render(confirmation, encoded=encoded, base_url=samples.BASE_URL)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_child_made_after_a_render_makes_a_compiler_of_its_own(samples: ModuleType) -> None:
    renderer = Renderer(templates_dir(), symbol=lambda text: matrix(text, level="Q"))
    first = renderer._compiler()
    renderer._local.kept = (-1, first)
    assert renderer._compiler() is not first
