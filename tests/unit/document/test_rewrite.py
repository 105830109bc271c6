"""The finished file: all that Typst wrote stands in it as it was, and what is no file of Typst's is refused."""

from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING

import pikepdf
import pytest
from pikepdf import Name

from signer.document import field, finish, page, rewrite
from signer.document.rewrite import RewriteFailed

if TYPE_CHECKING:
    from types import ModuleType

    from signer.document.render import Renderer


@pytest.fixture(scope="module")
def typeset(renderer: Renderer, samples: ModuleType) -> tuple[bytes, str]:
    """A page as Typst writes it, in Arabic too, and the words that stand for its seal."""
    confirmation, encoded = samples.confirmation(vehicles=2, outlets=2, country="AE")
    template = renderer._template("1")
    shown = page.build(template, confirmation, encoded=encoded, base_url=samples.BASE_URL, symbol=renderer._symbol)
    return renderer._compile(template, shown), shown.seal_alt


def test_only_the_field_and_what_names_it_differ_and_every_other_object_stands_as_it_was(
    typeset: tuple[bytes, str],
) -> None:
    raw, alt = typeset
    with (
        pikepdf.open(io.BytesIO(raw)) as before,
        pikepdf.open(io.BytesIO(finish.finish(raw, picture_alt=alt, tooltip=alt))) as after,
    ):
        assert after.check_pdf_syntax() == [] if hasattr(after, "check_pdf_syntax") else after.check() == []
        count = len(before.objects)
        changed = {
            number
            for number in range(1, count + 1)
            if before.get_object(number, 0).unparse(resolved=True) != after.get_object(number, 0).unparse(resolved=True)
        }
        fonts = {font.ToUnicode.objgen[0] for font, _ in finish._ligatures(before)}
        (widget,) = after.Root.AcroForm.Fields
        colours = {number for number, _ in finish._colours(before)}
        struct = after.Root.StructTreeRoot
        form = pikepdf.NumberTree(struct.ParentTree)[int(widget.StructParent)]
        named = {after.Root.objgen[0], struct.objgen[0], widget.P.objgen[0], form.P.objgen[0]}
        assert named | colours <= changed <= named | colours | fonts
        assert (widget.objgen[0], form.objgen[0], len(after.objects)) == (count + 1, count + 2, count + 2)


def test_colours_are_the_devices_and_the_output_intent_says_what_these_are(typeset: tuple[bytes, str]) -> None:
    raw, alt = typeset
    with (
        pikepdf.open(io.BytesIO(raw)) as before,
        pikepdf.open(io.BytesIO(finish.finish(raw, picture_alt=alt, tooltip=alt))) as after,
    ):
        for one, other in zip(before.pages, after.pages, strict=True):
            was, is_now = one.resources.ColorSpace, other.resources.ColorSpace
            assert list(was) == list(is_now) != []
            assert all(is_now[name] == (Name.DeviceRGB if was[name][1].N == 3 else Name.DeviceGray) for name in was)
        (intent,) = after.Root.OutputIntents
        assert (intent.S, int(intent.DestOutputProfile.N)) == (Name.GTS_PDFA1, 3)


def test_nothing_but_the_end_looks_like_the_end(typeset: tuple[bytes, str]) -> None:
    raw, alt = typeset
    made = finish.finish(raw, picture_alt=alt, tooltip=alt)
    assert [made.count(mark) for mark in (b"%%EOF", b"startxref", b"\nxref\n", b"trailer")] == [1, 1, 1, 1]


def test_every_entry_of_the_table_leads_to_its_object(typeset: tuple[bytes, str]) -> None:
    raw, alt = typeset
    made = finish.finish(raw, picture_alt=alt, tooltip=alt)
    start = int(made.rsplit(b"startxref\n", 1)[1].split()[0])
    entries = re.findall(rb"([0-9]{10}) 00000 n \n", made[start:])
    assert len(entries) == len(set(entries)) > 100
    for number, place in enumerate(map(int, entries), start=1):
        assert made[place:].startswith(b"%d 0 obj\n" % number)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda raw: raw + b"\n% and more",
        lambda raw: raw.replace(b"xref\n0 ", b"xref\n1 "),
        lambda raw: raw.replace(b"/Size ", b"/Size 1"),
        lambda raw: raw[:100] + raw[101:],
        lambda raw: raw.replace(b"00000 n\r\n", b"00001 n\r\n", 1),
    ],
)
def test_what_is_not_as_typst_writes_it_is_refused(typeset: tuple[bytes, str], spoil: object) -> None:
    assert callable(spoil)
    with pytest.raises(RewriteFailed):
        rewrite.rewritten(spoil(typeset[0]), {})


def test_an_object_that_is_not_there_is_not_changed(typeset: tuple[bytes, str]) -> None:
    with pytest.raises(RewriteFailed):
        rewrite.rewritten(typeset[0], {99_999: b"null"})


def test_nobody_smuggles_a_reference_in_by_the_name_of_a_stand_in(typeset: tuple[bytes, str]) -> None:
    raw, alt = typeset
    with pytest.raises(field.FieldFailed):
        finish.finish(raw, picture_alt=alt, tooltip=f"seal {field._WIDGET}")
