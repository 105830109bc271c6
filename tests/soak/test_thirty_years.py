"""VALID over thirty years, with the keys of every authority, timestamping authority and responder replaced."""

from __future__ import annotations

import os
from datetime import timedelta
from typing import TYPE_CHECKING

import decades
import pytest
from world import AT, EMIRATES, sample

from signer.domain.evidence import Asked
from signer.domain.verdict import Code
from signer.verification.decide import decide
from signer.verification.policy import Policy

if TYPE_CHECKING:
    from pathlib import Path

    from world import World

YEARS = int(os.environ.get("SOAK_YEARS", "30"))
THEN = Asked(applied_on=AT.date())


@pytest.mark.soak
def test_a_confirmation_is_valid_in_every_year(world: World, tmp_path: Path) -> None:
    long = decades.begin(world, tmp_path / "generations")
    issued = world.issue(sample(EMIRATES))
    begun, digests = world.at, set()
    for year in long.live(YEARS):
        copy = long.upgrading.fetch(issued.number)
        facts = world.services.verifying.gather(copy)
        record = facts.register_.record
        assert record is not None
        forgetful = facts.register_.model_copy(update={"record": record.model_copy(update={"recorded_at": None})})
        lonely = decide(facts.model_copy(update={"register_": forgetful}), THEN, Policy(mode="test"))
        assert world.services.verifying.file(copy, THEN).code is Code.VALID, f"year {year}"
        assert lonely.code is Code.VALID, f"year {year}: {lonely.reason}"
        assert lonely.seal_report is not None
        assert lonely.seal_report.level == "B-LTA"
        assert lonely.proven_at is not None
        assert lonely.proven_at - begun < timedelta(minutes=5)
        assert copy.startswith(issued.pdf)
        digests.add(facts.file.file_digest)
        print(f"year {year}: {lonely.code}, {len(facts.seal.archived)} archive timestamps, {len(copy)} bytes")
        if year == 10:
            long.revoked[facts.seal.certificate_digest or ""] = world.at
    trust = world.services.trust.current(world.at)
    print(
        f"{len(digests)} copies, {len(trust.entries)} entries on the list, {len(long.generations)} generations of keys"
    )
