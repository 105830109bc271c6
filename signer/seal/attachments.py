"""
The files attached to a confirmation: `confirmation.json` (Data) and, at most, `log-proof.json` (Supplement).

Source: docs/reference/acceptance-rules.md, rule 8; ISO 32000-2, 7.11.4 and 14.13.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pyhanko.pdf_utils import generic

from signer.domain import log_leaf
from signer.seal import pdf

if TYPE_CHECKING:
    from pyhanko.pdf_utils.reader import PdfFileReader

CONTENT: Final = "confirmation.json"
PROOF: Final = "log-proof.json"
MOST_BYTES: Final = 400_000
MOST_PROOF_BYTES: Final = log_leaf.MOST_BYTES
_RELATIONSHIPS: Final = {CONTENT: "/Data", PROOF: "/Supplement"}
_MOST_FILES: Final = 16
_MOST_DEPTH: Final = 4


@dataclass(frozen=True, slots=True)
class Attachments:
    """What is attached: the bytes of content and log proof if there are any, the names found, the fault (rule 8)."""

    content: bytes | None
    names: tuple[str, ...]
    fault: str
    proof: bytes | None = None


def read(reader: PdfFileReader) -> Attachments:
    """Read the attached files of a document. What pyHanko raises on a broken one is the caller's to catch."""
    names = pdf.entry(reader.root, "/Names", generic.DictionaryObject)
    pairs = _leaves(pdf.entry(names, "/EmbeddedFiles", generic.DictionaryObject), depth=0)
    labels = tuple(label[:80] for label, _ in pairs)
    if len(pairs) > _MOST_FILES:
        return Attachments(None, labels[:_MOST_FILES], f"more than {_MOST_FILES} files")
    found: dict[str, bytes | None] = {}
    faults = []
    for label, specification in pairs:
        data, fault = _file(label, specification)
        faults.append(fault)
        found.setdefault(label, data)
    faults.append(_set_fault(reader, labels, [specification for _, specification in pairs]))
    fault = next((fault for fault in faults if fault), "")
    return Attachments(found.get(CONTENT), labels, fault, proof=found.get(PROOF))


def _set_fault(reader: PdfFileReader, labels: tuple[str, ...], files: list[generic.PdfObject]) -> str:
    if sorted(labels) not in ([CONTENT], [CONTENT, PROOF]):
        return f"the attachments are {', '.join(labels)[:120] or 'none'}"
    array = pdf.entry(reader.root, "/AF", generic.ArrayObject)
    associated = [array.raw_get(place) for place in range(len(array))]
    if len(associated) != len(files) or any(member not in files for member in associated):
        return "the associated files are not the attached ones"
    return ""


def _leaves(node: generic.PdfObject, *, depth: int) -> list[tuple[str, generic.PdfObject]]:
    """Return the pairs of a name tree, at most a few more than may be. Source: ISO 32000-2, 7.9.6."""
    if not isinstance(node, generic.DictionaryObject) or depth > _MOST_DEPTH:
        return []
    names = pdf.entry(node, "/Names", generic.ArrayObject)
    most = min(len(names) - 1, 2 * _MOST_FILES + 2)
    pairs = [(str(names[place]), names.raw_get(place + 1)) for place in range(0, most, 2)]
    kids = pdf.entry(node, "/Kids", generic.ArrayObject)
    for place in range(min(len(kids), _MOST_FILES + 1)):
        pairs += _leaves(kids[place], depth=depth + 1)
        if len(pairs) > _MOST_FILES:
            break
    return pairs


def _file(label: str, reference: generic.PdfObject) -> tuple[bytes | None, str]:
    specification = reference.get_object()  # type: ignore[no-untyped-call]  # pyHanko leaves it unannotated
    if not isinstance(specification, generic.DictionaryObject):
        return None, f"{label[:40]!r} is no file"
    embedded = pdf.entry(specification, "/EF", generic.DictionaryObject)
    stream = pdf.entry(embedded, "/F", generic.StreamObject)
    if "/F" not in embedded:
        return None, f"{label[:40]!r} holds no file"
    data: bytes = stream.data
    most = MOST_PROOF_BYTES if label == PROOF else MOST_BYTES
    if len(data) > most:
        return None, f"{label[:40]!r} has more than {most} bytes"
    return data, _specification_fault(label, specification, embedded)


def _specification_fault(
    label: str, specification: generic.DictionaryObject, embedded: generic.DictionaryObject
) -> str:
    if "/UF" in embedded and embedded.raw_get("/UF") != embedded.raw_get("/F"):
        return f"{label[:40]!r} holds two files"
    if {pdf.text(specification, "/F") or label, pdf.text(specification, "/UF") or label} != {label}:
        return f"{label[:40]!r} has another name inside"
    relationship = pdf.text(specification, "/AFRelationship")
    return (
        ""
        if relationship == _RELATIONSHIPS.get(label)
        else f"{label[:40]!r} has the relationship {relationship[:20]!r}"
    )
