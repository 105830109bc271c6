"""The self-check of issuing asks both paths of verification about a sample; what they say apart stops sealing."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import pytest
from world import EMIRATES, KAZAKHSTAN, YUNZHOU, fresh, sample

from signer.errors import SelfCheckFailed
from signer.seal import validate
from signer.services.sampled import ONE_IN, Sampled

if TYPE_CHECKING:
    from datetime import datetime

    from world import World

    from signer.domain.evidence import SealFacts
    from signer.domain.trust import TrustList


class Counting:
    """A judge that counts the files which it was asked about, and says something else than it finds if told to."""

    def __init__(self) -> None:
        self.files: list[str] = []
        self.changes: dict[str, object] = {}

    def __call__(self, data: bytes, trust: TrustList, at: datetime, /, *, is_known: bool = False) -> SealFacts:
        self.files.append(hashlib.sha256(data).hexdigest())
        return validate.whole(data, trust, at).model_copy(update=self.changes)


@pytest.fixture
def whole(world: World) -> Counting:
    """The full path as issuing asks it, in a world whose fast path is the real one."""
    counting = Counting()
    world.services.issuing._sealing._verifying._judge = Sampled(judge=validate.validate, whole=counting)
    return counting


def test_the_first_file_of_each_seal_is_judged_by_both_paths_and_then_one_of_fifty(
    world: World, whole: Counting
) -> None:
    first = [world.issue(sample(name)).pdf for name in (KAZAKHSTAN, EMIRATES)]
    assert whole.files == [hashlib.sha256(pdf).hexdigest() for pdf in first]
    later = [hashlib.sha256(world.issue(fresh(KAZAKHSTAN, turn)).pdf).hexdigest() for turn in range(3)]
    assert whole.files[2:] == [digest for digest in later if int(digest[:8], 16) % ONE_IN == 0]


def test_a_disagreement_stops_the_sealing_and_the_doctor_tells(world: World, whole: Counting) -> None:
    whole.changes = {"test_policy": False, "level": "B-T"}
    for turn in range(2):
        with pytest.raises(SelfCheckFailed, match="disagree about level, test_policy"):
            world.issue(fresh(KAZAKHSTAN, turn), by=YUNZHOU)
    told = [one for one in world.services.doctor.examine() if one.part == "self-check"]
    assert [one.health for one in told] == ["error", "error"]
    assert all("disagree about level, test_policy" in one.detail for one in told)
    whole.changes = {}
    assert world.issue(fresh(KAZAKHSTAN, 9), by=YUNZHOU).level == "B-LT"


def test_one_file_of_fifty_is_chosen_by_its_digest_alone(world: World, whole: Counting) -> None:
    sealed = world.issue(sample(KAZAKHSTAN)).pdf
    padded = [sealed + b" " * count for count in range(2_000)]
    chosen = next(file for file in padded if int(hashlib.sha256(file).hexdigest()[:8], 16) % ONE_IN == 0)
    pdf = next(file for file in padded if int(hashlib.sha256(file).hexdigest()[:8], 16) % ONE_IN)
    judge = Sampled(judge=validate.validate, whole=whole)
    trust = world.services.trust.current(world.at)
    for data in (pdf, chosen, chosen, pdf):
        judge(data, trust, world.at)
    assert [hashlib.sha256(chosen).hexdigest()] * 2 == whole.files[-2:]
    whole.changes = {"test_policy": False}
    with pytest.raises(SelfCheckFailed):
        judge(chosen, trust, world.at)
    with pytest.raises(SelfCheckFailed):  # which was not chosen, but is compared now
        judge(pdf, trust, world.at)
