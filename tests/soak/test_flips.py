"""No flipped bit, no appended byte is green, with the register and without: random by a printed seed, and every one."""

from __future__ import annotations

import os
import random
from collections import Counter
from datetime import timedelta

import pytest
from flips import Registers, flipped, mutated, near_the_value
from world import EMIRATES, World, sample

from signer.domain.verdict import Code

COUNT = int(os.environ.get("SOAK_COUNT", "10000"))
SEED = int(os.environ.get("SOAK_SEED", "20261122"))
PARTS = 4


@pytest.fixture
def registers(world: World) -> Registers:
    made = Registers(world, world.issue(sample(EMIRATES)).pdf)
    assert {verdict.code for verdict in made.verdicts(made.genuine)} == {Code.VALID}
    return made


def archived(registers: Registers) -> bytes:
    """Let the service make its archive copy, two days later: that one stays VALID, whoever is asked."""
    world = registers.world
    world.at += timedelta(days=2)
    assert world.services.upgrading.upgrade().made == 1
    copy = world.services.upgrading.fetch(registers.record.number)
    assert copy.startswith(registers.genuine)
    assert {verdict.code for verdict in registers.verdicts(copy)} == {Code.VALID}
    return copy


@pytest.mark.soak
@pytest.mark.parametrize("part", range(PARTS))
def test_no_bit_in_the_sealed_bytes_flips_unseen(registers: Registers, part: int) -> None:
    pdf, chance, codes = registers.genuine, random.Random(SEED + part), Counter[Code]()
    for tried in range(COUNT // PARTS):
        changed = flipped(pdf, chance.randrange(len(pdf)), chance.randrange(8))
        codes[registers.refuse(changed, f"seed {SEED + part}, try {tried}")] += 1
    print(f"seed {SEED + part}: {codes}")


@pytest.mark.soak
@pytest.mark.parametrize("part", range(PARTS))
def test_no_bit_near_the_value_and_its_range_flips_unseen(registers: Registers, part: int) -> None:
    places, codes = near_the_value(registers.genuine)[part::PARTS], Counter[Code]()
    for place in places:
        for bit in range(8):
            codes[registers.refuse(flipped(registers.genuine, place, bit), f"bit {bit} of byte {place}")] += 1
    print(f"{len(places)} bytes: {codes}")


@pytest.mark.soak
def test_no_byte_is_appended_unseen(registers: Registers) -> None:
    copy = archived(registers)
    for whole in (registers.genuine, copy):
        for byte, changed in registers.appended(whole):
            registers.refuse(changed, f"byte {byte} after {len(whole)} bytes")


@pytest.mark.soak
@pytest.mark.parametrize("part", range(PARTS))
def test_no_bit_near_the_value_of_an_archive_timestamp_flips_unseen(registers: Registers, part: int) -> None:
    copy = archived(registers)
    for place in near_the_value(copy)[part::PARTS]:
        bit = place % 8
        registers.refuse(flipped(copy, place, bit), f"bit {bit} of byte {place}")


@pytest.mark.soak
@pytest.mark.parametrize("part", range(PARTS))
def test_no_mutation_of_what_follows_the_seal_is_ever_green(registers: Registers, part: int) -> None:
    copy, sealed = archived(registers), registers.genuine
    chance = random.Random(SEED + part)
    for tried in range(COUNT // PARTS // 8):
        changed = sealed + mutated(copy[len(sealed) :], chance)
        if changed not in (copy, sealed):
            registers.refuse(changed, f"seed {SEED + part}, try {tried}")


@pytest.mark.soak
@pytest.mark.parametrize("part", range(PARTS))
def test_no_mutation_is_ever_green(registers: Registers, part: int) -> None:
    pdf, chance = registers.genuine, random.Random(SEED + part)
    for tried in range(COUNT // PARTS // 8):
        changed = mutated(pdf, chance)
        if changed != pdf:
            registers.refuse(changed, f"seed {SEED + part}, try {tried}")
