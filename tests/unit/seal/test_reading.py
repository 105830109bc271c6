"""The judge asked from outside its cell: what it finds, and what becomes of a child that gives no good answer."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import pikepdf

from signer import sandbox
from signer.domain.evidence import Form
from signer.sandbox import Limits
from signer.seal import reading, sign
from signer.seal import validate as validate_
from signer.seal.validate import validate
from tests.pki import AT, World, blank_pdf

if TYPE_CHECKING:
    import pytest

    from signer.seal.sign import Sealed


def test_the_judge_in_its_cell_finds_what_it_finds_outside(world: World, sealed: Sealed) -> None:
    assert reading.facts_of(sealed.pdf, world.trust, AT) == validate(sealed.pdf, world.trust, AT)


def test_what_is_refused_before_any_parser_is_refused_of_a_known_file_too(world: World) -> None:
    """The guard looks at a known file while a child reads it, and has the last word: here the fast path would pass."""
    with pikepdf.open(io.BytesIO(blank_pdf())) as opened:
        opened.docinfo["/Title"] = "/Encrypt"
        out = io.BytesIO()
        opened.save(out)
    how = {"timestamper": world.timestamper(), "evidence": world.evidence()}
    pdf = sign.seal(out.getvalue(), key=world.keys["hengyuan"], at=AT, **how).pdf
    assert validate_.quickly(pdf, world.trust, AT).level == "B-LT"
    for _ in range(2):
        for file in (pdf, b"", b"no PDF", pdf + b"%%EOF"):
            known, any_ = (reading.facts_of(file, world.trust, AT, is_known=how) for how in (True, False))
            assert known == any_
            assert known.form is Form.UNREADABLE
    assert known.reason == "ENCRYPTED"


def test_a_judge_that_is_too_slow_or_dies_is_a_fact(
    world: World, sealed: Sealed, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow = reading.facts_of(sealed.pdf, world.trust, AT, limits=Limits(wall_s=0.001))
    assert (slow.form, slow.reason) == (Form.UNREADABLE, "TOO_SLOW")
    monkeypatch.setattr(reading, "_TASK", "signer.seal.validate:absent")
    dead = reading.facts_of(sealed.pdf, world.trust, AT)
    assert (dead.form, dead.reason) == (Form.UNREADABLE, "CHILD_DIED")


def test_an_answer_of_another_form_is_not_believed(
    world: World, sealed: Sealed, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = [b"null", b'{"form":"sealed","extra":1}', b'{"form":"sealed","sealed_length":-1}', b"\xff"]
    for answer in answers:
        monkeypatch.setattr(sandbox, "run", lambda *_, _answer=answer, **__: _answer)
        facts = reading.facts_of(sealed.pdf, world.trust, AT)
        assert (facts.form, facts.reason) == (Form.UNREADABLE, "CHILD_DIED")
