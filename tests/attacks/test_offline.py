"""An offline bundle is fooled by nothing that the register is not fooled by: the same answers, from the same facts."""

from __future__ import annotations

import io
from datetime import timedelta
from itertools import islice
from typing import TYPE_CHECKING

import pytest
from table import CHANGES_THE_WORLD, EXPECTED
from test_attacks import attack

from signer.domain.evidence import Asked
from signer.domain.verdict import Code, Outcome
from signer.seal import trust, validate
from signer.services.offline import BundleSource
from signer.services.verify import Verifying
from signer.verification.policy import Policy
from signer.wiring import wire_offline

if TYPE_CHECKING:
    from collections.abc import Iterator

    from genuine import Genuine

_WHATEVER_THE_REGISTER_SAYS = {Code.ALTERED, Code.UNREADABLE, Code.NOT_A_CONFIRMATION}


@pytest.fixture(scope="module")
def bundled(shared: Genuine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[BundleSource]:
    """What the attacked register said an hour after it sealed."""
    folder, world = tmp_path_factory.mktemp("bundled"), shared.world
    world.at += timedelta(hours=1)
    world.services.bundling.make(folder / "whole.bundle")
    house = wire_offline(world.settings, folder=folder / "node", clock=lambda: world.at)
    root = trust.read_root(world.settings.trust_root_path.read_bytes())
    house.shelf.take(io.BytesIO((folder / "whole.bundle").read_bytes()), pinned=(root,))
    yield BundleSource(house.shelf.issuers()[0])
    world.at -= timedelta(hours=1)


def test_what_the_register_is_asked_for_is_answered_alike(shared: Genuine, bundled: BundleSource) -> None:
    asked = [name for name, codes in EXPECTED.items() if not {*codes} <= _WHATEVER_THE_REGISTER_SAYS]
    assert unlike(shared, bundled, {*asked, "byte_flipped"}, most=1) == []


@pytest.mark.soak
def test_every_attack_is_answered_alike(shared: Genuine, bundled: BundleSource) -> None:
    assert unlike(shared, bundled, {*EXPECTED}, most=50) == []


def unlike(shared: Genuine, bundled: BundleSource, names: set[str], *, most: int) -> list[tuple[object, ...]]:
    """Return the files, at most so many of an attack, about which bundle and register do not say the same."""
    policy, clock = Policy(mode="test"), lambda: shared.world.at
    offline = Verifying(source=bundled, judge=validate.validate, policy=policy, clock=clock)
    online, found = shared.world.services.verifying, []
    for name in sorted(names - set(CHANGES_THE_WORLD)):
        for place, pdf in enumerate(islice(attack(name)(shared), most)):
            facts = online.gather(pdf)
            register = offline._register(facts.seal, facts.file, facts.content, facts.at)
            before = online.decide(facts, Asked())
            after = offline.decide(facts.model_copy(update={"register_": register}), Asked())
            assert after.outcome in (Outcome.FAIL, Outcome.NONE), name
            if (before.code, before.reason, before.number) != (after.code, after.reason, after.number):
                found.append((name, place, before.code, after.code, before.reason, after.reason))
    return found
