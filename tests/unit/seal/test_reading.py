"""The judge asked from outside its cell: what it finds, and what becomes of a child that gives no good answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from signer import sandbox
from signer.domain.evidence import Form
from signer.sandbox import Limits
from signer.seal import reading
from signer.seal.validate import validate
from tests.pki import AT, World

if TYPE_CHECKING:
    import pytest

    from signer.seal.sign import Sealed


def test_the_judge_in_its_cell_finds_what_it_finds_outside(world: World, sealed: Sealed) -> None:
    assert reading.facts_of(sealed.pdf, world.trust, AT) == validate(sealed.pdf, world.trust, AT)


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
