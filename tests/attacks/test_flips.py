"""Some hundreds of flipped bits and appended bytes, of which `make soak` tries all that can be tried."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest
import world as worlds
from flips import Registers, flipped, mutated, near_the_value

from signer.domain.verdict import Code

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SEED = 20261122


@pytest.fixture(scope="module")
def registers(template_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registers]:
    """A world that judges in this process: what is asked here is whether, not how fast or how safely."""
    world = worlds.World(worlds.copy(template_folder, tmp_path_factory.mktemp("flips") / "data"))
    yield Registers(world, world.issue(worlds.sample(worlds.EMIRATES)).pdf)
    world.services.database.close()


def test_the_genuine_file_is_valid_with_and_without_the_register(registers: Registers) -> None:
    assert {verdict.code for verdict in registers.verdicts(registers.genuine)} == {Code.VALID}


def test_a_flipped_bit_anywhere_is_never_green(registers: Registers) -> None:
    chance, pdf = random.Random(SEED), registers.genuine
    for tried in range(60):
        changed = flipped(pdf, chance.randrange(len(pdf)), chance.randrange(8))
        registers.refuse(changed, f"try {tried}")


def test_a_flipped_bit_near_the_value_is_never_green(registers: Registers) -> None:
    for place in near_the_value(registers.genuine)[::3]:
        registers.refuse(flipped(registers.genuine, place, place % 8), f"byte {place}")


def test_an_appended_byte_is_never_green(registers: Registers) -> None:
    for byte, changed in list(registers.appended(registers.genuine))[::9]:
        registers.refuse(changed, f"byte {byte}")


def test_a_mutation_is_never_green(registers: Registers) -> None:
    chance, pdf = random.Random(SEED), registers.genuine
    for tried in range(40):
        changed = mutated(pdf, chance)
        if changed != pdf:
            registers.refuse(changed, f"try {tried}")
