"""
Where the seal stands in a PDF: the one field, its dictionary, its byte range and its value, each in its one form.

Source: docs/reference/acceptance-rules.md, rules 2 and 5; ISO 32000-2, 12.8; ETSI EN 319 142-1, 4.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pyhanko.pdf_utils import generic
from pyhanko.sign.diff_analysis import (
    CatalogModificationRule,
    DSSCompareRule,
    FormUpdatingRule,
    ModificationLevel,
    SigFieldCreationRule,
    SigFieldModificationRule,
    StandardDiffPolicy,
)
from pyhanko.sign.fields import enumerate_sig_fields
from pyhanko.sign.validation import EmbeddedPdfSignature
from pyhanko.sign.validation.status import SignatureCoverageLevel

from signer.seal import der, pdf, precheck
from signer.seal.sign import FIELD

if TYPE_CHECKING:
    from pyhanko.pdf_utils.reader import PdfFileReader

_KEYS: Final = frozenset({"/Type", "/Filter", "/SubFilter", "/Contents", "/ByteRange", "/M", "/Reference"})
_HEX: Final = b"0123456789ABCDEF"
_CATALOGUE: Final = CatalogModificationRule()  # type: ignore[no-untyped-call]  # pyHanko's
_FIELDS: Final = SigFieldCreationRule(), SigFieldModificationRule()  # type: ignore[no-untyped-call]  # pyHanko's
_ARCHIVE_ONLY: Final = StandardDiffPolicy(
    global_rules=[_CATALOGUE, DSSCompareRule().as_qualified(ModificationLevel.LTA_UPDATES)],
    form_rule=FormUpdatingRule(field_rules=list(_FIELDS)),
)
"""pyHanko's own policy without what it lets pass beside archive revisions: metadata, whose XML it would parse here."""
MOST_OBJECTS_COMPARED: Final = 500
"""Above it pyHanko's comparison, which reads every object of S, takes seconds; S is none of the attacker's choice."""
_BEFORE: Final = b"/Contents "


@dataclass(frozen=True, slots=True)
class Field:
    """A signature field: its full name, and the signature's dictionary (None while it is empty)."""

    name: str
    field: generic.DictionaryObject
    signature: generic.DictionaryObject | None


@dataclass(frozen=True, slots=True)
class Filled:
    """A signature field that holds a signature."""

    name: str
    field: generic.DictionaryObject
    signature: generic.DictionaryObject


@dataclass(frozen=True, slots=True)
class Range:
    """The gap between `gap_start` and `gap_end` (with its brackets), and where S ends."""

    gap_start: int
    gap_end: int
    sealed_length: int


def fields(reader: PdfFileReader) -> tuple[Field, ...]:
    """Return every signature field of the document, filled or not."""
    found = []
    for name, value, reference in enumerate_sig_fields(reader):
        signature = value.get_object() if value is not None else None
        is_dictionary = isinstance(signature, generic.DictionaryObject)
        found.append(Field(str(name), reference.get_object(), signature if is_dictionary else None))
    return tuple(found)


def the_seal(found: tuple[Field, ...]) -> Filled | None:
    """Return the filled field that counts as the seal: ours by name, else the first."""
    filled = [Filled(one.name, one.field, one.signature) for one in found if one.signature is not None]
    return next((one for one in filled if one.name == FIELD), filled[0] if filled else None)


def form_fault(reader: PdfFileReader, found: tuple[Field, ...], seal: Filled) -> str:
    """Return why the seal is not the one certified seal in its one form, or ''."""
    signature = seal.signature
    if len(found) != 1:
        return f"{len(found)} signature fields, not one"
    if seal.name != FIELD:
        return f"the field is called {seal.name[:40]!r}, not {FIELD!r}"
    if unknown := sorted(str(key) for key in set(signature) ^ _KEYS):
        return f"the signature dictionary's entries differ: {', '.join(unknown)[:120]}"
    wanted = (("/Type", "/Sig"), ("/Filter", "/Adobe.PPKLite"), ("/SubFilter", "/ETSI.CAdES.detached"))
    for key, value in wanted:
        if (is_so := pdf.text(signature, key)) != value:
            return f"{key} is {is_so[:40]!r}, not {value}"
    return _certification_fault(reader, seal.field, signature)


def _certification_fault(
    reader: PdfFileReader, field: generic.DictionaryObject, signature: generic.DictionaryObject
) -> str:
    """DocMDP with P = 1 (no changes), named by the catalogue. Source: ISO 32000-2, 12.8.2.2."""
    references = pdf.entry(signature, "/Reference", generic.ArrayObject)
    if len(references) != 1 or not isinstance(references[0], generic.DictionaryObject):
        return "not exactly one transform"
    parameters = pdf.entry(references[0], "/TransformParams", generic.DictionaryObject)
    if pdf.text(references[0], "/TransformMethod") != "/DocMDP" or pdf.number(parameters, "/P") != 1:
        return "it is not certified to allow no changes"
    permissions = pdf.entry(reader.root, "/Perms", generic.DictionaryObject)
    certified = permissions.raw_get("/DocMDP") if "/DocMDP" in permissions else None
    if not isinstance(certified, generic.IndirectObject) or certified != field.raw_get("/V"):
        return "the catalogue does not name this seal as the certifying one"
    return ""


def byte_range(file: bytes, signature: generic.DictionaryObject) -> Range | str:
    """Return the byte range if it is [0, a, b, c] around exactly the value's hexadecimal string, else its fault."""
    numbers = signature.raw_get("/ByteRange")
    if not isinstance(numbers, generic.ArrayObject) or len(numbers) != 4:
        return "the byte range is not an array of four numbers"
    if not all(isinstance(number, generic.NumberObject) for number in numbers):
        return "the byte range holds something that is no number"
    contents = signature.raw_get("/Contents")
    if not isinstance(contents, generic.TextStringObject | generic.ByteStringObject):
        return "the value is no string"
    return gap(file, [int(number) for number in numbers], contents=contents.original_bytes)


def gap(file: bytes, numbers: list[int], *, contents: bytes) -> Range | str:
    """Return the place of a value that was read as `contents`, if four numbers name exactly it, else the fault."""
    if len(numbers) != 4:
        return "the byte range is not an array of four numbers"
    first, gap_start, gap_end, rest = numbers
    if first != 0 or not 0 < gap_start < gap_end <= gap_end + rest <= len(file):
        return "the byte range does not lie in the file"
    if file[gap_start - len(_BEFORE) : gap_start + 1] != _BEFORE + b"<" or file[gap_end - 1 : gap_end] != b">":
        return "the gap is not exactly the value of /Contents"
    inside = file[gap_start + 1 : gap_end - 1]
    is_hex = bool(inside) and len(inside) % 2 == 0 and not inside.translate(None, _HEX)
    if len(inside) > 2 * precheck.MOST_CONTENTS_BYTES or not is_hex:
        return "the value is not upper-case hexadecimal of at most 64 kB"
    if contents != bytes.fromhex(inside.decode()):
        return "the value read is not the value in the gap"
    return Range(gap_start, gap_end, gap_end + rest)


def value(file: bytes, place: Range) -> bytes:
    """Return the CMS in the gap: one DER value, then only zeros. Raises NotDer."""
    inside = bytes.fromhex(file[place.gap_start + 1 : place.gap_end - 1].decode())
    whole = der.read(inside).whole
    if inside[len(whole) :].strip(b"\0"):
        raise der.NotDer("something other than zeros follows the value")
    return whole


def coverage_fault(reader: PdfFileReader, seal: Filled) -> str:
    """Return what pyHanko finds of coverage and of changes against the certification, or '' as a second opinion."""
    embedded = EmbeddedPdfSignature(reader, seal.field, seal.name)
    embedded.compute_integrity_info()  # type: ignore[no-untyped-call]  # pyHanko's
    summary = embedded.summarise_integrity_info()
    if summary["coverage"] is not SignatureCoverageLevel.ENTIRE_FILE:
        return f"coverage is {summary['coverage'].name}"
    return "" if summary["docmdp_ok"] else "the document was changed against its certification"


def change_fault(reader: PdfFileReader, sealed: PdfFileReader, revisions: int) -> str:
    """
    Return what pyHanko finds wrong with the revisions that follow the seal, or '': a second opinion again.

    `sealed` reads S alone. In a document of very many objects it is asked of coverage alone.
    Source: docs/adr/0022-five-seconds.md.
    """
    if reader.xrefs.total_revisions < revisions + 2:
        return "another number of revisions"
    seal = next((found for found in fields(reader) if found.name == FIELD and found.signature is not None), None)
    if seal is None:
        return "the seal is gone"
    embedded = EmbeddedPdfSignature(reader, seal.field, seal.name)
    is_large = int(sealed.trailer["/Size"]) > MOST_OBJECTS_COMPARED
    embedded.compute_integrity_info(_ARCHIVE_ONLY, skip_diff=is_large)  # type: ignore[no-untyped-call]  # pyHanko's
    summary = embedded.summarise_integrity_info()
    if summary["coverage"] is not SignatureCoverageLevel.ENTIRE_REVISION:
        return f"coverage is {summary['coverage'].name}"
    if is_large or summary["docmdp_ok"]:
        return ""
    return f"the document was changed against its certification: {embedded.diff_result}"
