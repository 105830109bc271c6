"""
What may follow a seal: revisions of one grammar, each holding revocation data and one document timestamp over all.

The sealed prefix S is read by itself. Here is read what comes after it, byte by byte, and compared with what S says:
the catalogue may name a new DSS and one more field, one page one more annotation without size, and nothing else is
new but that field, its timestamp, the DSS and its streams. Whatever is anything else is refused.
Source: docs/reference/acceptance-rules.md, rule 2; docs/adr/0018-archive-levels.md; ETSI EN 319 142-1, 5.4 and 5.5.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from signer.seal import der, dss, place, syntax
from signer.seal.revocation import MOST_BYTES, Evidence
from signer.seal.syntax import Name, Object, Reference, SyntaxRefused, Value, is_same

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pyhanko.pdf_utils.reader import PdfFileReader

MOST_REVISIONS: Final = 12
MOST_PAGES: Final = 200
_MOST_OBJECTS: Final = 64
_TRAILER: Final = frozenset({"Size", "Root", "Prev", "ID", "Info"})
_FIELD: Final = frozenset({"Type", "Subtype", "FT", "T", "F", "Rect", "P", "V"})
TIMESTAMP: Final[Mapping[str, Value]] = {
    "Type": Name("DocTimeStamp"),
    "Filter": Name("Adobe.PPKLite"),
    "SubFilter": Name("ETSI.RFC3161"),
}
WIDGET: Final[Mapping[str, Value]] = {"Type": Name("Annot"), "Subtype": Name("Widget"), "FT": Name("Sig")}
STORE: Final = ("Certs", "OCSPs", "CRLs")
_HARMLESS_FLAGS: Final = 2 | 4 | 128
_LABEL: Final = re.compile(rb"[A-Za-z0-9_-]{1,60}")
_CROSS_REFERENCES: Final = re.compile(rb"xref[ ]?(?:\r\n|\r|\n)")
_SECTION: Final = re.compile(rb"([0-9]{1,8}) ([0-9]{1,4})[ ]?(?:\r\n|\r|\n)")
_ENTRY: Final = re.compile(rb"([0-9]{10}) ([0-9]{5}) ([nf])(?: \n|\r\n| \r)")
_END: Final = re.compile(rb"[\x00\t\n\f\r ]*startxref(?:\r\n|\r|\n)([0-9]{1,10})(?:\r\n|\r|\n)%%EOF(?:\r\n|\r|\n)?")
_FREE: Final = (0, 65535, "f")


class TailRefused(ValueError):
    """What follows the seal is not of the grammar."""


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """
    A document as far as one more revision may change it: catalogue, pages, DSS, field names, and where its table is.

    `pages` are the page objects by their numbers; `size` is the least object number that is new.
    """

    root: Reference
    trailer: Mapping[str, Value]
    catalogue: Mapping[str, Value]
    pages: Mapping[int, Mapping[str, Value]]
    store: Mapping[str, Value]
    names: frozenset[bytes]
    size: int
    table_at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Revision:
    """One revision of the grammar: where it ends, where its token stands and what that covers, what its DSS adds."""

    end: int
    where: place.Range
    token: bytes
    evidence: Evidence

    def covered(self, file: bytes) -> bytes:
        """Return the bytes that the token is over: all up to the end of the revision but its own value."""
        return file[: self.where.gap_start] + file[self.where.gap_end : self.end]


def state_of(reader: PdfFileReader) -> State:
    """Return what a document says that nothing follows yet. Raises TailRefused, and what pyHanko raises."""
    root, size = reader.trailer.raw_get("/Root"), reader.trailer["/Size"]
    table_at = reader.last_startxref
    if table_at is None or reader.has_xref_stream:
        raise TailRefused("the sealed revision has no plain cross-reference table")
    count = int(reader.root["/Pages"]["/Count"])
    if not 1 <= count <= MOST_PAGES:
        raise TailRefused(f"{count} pages; 1 to {MOST_PAGES} are read")
    pages = [reader.find_page_for_modification(index)[0] for index in range(count)]  # type: ignore[no-untyped-call]
    info = {"Info": syntax.of(reader.trailer.raw_get("/Info"))} if "/Info" in reader.trailer else {}
    catalogue = _dictionary(syntax.of(reader.root), "the catalogue")
    store = _dictionary(syntax.of(reader.root["/DSS"]), "the DSS") if "/DSS" in reader.root else {}
    return State(
        root=Reference(root.idnum, root.generation),
        trailer={"ID": syntax.of(reader.trailer["/ID"]), **info},
        catalogue=catalogue,
        pages={page.idnum: _dictionary(syntax.of(page.get_object()), "a page") for page in pages},
        store=store,
        names=frozenset(found.name.encode("utf-8", "replace").lower() for found in place.fields(reader)),
        size=int(size),
        table_at=int(table_at),
    )


def read(file: bytes, sealed_length: int, state: State) -> tuple[State, tuple[Revision, ...]]:
    """Read all that follows S, and return how the document stands after it, with its revisions. Raises TailRefused."""
    found: list[Revision] = []
    at = sealed_length
    try:
        while at < len(file):
            if len(found) == MOST_REVISIONS:
                raise TailRefused(f"more than {MOST_REVISIONS} revisions follow the seal")
            state, revision = follow(file, at, state)
            found.append(revision)
            at = revision.end
    except (SyntaxRefused, der.NotDer) as error:
        raise TailRefused(f"revision {len(found) + 1} after the seal: {error}") from error
    return state, tuple(found)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Update:
    """A revision as bytes say it: its objects by number, its trailer, where its table begins and where it ends."""

    objects: Mapping[int, Object]
    trailer: Mapping[str, Value]
    table_at: int
    end: int


def follow(file: bytes, at: int, state: State) -> tuple[State, Revision]:
    """Read one revision that follows a document so far, and return how it stands after it. Raises TailRefused."""
    update = _update(file, at)
    _check_trailer(update, state)
    left = dict(update.objects)
    old = {number for number in left if number < state.size}
    pages = old - {state.root.number}
    _demand(state.root.number in old and len(pages) == 1 and pages <= set(state.pages), "it redefines other objects")
    (page,) = pages
    field, changed = _check_page(left.pop(page), state.pages[page])
    catalogue = _check_catalogue(left.pop(state.root.number), state, field)
    label, timestamp = _check_field(_taken(left, field), page, state)
    where, token = _check_timestamp(file, _taken(left, timestamp), update)
    store, evidence = _check_store(left, catalogue, state)
    _demand(not left, "it holds objects that nothing of the grammar names")
    after = replace(
        state,
        trailer={**state.trailer, "ID": update.trailer["ID"]},
        catalogue=catalogue,
        pages={**state.pages, page: changed},
        store=store,
        names=state.names | {label.lower()},
        size=_number(update.trailer["Size"]),
        table_at=update.table_at,
    )
    return after, Revision(end=update.end, where=where, token=token, evidence=evidence)


def _update(file: bytes, at: int) -> _Update:
    """Read objects, table and trailer: nothing may stand between them but white space."""
    objects: dict[int, Object] = {}
    at = syntax.skip_blanks(file, at)
    while (found := syntax.read_object(file, at)) is not None:
        _demand(found.number not in objects and len(objects) < _MOST_OBJECTS, "an object stands twice, or too many do")
        objects[found.number] = found
        at = syntax.skip_blanks(file, found.end)
    table_at, at = at, _check_table(file, at, objects)
    _demand(file.startswith(b"trailer", at), "no trailer follows the table")
    trailer, at = syntax.read(file, at + len(b"trailer"))
    end = _END.match(file, at)
    if end is None:
        raise TailRefused("it does not end as a revision ends")
    _demand(int(end[1]) == table_at, "its table is not where it says")
    return _Update(objects=objects, trailer=_dictionary(trailer, "the trailer"), table_at=table_at, end=end.end())


def _check_table(file: bytes, at: int, objects: Mapping[int, Object]) -> int:
    """Demand a table that lists exactly the objects that stand there, and return where it ends."""
    begun = _CROSS_REFERENCES.match(file, at)
    _demand(begun is not None, "something other than objects and a plain cross-reference table")
    at = begun.end() if begun else at
    listed: dict[int, int] = {}
    while section := _SECTION.match(file, at):
        at = section.end()
        for number in range(int(section[1]), int(section[1]) + int(section[2])):
            entry = _ENTRY.match(file, at)
            if entry is None:
                raise TailRefused("an entry of its table has not the form")
            at = entry.end()
            if (number, int(entry[2]), entry[3].decode()) == _FREE and int(entry[1]) == 0:
                continue
            _demand(number not in listed and (entry[2], entry[3]) == (b"00000", b"n"), "it frees an object")
            listed[number] = int(entry[1])
    _demand(listed == {number: found.start for number, found in objects.items()}, "its table lists other objects")
    return syntax.skip_blanks(file, at)


def _check_trailer(update: _Update, state: State) -> None:
    trailer, highest = update.trailer, max(update.objects, default=0)
    _demand(set(trailer) == _TRAILER & (set(trailer) | {"Size", "Root", "Prev", "ID"}), "the trailer's entries differ")
    _demand(is_same(trailer["Root"], state.root), "the trailer names another catalogue")
    _demand(is_same(trailer.get("Info"), state.trailer.get("Info")), "the trailer names other information")
    _demand(is_same(trailer["Prev"], state.table_at), "the trailer does not name the table before it")
    _demand(is_same(trailer["Size"], max(highest + 1, state.size)), "the trailer states another size")
    before, after = _list(state.trailer["ID"]), _list(trailer["ID"])
    _demand(len(before) == len(after) == 2 and is_same(before[0], after[0]), "the trailer has another identifier")
    _demand(isinstance(after[1], bytes), "the trailer has no identifier")


def _check_page(found: Object, before: Mapping[str, Value]) -> tuple[Reference, Mapping[str, Value]]:
    """Demand that a page is as it was, with one more annotation behind the others; return that and the page."""
    page = _plain(found, "the page")
    annotations, known = page.get("Annots"), before.get("Annots", [])
    if not isinstance(annotations, list) or not isinstance(known, list) or len(annotations) != len(known) + 1:
        raise TailRefused("the page has not exactly one annotation more")
    _demand(is_same(annotations[:-1], known), "the page's annotations were changed")
    _demand(is_same(dict(page), {**before, "Annots": annotations}), "the page was changed")
    return _reference(annotations[-1]), page


def _check_catalogue(found: Object, state: State, field: Reference) -> Mapping[str, Value]:
    """Demand that the catalogue is as it was, but for its DSS and one more field."""
    catalogue = _plain(found, "the catalogue")
    before = _dictionary(state.catalogue.get("AcroForm"), "the form in the catalogue")
    wanted: dict[str, Value] = {**before, "Fields": [*_list(before.get("Fields")), field]}
    _demand(is_same(catalogue.get("AcroForm"), wanted), "the form was changed otherwise than by one field more")
    expected: dict[str, Value] = {**state.catalogue, "AcroForm": wanted}
    if "DSS" in catalogue:
        expected["DSS"] = catalogue["DSS"]
    _demand(is_same(dict(catalogue), expected), "the catalogue was changed")
    return catalogue


def _check_field(found: Object, page: int, state: State) -> tuple[bytes, Reference]:
    """Demand an invisible field of a new name, and return its name and its value's place."""
    field = _plain(found, "the field")
    _demand(set(field) - {"TU"} == _FIELD, "the field's entries differ")
    kinds = {**WIDGET, "P": Reference(page, 0)}
    _demand(all(is_same(field[key], value) for key, value in kinds.items()), "the field is no signature field there")
    label, flags, box = field["T"], field["F"], field["Rect"]
    if not isinstance(label, bytes) or not _LABEL.fullmatch(label) or label.lower() in state.names:
        raise TailRefused("the field's name is taken, or is none")
    _demand(type(flags) is int and not flags & ~_HARMLESS_FLAGS, "the field has flags that it must not have")
    is_nothing = isinstance(box, list) and len(box) == 4 and is_same(box[:2], box[2:])
    _demand(is_nothing, "the field can be seen")
    told = field.get("TU", b"")
    _demand(isinstance(told, bytes) and len(told) <= 200, "the field's description is none")
    return label, _reference(field["V"])


def _check_timestamp(file: bytes, found: Object, update: _Update) -> tuple[place.Range, bytes]:
    """Demand a document timestamp that covers the whole revision, and return where its value stands, and the token."""
    value = _plain(found, "the timestamp")
    _demand(set(value) == {*TIMESTAMP, "Contents", "ByteRange"}, "the timestamp's entries differ")
    _demand(all(is_same(value[key], kind) for key, kind in TIMESTAMP.items()), "it is no document timestamp")
    numbers, contents = value["ByteRange"], value["Contents"]
    if not isinstance(numbers, list) or not isinstance(contents, bytes):
        raise TailRefused("the timestamp has no value or no byte range")
    where = place.gap(file, [number for number in numbers if type(number) is int], contents=contents)
    if isinstance(where, str):
        raise TailRefused(f"the timestamp's place: {where}")
    is_inside = found.start < where.gap_start and where.gap_end < found.end
    _demand(is_inside and where.sealed_length == update.end, "the timestamp does not cover the whole revision")
    return where, place.value(file, where)


def _check_store(
    left: dict[int, Object], catalogue: Mapping[str, Value], state: State
) -> tuple[Mapping[str, Value], Evidence]:
    """Demand that a new DSS holds what the one before held, and plain new streams; return it and what it adds."""
    if is_same(catalogue.get("DSS"), state.catalogue.get("DSS")):
        return state.store, Evidence()
    store = _plain(_taken(left, _reference(catalogue["DSS"])), "the DSS")
    _demand(not set(store) - {"Type", *STORE} and is_same(store.get("Type", Name("DSS")), Name("DSS")), "the DSS")
    added = (_added(left, store.get(name, []), state.store.get(name, []), name) for name in STORE)
    certificates, ocsps, crls = added
    return store, Evidence(certificates, ocsps, crls)


def _added(left: dict[int, Object], now: Value, before: Value, name: str) -> tuple[bytes, ...]:
    if not isinstance(now, list) or not isinstance(before, list) or not is_same(now[: len(before)], before):
        raise TailRefused(f"the DSS lost something of {name}")
    new = now[len(before) :]
    _demand(len(new) <= dss.MOST_STREAMS, f"the DSS holds too many streams in {name}")
    return tuple(_stream(_taken(left, _reference(one)), name) for one in new)


def _stream(found: Object, name: str) -> bytes:
    is_plain = isinstance(found.value, dict) and set(found.value) == {"Length"}
    if found.stream is None or not is_plain or len(found.stream) > MOST_BYTES:
        raise TailRefused(f"{name} holds something other than plain streams of at most {MOST_BYTES} bytes")
    return found.stream


def _taken(left: dict[int, Object], reference: Reference) -> Object:
    """Take a new object out of those that are left: each is named once."""
    found = left.pop(reference.number, None)
    if found is None or reference.generation:
        raise TailRefused("it names an object that is not new, or names one twice")
    return found


def _plain(found: Object, what: str) -> Mapping[str, Value]:
    _demand(found.stream is None, f"{what} is a stream")
    return _dictionary(found.value, what)


def _dictionary(value: Value, what: str) -> dict[str, Value]:
    if not isinstance(value, dict):
        raise TailRefused(f"{what} is no dictionary")
    return value


def _list(value: Value) -> list[Value]:
    if not isinstance(value, list):
        raise TailRefused("something is no array")
    return value


def _reference(value: Value) -> Reference:
    if not isinstance(value, Reference):
        raise TailRefused("something stands directly where a reference must be")
    return value


def _number(value: Value) -> int:
    if type(value) is not int:
        raise TailRefused("something is no whole number")
    return value


def _demand(is_so: bool, otherwise: str) -> None:  # noqa: FBT001 - a private assertion
    if not is_so:
        raise TailRefused(otherwise)
