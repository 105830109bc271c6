"""The print form: the same page without anything that could pass for a seal, and it says so."""

from __future__ import annotations

import io
import re
import unicodedata
from typing import TYPE_CHECKING

import pikepdf
import pypdfium2
import pytest
import zxingcpp

from signer.document.lint import LintFailed, lint
from signer.document.render import Renderer
from signer.domain.confirmation import SealClass
from signer.paper.symbol import matrix
from signer.resources import templates_dir

if TYPE_CHECKING:
    from types import ModuleType

DIGEST = bytes(range(32))


def text_of(pdf: bytes) -> str:
    with pypdfium2.PdfDocument(pdf) as document:
        pages = [document[place].get_textpage().get_text_range() for place in range(len(document))]
    return re.sub(r"[\s\-\ufffe\u0002]+", "", unicodedata.normalize("NFKC", "".join(pages)))


@pytest.fixture(params=["KZ", "AE", "MX", "CI"])
def country(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


def test_it_says_what_it_is_and_of_what_and_keeps_number_and_content(
    renderer: Renderer, samples: ModuleType, country: str
) -> None:
    confirmation, encoded = samples.confirmation(country=country)
    told = text_of(renderer.print_form(confirmation, encoded=encoded, base_url=samples.BASE_URL, sealed_digest=DIGEST))
    number = confirmation.number.replace("-", "")
    for words in (
        f"打印版,编号{number}",
        f"Printformof{number}",
        DIGEST.hex(),
        "加盖公章处",
        "placefortheofficialseal",
    ):
        assert words in told, words
    for vehicle in confirmation.terms.vehicles:
        assert vehicle.vin in told
    assert "certifyingsignature" not in told
    assert "测试印章:" not in told


@pytest.mark.parametrize("seal", SealClass)
def test_nothing_in_it_waits_for_our_seal_or_looks_like_one(
    renderer: Renderer, samples: ModuleType, seal: SealClass
) -> None:
    confirmation, encoded = samples.confirmation(seal=seal)
    pdf = renderer.print_form(confirmation, encoded=encoded, base_url=samples.BASE_URL, sealed_digest=DIGEST)
    with pikepdf.open(io.BytesIO(pdf)) as opened:
        assert "/AcroForm" not in opened.Root
        assert len(opened.attachments) == 0
        alts = str([obj.get("/Alt") for obj in opened.objects if isinstance(obj, pikepdf.Dictionary) and "/Alt" in obj])
        metadata = opened.open_metadata()
        assert (metadata["pdfaid:part"], metadata["pdfaid:conformance"], metadata["pdfuaid:part"]) == ("3", "A", "1")
    assert "Empty place for the official seal" in alts
    assert "Picture of" not in alts
    assert ("测试TEST" in text_of(pdf)) is (seal is SealClass.TEST)
    with pytest.raises(LintFailed):
        lint(pdf, confirmation, encoded)


def test_the_short_code_reads_as_on_the_sealed_file(renderer: Renderer, samples: ModuleType) -> None:
    confirmation, encoded = samples.confirmation()
    pdf = renderer.print_form(confirmation, encoded=encoded, base_url=samples.BASE_URL, sealed_digest=DIGEST)
    with pypdfium2.PdfDocument(pdf) as document:
        image = document[len(document) - 1].render(scale=150 / 72, grayscale=True).to_pil().convert("L")
    found = zxingcpp.read_barcodes(memoryview(image.tobytes()).cast("B", (image.height, image.width)))
    assert [code.text for code in found] == [f"{samples.BASE_URL}/verify#{confirmation.number}"]


def test_the_same_record_gives_the_same_bytes(renderer: Renderer, samples: ModuleType) -> None:
    confirmation, encoded = samples.confirmation()
    given = {"encoded": encoded, "base_url": samples.BASE_URL}
    first = renderer.print_form(confirmation, **given, sealed_digest=DIGEST)
    another = Renderer(templates_dir(), symbol=lambda text: matrix(text, level="Q"))
    assert another.print_form(confirmation, **given, sealed_digest=DIGEST) == first
    assert renderer.print_form(confirmation, **given, sealed_digest=DIGEST[::-1]) != first
