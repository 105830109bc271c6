"""What may follow the seal, sentence by sentence: a revision with one thing changed is refused for that very thing."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import appended as drafts
import pikepdf
import pytest
import spliced
import world as worlds
from appended import Draft, appended, store
from genuine import Genuine, saved

from signer.domain.evidence import State
from signer.domain.trust import Purpose
from signer.seal import certificates, dss, pdf, place, tail
from signer.seal.revocation import MOST_BYTES
from signer.seal.syntax import Name, Reference
from signer.seal.validate import validate

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from signer.domain.trust import TrustList
    from signer.seal.syntax import Value


def entry(which: str, key: str, value: Value) -> Callable[[Draft], None]:
    """Change one entry of the catalogue (root), the form, the page, the widget or the trailer."""

    def change(made: Draft) -> None:
        page = made.objects[made.page]
        places = {"root": made.root, "form": made.root["AcroForm"], "page": page, "widget": made.widget}
        found = made.trailer if which == "trailer" else places[which]
        assert isinstance(found, dict)
        found[key] = value

    return change


def annotations(order: Callable[[list[Value]], list[Value]]) -> Callable[[Draft], None]:
    def change(made: Draft) -> None:
        page = made.objects[made.page]
        assert isinstance(page, dict)
        known = page["Annots"]
        assert isinstance(known, list)
        page["Annots"] = order(known)

    return change


def evidence(change: Callable[[Draft, dict[str, Value]], None]) -> Callable[[Draft], None]:
    """Give the revision a DSS and change it."""

    def changed(made: Draft) -> None:
        change(made, store(made))

    return changed


def streams(count: int) -> Callable[[Draft, dict[str, Value]], None]:
    def change(made: Draft, held: dict[str, Value]) -> None:
        first = made.free
        made.streams.update({first + place: ({"Length": 1}, b"x") for place in range(count)})
        held["CRLs"] = [Reference(first + place, 0) for place in range(count)]

    return change


def only_stream(about: dict[str, Value], data: bytes) -> Callable[[Draft], None]:
    def change(made: Draft, _held: dict[str, Value]) -> None:
        (number,) = made.streams
        made.streams[number] = ({"Length": len(data), **about}, data)

    return evidence(change)


def identifier(second: Value, *, first: Value = None) -> Callable[[Draft], None]:
    def change(made: Draft) -> None:
        known = made.state.trailer["ID"]
        assert isinstance(known, list)
        made.trailer["ID"] = [first or known[0], second]

    return change


def page_as_stream(made: Draft) -> None:
    page = made.objects.pop(made.page)
    assert isinstance(page, dict)
    made.streams[made.page] = ({**page, "Length": 0}, b"")


def in_front(made: Draft) -> None:
    """Put the new field on the seal's page, before the seal."""
    del made.objects[made.page]
    number, page = next((number, page) for number, page in made.state.pages.items() if page.get("Annots"))
    known = page["Annots"]
    assert isinstance(known, list)
    made.objects[number] = {**page, "Annots": [Reference(made.field_number, 0), *known]}
    made.widget["P"] = Reference(number, 0)


def no_stream(made: Draft, held: dict[str, Value]) -> None:
    number = made.free
    made.objects[number] = {}
    held["CRLs"] = [Reference(number, 0)]


def redefined(made: Draft) -> None:
    info = made.state.trailer["Info"]
    assert isinstance(info, Reference)
    made.objects[info.number] = {"Title": b"another"}


def many(count: int) -> Callable[[Draft], None]:
    return lambda made: made.objects.update({made.free + place: {} for place in range(count)})


def unlisted(made: Draft) -> None:
    number = made.free
    made.objects[number] = {}
    made.unlisted = (number,)


CHANGES: dict[str, tuple[Callable[[Draft], None], str]] = {
    "another object of S": (redefined, "it redefines other objects"),
    "another page": (lambda made: made.objects.update({2: {}}), "it redefines other objects"),
    "an orphan": (many(1), "nothing of the grammar names"),
    "many orphans": (many(70), "an object stands twice, or too many do"),
    "an object twice": (
        lambda made: setattr(made, "among", b"%d 0 obj\n<< >>\nendobj\n" % made.field_number),
        "an object stands twice",
    ),
    "a remark": (lambda made: setattr(made, "among", b"% one\n"), "something other than objects and a plain"),
    "an object freed": (lambda made: setattr(made, "freed", (2,)), "it frees an object"),
    "an object unlisted": (unlisted, "its table lists other objects"),
    "more in the trailer": (entry("trailer", "Extra", 1), "the trailer's entries differ"),
    "another catalogue": (entry("trailer", "Root", Reference(3, 0)), "names another catalogue"),
    "other information": (entry("trailer", "Info", Reference(3, 0)), "names other information"),
    "another table before it": (entry("trailer", "Prev", 15), "does not name the table before it"),
    "a truth for a table": (entry("trailer", "Prev", True), "does not name the table before it"),
    "another size": (entry("trailer", "Size", 5000), "states another size"),
    "another identifier": (identifier(b"x", first=b"y"), "has another identifier"),
    "half an identifier": (identifier(5), "has no identifier"),
    "an annotation less": (annotations(lambda known: known[:-1]), "not exactly one annotation more"),
    "an annotation more": (annotations(lambda known: [*known, known[-1]]), "not exactly one annotation more"),
    "no annotations": (entry("page", "Annots", None), "not exactly one annotation more"),
    "before the other annotations": (in_front, "the page's annotations were changed"),
    "the page turned": (entry("page", "Rotate", 90), "the page was changed"),
    "the page a stream": (page_as_stream, "the page is a stream"),
    "a flag of the form": (entry("form", "NeedAppearances", True), "otherwise than by one field more"),
    "an action": (entry("root", "OpenAction", {}), "the catalogue was changed"),
    "an action of the field": (entry("widget", "AA", {}), "the field's entries differ"),
    "a field without flags": (lambda made: made.widget.pop("F") and None, "the field's entries differ"),
    "a field for text": (entry("widget", "FT", Name("Tx")), "no signature field there"),
    "a field of another page": (entry("widget", "P", Reference(2, 0)), "no signature field there"),
    "the seal's name": (entry("widget", "T", b"Seal"), "name is taken"),
    "the seal's name in capitals": (entry("widget", "T", b"SEAL"), "name is taken"),
    "a name of two parts": (entry("widget", "T", b"a.b"), "or is none"),
    "a name that is a number": (entry("widget", "T", 5), "or is none"),
    "flags that act": (entry("widget", "F", 132 | 32), "flags that it must not have"),
    "flags that are a truth": (entry("widget", "F", True), "flags that it must not have"),
    "a place on the page": (entry("widget", "Rect", [0, 0, 9, 9]), "the field can be seen"),
    "a long description": (entry("widget", "TU", b"x" * 201), "description is none"),
    "a description that is a name": (entry("widget", "TU", Name("x")), "description is none"),
    "a value that stands directly": (entry("widget", "V", {}), "directly where a reference must be"),
    "a value of generation one": (
        lambda made: made.widget.update(V=Reference(made.field_number + 1, 1)),
        "not new, or names one twice",
    ),
    "a value of S": (entry("widget", "V", Reference(2, 0)), "not new, or names one twice"),
    "a table left out": (
        lambda made: setattr(made, "covers_until", lambda table_at, _end: table_at),
        "does not cover the whole revision",
    ),
    "bytes behind": (lambda made: setattr(made, "behind", b"% one\n%%EOF\n"), "something other than objects"),
    "more in the DSS": (evidence(lambda _, held: held.update(VRI={})), "the DSS"),
    "a DSS of another type": (evidence(lambda _, held: held.update(Type=Name("Catalog"))), "the DSS"),
    "a DSS that lost answers": (evidence(lambda _, held: held.update(OCSPs=[])), "the DSS lost something of OCSPs"),
    "a DSS that is no array": (evidence(lambda _, held: held.update(CRLs=5)), "the DSS lost something of CRLs"),
    "seventeen streams": (evidence(streams(dss.MOST_STREAMS + 1)), "too many streams in CRLs"),
    "a stream named twice": (
        evidence(lambda _, held: held.update(CRLs=held["OCSPs"][-1:])),  # type: ignore[index]
        "not new, or names one twice",
    ),
    "a stream with a filter": (only_stream({"Filter": Name("FlateDecode")}, b"x"), "other than plain streams"),
    "a stream too long": (only_stream({}, bytes(MOST_BYTES + 1)), f"plain streams of at most {MOST_BYTES} bytes"),
    "no stream": (evidence(no_stream), "other than plain streams"),
}
BYTES: dict[str, tuple[bytes, bytes, str]] = {
    # what -> bytes of the revision, what stands there instead, what is said
    "another startxref": (b"startxref\n", b"startxref\n1", "its table is not where it says"),
    "no trailer": (b"trailer", b"trailfr", "no trailer follows the table"),
    "no size": (b"/Size ", b"/Sizf ", "the trailer's entries differ"),
    "no end": (b"%%EOF", b"%%EOX", "does not end as a revision ends"),
    "an entry of another kind": (b" 00000 n", b" 00000 x", "an entry of its table has not the form"),
    "an entry of another generation": (b" 00000 n", b" 00001 n", "it frees an object"),
    "a compressed table": (b"xref\n", b"xref2\n", "something other than objects and a plain"),
    "no type": (b"/Type /DocTimeStamp", b"/Typf /DocTimeStamp", "the timestamp's entries differ"),
    "a signature": (b"/Type /DocTimeStamp", b"/Type /Sig         ", "it is no document timestamp"),
    "another subfilter": (b"/ETSI.RFC3161", b"/ETSI.RFC3162", "it is no document timestamp"),
    "a range from elsewhere": (b"/ByteRange [ 0 ", b"/ByteRange [ 1 ", "the timestamp's place"),
    "a range of five": (b" ]   ", b" 7 ] ", "the timestamp's place"),
    "a value in small letters": (b"/Contents <3082", b"/Contents <308a", "the timestamp's place"),
}


def read(genuine: Genuine, file: bytes) -> tuple[tail.Revision, ...]:
    length = len(genuine.pdf)
    return tail.read(file, length, tail.state_of(pdf.open_strictly(genuine.pdf)))[1]


@pytest.fixture(scope="module")
def genuine(template_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Genuine]:
    """A sealed file whose world judges in this process: nothing here goes to a child."""
    folder = tmp_path_factory.mktemp("grammar")
    world = worlds.World(worlds.copy(template_folder, folder / "data"))
    yield Genuine(world=world, issued=world.issue(worlds.sample(worlds.EMIRATES)), elsewhere=folder / "strangers")
    world.services.database.close()


@pytest.fixture(scope="module")
def right(genuine: Genuine) -> bytes:
    """A revision exactly as it should be, with a DSS of its own."""
    file = appended(genuine, evidence(streams(dss.MOST_STREAMS)))
    assert len(read(genuine, file)) == 1
    return file


@pytest.mark.parametrize("name", CHANGES)
def test_a_revision_with_one_thing_changed_is_refused_for_it(genuine: Genuine, name: str) -> None:
    change, says = CHANGES[name]
    with pytest.raises(tail.TailRefused, match=says):
        read(genuine, appended(genuine, change))


@pytest.mark.parametrize("name", BYTES)
def test_a_revision_that_is_written_otherwise_is_refused_for_it(genuine: Genuine, right: bytes, name: str) -> None:
    old, new, says = BYTES[name]
    start = len(genuine.pdf)
    changed = right[:start] + right[start:].replace(old, new, 1)
    assert changed != right, "nothing was changed"
    with pytest.raises(tail.TailRefused, match=says):
        read(genuine, changed)


def test_a_timestamp_that_lends_the_seals_value_is_refused(genuine: Genuine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its range names the gap of the seal, in which the very same digits stand."""
    start, end = genuine.gap
    monkeypatch.setattr(drafts, "ROOM", (end - start) // 2)
    file = appended(genuine, lambda _: None)
    at = file.rindex(b"/Contents <") + len(b"/Contents <")
    lent = file[:at] + file[start:end] + file[at + end - start :]
    numbers = b"/ByteRange [ 0 %d %d %d ]" % (start - 1, end + 1, len(file) - end - 1)
    lent = re.sub(rb"/ByteRange \[ 0 \d+ \d+ \d+ \] *", lambda found: numbers.ljust(len(found.group())), lent)
    assert len(lent) == len(file)
    with pytest.raises(tail.TailRefused, match="does not cover the whole revision"):
        read(genuine, lent)


def test_pyhanko_gives_a_second_opinion_and_it_counts(genuine: Genuine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Should the grammar ever let something pass: of what follows the seal, and of what it covers."""
    at, archived = spliced.places(genuine.pdf), appended(genuine, lambda _: None)
    painted = spliced.updated(genuine.pdf, spliced.painted(genuine.pdf, at, at.size))
    sealed, whole = pdf.open_strictly(genuine.pdf), pdf.open_strictly(archived)
    assert place.change_fault(whole, sealed, 1) == ""
    assert place.change_fault(whole, sealed, 2) == "another number of revisions"
    assert "against its certification" in place.change_fault(pdf.open_strictly(painted), sealed, 1)
    seal = place.the_seal(place.fields(whole))
    assert seal is not None
    assert place.coverage_fault(whole, seal) == "coverage is ENTIRE_REVISION"
    for which, check in (("change_fault", "revisions"), ("coverage_fault", "byte-range")):
        with monkeypatch.context() as patched:
            patched.setattr(place, which, lambda *_: "another opinion")
            found = validate(archived, genuine.trust, genuine.world.at).findings
        assert [(one.id, one.detail) for one in found if one.state is State.FAILED] == [(check, "another opinion")]


def test_a_seal_that_says_that_it_covers_more_than_its_own_revision_is_none(genuine: Genuine) -> None:
    """A later revision brings the seal's dictionary again, its range made longer by what was painted in between."""
    at, (start, end) = spliced.places(genuine.pdf), genuine.gap
    painted = spliced.updated(genuine.pdf, spliced.painted(genuine.pdf, at, at.size))
    longer = b"/ByteRange [0 %d %d %d]" % (start - 1, end + 1, len(painted) - end - 1)
    told = re.sub(rb"/ByteRange \[[^]]*\]", longer, spliced.body(genuine.pdf, at.signature))
    found = validate(spliced.updated(painted, {at.signature: told}), genuine.trust, genuine.world.at).findings
    (fault,) = [one.detail for one in found if one.id == "byte-range"]
    assert fault == "the seal is not the one of the revision that it covers"


def test_a_second_field_for_a_signature_may_not_be_sealed_even_empty(genuine: Genuine) -> None:
    def add(opened: pikepdf.Pdf) -> None:
        field = pikepdf.Dictionary(T="Two", FT=pikepdf.Name.Sig, Rect=[0, 0, 0, 0], F=132)
        opened.Root.AcroForm.Fields.append(opened.make_indirect(field))

    file = genuine.resealed(genuine.ours.seal("beichen"), saved(genuine.page, add))
    found = validate(file, genuine.trust, genuine.world.at).findings
    assert [one.detail for one in found if one.id == "seal-form"] == ["2 signature fields, not one"]


def test_a_listed_seal_may_seal_and_its_entry_says_how_it_names(
    genuine: Genuine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failed(trust: TrustList) -> list[str]:
        found = validate(genuine.pdf, trust, genuine.world.at).findings
        return [one.id for one in found if one.state is State.FAILED]

    nameless = [one.model_copy(update={"naming_profile": None}) for one in genuine.trust.of(Purpose.PDF_SEAL)]
    others = [one for one in genuine.trust.entries if one.purpose is not Purpose.PDF_SEAL]
    assert failed(genuine.trust.model_copy(update={"entries": (*others, *nameless)})) == ["naming"]
    monkeypatch.setattr(certificates, "seal_usage_fault", lambda _: "it may not seal")
    assert failed(genuine.trust) == ["chain"]
