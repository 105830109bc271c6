"""A document of thousands of objects is judged by the same grammar, and without reading all of it again."""

from __future__ import annotations

import io
import time
from datetime import timedelta
from typing import TYPE_CHECKING

import pikepdf
import pytest

from signer.domain.evidence import SealFacts, State
from signer.seal import archive, sign
from signer.seal.validate import validate
from tests.pki import AT, World, blank_pdf

if TYPE_CHECKING:
    from signer.seal.sign import Sealed

DAY = timedelta(days=1)
MANY = 3000


@pytest.fixture(scope="module")
def large(world: World) -> Sealed:
    with pikepdf.open(io.BytesIO(blank_pdf())) as opened:
        opened.Root.PieceInfo = pikepdf.Array(
            [opened.make_indirect(pikepdf.Dictionary(Number=number)) for number in range(MANY)]
        )
        out = io.BytesIO()
        opened.save(out)
    return sign.seal(
        out.getvalue(), key=world.keys["hengyuan"], timestamper=world.timestamper(), at=AT, evidence=world.evidence()
    )


@pytest.fixture(scope="module")
def copy(world: World, large: Sealed) -> bytes:
    at = AT + DAY
    made = archive.extend(
        large.pdf,
        sealed_length=large.sealed_length,
        at=at,
        timestamper=world.timestamper(at),
        evidence=world.evidence(at=at),
    )
    return made.pdf


def states(facts: SealFacts) -> dict[str, State]:
    return {finding.id: finding.state for finding in facts.findings}


def test_its_archive_copy_passes_and_nobody_waits(world: World, copy: bytes) -> None:
    begun = time.process_time()
    facts = validate(copy, world.trust, AT + 2 * DAY)
    assert time.process_time() - begun < 1
    assert set(states(facts).values()) == {State.PASSED}
    assert len(facts.archived) == 1


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"/F 132", b"/F 164"),
        (b"/DocTimeStamp", b"/Sig         "),
        (b"/Names", b"/Nomes"),
    ],
)
def test_what_the_grammar_refuses_it_refuses_here_too(
    world: World, large: Sealed, copy: bytes, old: bytes, new: bytes
) -> None:
    behind = copy[large.sealed_length :]
    changed = large.pdf + behind.replace(old, new)
    assert changed != copy
    assert states(validate(changed, world.trust, AT + 2 * DAY))["revisions"] is State.FAILED
