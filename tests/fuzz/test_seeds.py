"""What fuzzing starts from holds what fuzzing demands; the sealed file itself is green, or nothing would be proven."""

from __future__ import annotations

from typing import TYPE_CHECKING

import ground as grounds
import pytest
import targets

from signer.seal.validate import validate

if TYPE_CHECKING:
    from ground import Ground


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Ground:
    return grounds.make(tmp_path_factory.mktemp("ground") / "keys")


@pytest.mark.parametrize("name", targets.TARGETS)
def test_every_seed_holds(ground: Ground, name: str) -> None:
    seeds = targets.seeds(ground, name)
    assert len(set(seeds)) == len(seeds) > 5
    for seed in seeds:
        targets.TARGETS[name](ground, seed)


@pytest.mark.parametrize("data", [b"", b"\0", b"\1\xff", b"\2", b"\3", b"\0\0null\xfe\xff\1<<>>", b"\7"])
def test_nothing_much_holds_too(ground: Ground, data: bytes) -> None:
    for target in targets.TARGETS.values():
        target(ground, data)


def test_what_was_sealed_is_green_and_what_a_recipe_makes_of_it_is_not(ground: Ground) -> None:
    assert targets.is_greenable(validate(ground.sealed, ground.world.trust, ground.at))
    assert targets.is_greenable(validate(ground.archived, ground.world.trust, ground.at))
    for kind in (grounds.REVISION, grounds.REWRITTEN):
        made = ground.file(bytes((kind, 0)) + ground.objects[min(ground.objects)])
        assert made != ground.sealed
        assert not targets.is_greenable(validate(made, ground.world.trust, ground.at))
