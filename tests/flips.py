"""Changed bits and bytes of a sealed file, and two registers that are asked: the true one, and one that says yes."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from signer.domain.evidence import Asked
from signer.domain.verdict import Code, Outcome

if TYPE_CHECKING:
    import random
    from collections.abc import Iterator

    from world import World

    from signer.domain.evidence import Facts, RecordFacts
    from signer.domain.verdict import Verdict

NEAR = 64


def flipped(data: bytes, place: int, bit: int) -> bytes:
    return data[:place] + bytes((data[place] ^ (1 << bit),)) + data[place + 1 :]


def mutated(data: bytes, chance: random.Random) -> bytes:
    """Flip a bit (three times of seven), or cut, insert, swap or append some bytes."""
    place = chance.randrange(len(data))
    kind = chance.choice(["flip", "flip", "flip", "cut", "insert", "swap", "tail"])
    if kind == "flip":
        return flipped(data, place, chance.randrange(8))
    if kind == "cut":
        return data[:place] + data[place + chance.randrange(1, 64) :]
    if kind == "insert":
        return data[:place] + chance.randbytes(chance.randrange(1, 16)) + data[place:]
    if kind == "swap":
        return data[:place] + data[place : place + 2][::-1] + data[place + 2 :]
    return data + chance.randbytes(chance.randrange(1, 64))


def near_the_value(pdf: bytes) -> list[int]:
    """
    Return the places around the last signature's value and range, in order.

    The key and the bracket before it, the beginning of the DER, its end, the padding after it and before the bracket,
    and the whole byte range with the blanks that keep its room.
    """
    start = pdf.rindex(b"/Contents <") + len(b"/Contents <")
    end = pdf.index(b">", start)
    used = start + len(pdf[start:end].rstrip(b"0"))
    ranged = re.compile(rb"/ByteRange ?\[[^]]*\] *").search(pdf, start - 400)
    assert ranged is not None
    spans = (
        (start - len(b"/Contents <") - 4, start + NEAR),
        (used - NEAR, min(used + NEAR, end)),
        (end - NEAR, end + 4),
        (ranged.start() - 4, ranged.end() + 4),
    )
    return sorted({place for first, last in spans for place in range(first, last)})


@dataclass(frozen=True)
class Registers:
    """A world that issued a file, asked about changed ones."""

    world: World
    genuine: bytes

    @cached_property
    def record(self) -> RecordFacts:
        found = self.world.services.verifying.gather(self.genuine).register_.record
        assert found is not None
        return found

    def verdicts(self, changed: bytes) -> tuple[Verdict, Verdict]:
        """Return what the register makes of a file, and what cryptography alone does: a register that says yes."""
        verifying = self.world.services.verifying
        facts = verifying.gather(changed)
        return verifying.decide(facts, Asked()), verifying.decide(self.agreeing(facts), Asked())

    def agreeing(self, facts: Facts) -> Facts:
        """Return the facts as they would be if the register held exactly these bytes."""
        sealed, content = facts.file.sealed_digest, facts.content.content_digest
        record = self.record.model_copy(
            update={
                "sealed_digests": (sealed,) if sealed else (),
                "content_digest": content or self.record.content_digest,
            }
        )
        register = facts.register_.model_copy(update={"record": record, "number_of_digest": record.number})
        return facts.model_copy(update={"register_": register})

    def refuse(self, changed: bytes, told: str) -> Code:
        """Demand that a changed file is green nowhere, and return what it is."""
        for verdict in self.verdicts(changed):
            assert verdict.outcome is not Outcome.PASS, told
            assert verdict.confirmation is None, told
        return verdict.code

    def appended(self, pdf: bytes) -> Iterator[tuple[int, bytes]]:
        """Yield a file with each possible byte behind it."""
        for byte in range(256):
            yield byte, pdf + bytes((byte,))
