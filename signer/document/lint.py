"""Look at a rendered PDF before the seal's key is touched: read it again and refuse anything unexpected."""

from __future__ import annotations

import hashlib
import io
import math
import re
import threading
import unicodedata
from functools import lru_cache
from typing import TYPE_CHECKING

import pikepdf
import pypdfium2
from pikepdf import Array, Dictionary, Name

from signer.document import symbols
from signer.document.field import FIELD
from signer.document.page import CONTENT_FILE
from signer.errors import SignerError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from signer.document.page import Attachment
    from signer.domain.confirmation import Confirmation, Terms

    Seen = tuple[str, tuple[bytes, int] | None]

_PDFIUM = threading.Lock()  # pdfium may not be entered twice
_ROOT = frozenset(
    [
        "/Type",
        "/Pages",
        "/Metadata",
        "/OutputIntents",
        "/Names",
        "/Lang",
        "/StructTreeRoot",
        "/AF",
        "/MarkInfo",
        "/ViewerPreferences",
        "/Outlines",
        "/AcroForm",
        "/PageLabels",
    ]
)
_PAGE = frozenset(
    ["/Type", "/Parent", "/MediaBox", "/Resources", "/Contents", "/StructParents", "/Tabs", "/Annots", "/Group"]
)
_FORM = frozenset({"/Fields", "/SigFlags"})
_WIDGET = frozenset(["/Type", "/Subtype", "/FT", "/T", "/TU", "/F", "/Rect", "/P", "/StructParent"])
_OUTLINE = frozenset(["/First", "/Last", "/Count", "/Type", "/Title", "/Parent", "/Prev", "/Next", "/Dest"])
_XMP = {"pdfaid:part": "3", "pdfaid:conformance": "A", "pdfuaid:part": "1"}
_LOST_AT_LINE_ENDS = re.compile(r"[\s\-\u2010\u2011\u00ad\ufffe\u0002\u200b]+")
_RIGHT_TO_LEFT = frozenset({"R", "AL"})


class LintFailed(SignerError):
    """A rendered PDF is not what it must be before it is sealed; `faults` names everything that is wrong."""

    code = "lint-failed"

    def __init__(self, faults: tuple[str, ...]) -> None:
        super().__init__("; ".join(faults))
        self.faults = faults


def lint(
    pdf: bytes,
    confirmation: Confirmation,
    encoded: bytes,
    *,
    others: tuple[Attachment, ...] = (),
    codes: symbols.Expected = symbols.NONE,
) -> None:
    """
    Refuse (LintFailed) a PDF that does not say, show and carry exactly this confirmation.

    `encoded` is the canonical content, `others` the files attached beside it, `codes` what the QR symbols say. Fonts,
    tags, metadata and the one empty field are checked, every printed value is looked for in the text that a reader
    extracts, the symbols are drawn and read, and no way is left to start an action.

    Source: ISO 19005-3, 6.1-6.8; ISO 14289-1, 7.
    """
    faults = list(_file_faults(pdf))
    try:
        with pikepdf.open(io.BytesIO(pdf), attempt_recovery=False, suppress_warnings=False) as opened:
            faults += _structure_faults(opened)
            faults += _attachment_faults(opened, encoded, others)
            faults += _field_faults(opened)
            boxes, misplaced = symbols.places(opened, len(codes.texts))
        seen = _pages(pdf, boxes)
        faults += _text_faults(tuple(text for text, _ in seen), confirmation, encoded)
        faults += (*misplaced, *_symbol_faults(seen, codes))
    except (pikepdf.PdfError, pypdfium2.PdfiumError, AttributeError, KeyError, TypeError, ValueError) as error:
        faults.append(f"the file cannot be read: {type(error).__name__}: {error}")
    if faults:
        raise LintFailed(tuple(faults))


def _file_faults(pdf: bytes) -> Iterator[str]:
    if not pdf.startswith(b"%PDF-1."):
        yield "the file does not begin with %PDF-1."
    if not pdf.endswith(b"%%EOF\n"):
        yield "the file does not end with %%EOF and one newline"
    if pdf.count(b"startxref") != 1:
        yield "the file has more than one revision"


def _structure_faults(pdf: pikepdf.Pdf) -> Iterator[str]:
    if pdf.is_encrypted:
        yield "the file is encrypted"
    yield from _unexpected("the catalog", pdf.Root, _ROOT)
    for number, page in enumerate(pdf.pages, start=1):
        yield from _unexpected(f"page {number}", page.obj, _PAGE)
    for item in _outline(pdf.Root.get(Name.Outlines)):
        yield from _unexpected("the outline", item, _OUTLINE)
    yield from _conformance_faults(pdf)
    yield from _font_faults(pdf)


def _conformance_faults(pdf: pikepdf.Pdf) -> Iterator[str]:
    root = pdf.Root
    if not root.get(Name.OutputIntents):
        yield "no OutputIntent"
    if not bool(root.get(Name.MarkInfo, Dictionary()).get(Name.Marked, False)) or Name.StructTreeRoot not in root:
        yield "the file is not tagged"
    if not str(root.get(Name.Lang, "")).startswith("zh"):
        yield "the language is not stated"
    metadata = pdf.open_metadata(set_pikepdf_as_editor=False, update_docinfo=False)
    for key, wanted in _XMP.items():
        if str(metadata.get(key, "")) != wanted:
            yield f"the metadata does not say {key} {wanted}"


def _unexpected(place: str, found: pikepdf.Object, allowed: frozenset[str]) -> Iterator[str]:
    for key in sorted(set(found.keys()) - allowed):
        yield f"{place} has {key}"


def _outline(parent: pikepdf.Object | None) -> Iterator[pikepdf.Object]:
    item = None if parent is None else parent.get(Name.First)
    while item is not None:
        yield item
        yield from _outline(item)
        item = item.get(Name.Next)


def _font_faults(pdf: pikepdf.Pdf) -> Iterator[str]:
    fonts = {font.objgen: font for page in pdf.pages for font in page.resources.get(Name.Font, Dictionary()).values()}
    for font in fonts.values():
        for part in font.get(Name.DescendantFonts, Array([font])):
            described = part.get(Name.FontDescriptor, Dictionary())
            if Name.FontFile2 not in described and Name.FontFile3 not in described:
                yield f"the font {font.get(Name.BaseFont)} is not embedded"
        if Name.ToUnicode not in font:
            yield f"the font {font.get(Name.BaseFont)} has no ToUnicode"


def _attachment_faults(pdf: pikepdf.Pdf, encoded: bytes, others: tuple[Attachment, ...]) -> Iterator[str]:
    expected = {CONTENT_FILE: (encoded, "/Data")}
    expected |= {file.name: (file.data, f"/{file.relationship.capitalize()}") for file in others}
    yield from _unexpected("the name tree", pdf.Root.Names, frozenset({"/EmbeddedFiles"}))
    found = {str(name): spec for name, spec in pikepdf.NameTree(pdf.Root.Names.EmbeddedFiles).items()}
    for name in sorted(found.keys() | expected.keys()):
        if name not in expected:
            yield f"{name} is attached"
        elif name not in found:
            yield f"{name} is not attached"
        elif found[name].EF.F.read_bytes() != expected[name][0]:
            yield f"the attached {name} is not the given one"
        elif str(found[name].get(Name.AFRelationship)) != expected[name][1]:
            yield f"the attached {name} has no AFRelationship {expected[name][1]}"
    if sorted(str(spec.UF) for spec in pdf.Root.get(Name.AF, ())) != sorted(expected):
        yield "the associated files are not the attached ones"


def _field_faults(pdf: pikepdf.Pdf) -> Iterator[str]:
    form = pdf.Root.get(Name.AcroForm, Dictionary())
    yield from _unexpected("the form", form, _FORM)
    fields = list(form.get(Name.Fields, ()))
    annotations = [annotation for page in pdf.pages for annotation in page.obj.get(Name.Annots, ())]
    if len(fields) != 1 or str(fields[0].get(Name.T, "")) != FIELD or fields[0].get(Name.FT) != Name.Sig:
        yield f"the only field is not the signature field {FIELD}"
    elif Name.V in fields[0]:
        yield f"the field {FIELD} is not empty"
    else:
        yield from _unexpected(f"the field {FIELD}", fields[0], _WIDGET)
    if [annotation.objgen for annotation in annotations] != [field.objgen for field in fields]:
        yield f"there are annotations beside the field {FIELD}"


def _pages(pdf: bytes, boxes: Mapping[int, symbols.Box]) -> tuple[Seen, ...]:
    """Return each page's text as a reader extracts it, and a picture of the place where its symbols stand."""
    with _PDFIUM:
        document = pypdfium2.PdfDocument(pdf)
        try:
            return tuple(_page(document[place], boxes.get(place)) for place in range(len(document)))
        finally:
            document.close()


def _page(page: pypdfium2.PdfPage, box: symbols.Box | None) -> Seen:
    text = page.get_textpage()
    try:
        return str(text.get_text_range()), symbols.draw(page, box) if box else None
    finally:
        text.close()
        page.close()


def _symbol_faults(seen: tuple[Seen, ...], codes: symbols.Expected) -> Iterator[str]:
    read = [text for _, picture in seen if picture is not None for text in codes.read(*picture)]
    yield from symbols.faults(tuple(read), codes.texts)


def _text_faults(pages: tuple[str, ...], confirmation: Confirmation, encoded: bytes) -> Iterator[str]:
    terms = confirmation.terms
    most = 4 + math.ceil(len(terms.vehicles) / 3) + 2 * len(terms.outlets)
    if not 1 <= len(pages) <= most:
        yield f"{len(pages)} pages, at most {most} were expected"
    digest = hashlib.sha256(encoded).hexdigest()[:16]
    squeezed = tuple(map(_squeezed, pages))
    for number, page in enumerate(squeezed, start=1):
        for wanted in (confirmation.number, digest, f"Page {number} of {len(pages)}"):
            if _squeezed(wanted) not in page:
                yield f"page {number} does not show {wanted}"
    whole = "".join(squeezed)
    for label, value in _printed(terms):
        if not _shows(whole, value):
            yield f"the pages do not show {label} {value!r}"


def _printed(terms: Terms) -> Iterator[tuple[str, str]]:
    yield "the manufacturer", terms.manufacturer.legal_name
    yield "the manufacturer's code", terms.manufacturer.uscc
    yield "the exporter", terms.exporter.legal_name
    yield "the exporter's code", terms.exporter.uscc
    yield "the destination", terms.destination.country.name_zh
    yield "the destination", terms.destination.country.name_en
    yield "the commitment", terms.commitment.text_zh
    yield "the commitment", terms.commitment.text_en
    if terms.supersedes is not None:
        yield "the superseded number", terms.supersedes
    for vehicle in terms.vehicles:
        days = (vehicle.registered_on.isoformat(), vehicle.window.through.isoformat())
        for value in (vehicle.vin, vehicle.brand, vehicle.model, *days):
            yield "the vehicle's", value
    for outlet in terms.outlets:
        local = (outlet.name_local, outlet.address_local)
        for text in (outlet.name, outlet.provider, outlet.address, outlet.phone, *local):
            if text is not None:
                yield "the outlet's", text


def _shows(page: str, value: str) -> bool:
    """
    Tell whether a squeezed text holds a value.

    Of right-to-left text each word is looked for: readers mirror its brackets and reorder its digits.
    """
    return all(part in page for part in _wanted(value))


@lru_cache(maxsize=1024)
def _wanted(value: str) -> tuple[str, ...]:
    """Return what is looked for; of the same outlets, parties and promises at each issue of a batch."""
    if not value.isascii() and any(unicodedata.bidirectional(char) in _RIGHT_TO_LEFT for char in value):
        return tuple(map(_squeezed, re.findall(r"\w+", value)))
    return (_squeezed(value),)


def _squeezed(text: str) -> str:
    """Return text without what line ends change: blanks and hyphens; compatibility characters folded (NFKC)."""
    return _LOST_AT_LINE_ENDS.sub("", text if text.isascii() else unicodedata.normalize("NFKC", text))
