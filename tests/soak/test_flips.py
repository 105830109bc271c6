"""Any flipped bit, cut or inserted byte of a sealed file is never green: thousands of them, by a printed seed."""

from __future__ import annotations

import os
import random
from datetime import timedelta

import pytest
from world import EMIRATES, World, sample

from signer.domain.verdict import Outcome

COUNT = int(os.environ.get("SOAK_COUNT", "4000"))
SEED = int(os.environ.get("SOAK_SEED", "20261122"))
PARTS = 4


def mutate(data: bytes, chance: random.Random) -> bytes:
    place = chance.randrange(len(data))
    kind = chance.choice(["flip", "flip", "flip", "cut", "insert", "swap", "tail"])
    if kind == "flip":
        return data[:place] + bytes([data[place] ^ (1 << chance.randrange(8))]) + data[place + 1 :]
    if kind == "cut":
        return data[:place] + data[place + chance.randrange(1, 64) :]
    if kind == "insert":
        return data[:place] + chance.randbytes(chance.randrange(1, 16)) + data[place:]
    if kind == "swap":
        return data[:place] + data[place : place + 2][::-1] + data[place + 2 :]
    return data + chance.randbytes(chance.randrange(1, 64))


@pytest.mark.soak
@pytest.mark.parametrize("part", range(PARTS))
def test_no_mutation_of_what_follows_the_seal_is_ever_green(world: World, part: int) -> None:
    issued = world.issue(sample(EMIRATES))
    world.at += timedelta(days=2)
    assert world.services.upgrading.upgrade().made == 1
    copy = world.services.upgrading.fetch(issued.number)
    sealed, behind = issued.pdf, copy[len(issued.pdf) :]
    chance = random.Random(SEED + part)
    for tried in range(COUNT // PARTS // 4):
        changed = sealed + mutate(behind, chance)
        if changed in (copy, sealed):
            continue
        verdict = world.verify(changed)
        assert verdict.outcome is not Outcome.PASS, f"seed {SEED + part}, try {tried}"
        assert verdict.confirmation is None


@pytest.mark.soak
@pytest.mark.parametrize("part", range(PARTS))
def test_no_mutation_is_ever_green(world: World, part: int) -> None:
    pdf = world.issue(sample(EMIRATES)).pdf
    chance, tried, codes = random.Random(SEED + part), 0, {}
    while tried < COUNT // PARTS:
        changed = mutate(pdf, chance)
        if changed == pdf:
            continue
        tried += 1
        verdict = world.verify(changed)
        codes[verdict.code.value] = codes.get(verdict.code.value, 0) + 1
        assert verdict.outcome is not Outcome.PASS, f"seed {SEED + part}, try {tried}"
        assert verdict.confirmation is None
    print(f"seed {SEED + part}: {tried} mutations, {codes}")
