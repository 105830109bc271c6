"""A file becomes a batch: read by a job, ready with items in the file's order, or faulty and free to come again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import many_vehicles
import pytest
from handing_in import OWN

from signer.domain.batch import BatchState
from signer.domain.confirmation import Draft, DraftCommitment
from signer.errors import Conflict
from signer.transparency.merkle import root_of

if TYPE_CHECKING:
    from world import World

COMMITMENT = DraftCommitment(**many_vehicles.COMMITMENT)


@pytest.fixture
def database() -> str:
    """Nothing here depends on the database: what batches do with it is shown in test_batches."""
    return "sqlite"


def handed_in(world: World, data: bytes, *, size: int = 1, commitment: DraftCommitment | None = COMMITMENT) -> str:
    """Hand a file in, have its job done, and return the batch's reference."""
    batching, working = world.services.batching, world.services.working
    ref, is_new = batching.hand_in(OWN, file_name="cars.jsonl", data=data, size=size, commitment=commitment)
    assert working.run_about({"batch": ref}) is is_new
    return ref


def test_items_are_in_the_files_order_whichever_group_was_full_first(world: World) -> None:
    made = many_vehicles.vehicles(7)
    for place in (0, 3):
        made[place]["contract"] = "ANOTHER"
    ref = handed_in(world, many_vehicles.as_lines(made), size=2)
    found = world.services.batching.find(OWN.maker, ref)
    assert (found.head.state, found.head.items, found.head.vehicles) == (BatchState.READY, 4, 7)
    items = world.services.batching.items(OWN.maker, ref)
    assert [item.source for item in items] == ["1 4", "2 3", "5 6", "7"]
    digests = world.rows("SELECT terms_digest FROM batch_items ORDER BY place")
    assert found.head.root == root_of(bytes(digest) for (digest,) in digests)
    assert found.report.summary.countries == (("KZ", 7),)


def test_a_faulty_file_leaves_no_items_and_may_be_handed_in_again(world: World) -> None:
    made = many_vehicles.vehicles(300)
    made[-1]["vin"] = made[0]["vin"]
    data = many_vehicles.as_csv(made)
    ref = handed_in(world, data)
    found = world.services.batching.find(OWN.maker, ref)
    assert found.head.state is BatchState.FAULTY
    assert [(said.place, said.rule) for said in found.report.said] == [("A301", "vin.twice")]
    assert world.rows("SELECT count(*) FROM batch_items") == [(0,)]
    assert handed_in(world, data) != ref


def test_the_same_file_is_the_same_batch_and_other_words_are_refused_while_it_stands(world: World) -> None:
    data = many_vehicles.as_lines(many_vehicles.vehicles(2))
    ref = handed_in(world, data)
    assert handed_in(world, data) == handed_in(world, data, commitment=None) == ref
    other = COMMITMENT.model_copy(update={"warranty_months": 36})
    with pytest.raises(Conflict, match=ref):
        handed_in(world, data, commitment=other)
    world.services.batching.cancel(ref, maker=OWN.maker, by=OWN.person)
    assert handed_in(world, data, commitment=other) != ref


def test_without_a_commitment_it_is_that_of_the_last_draft_and_without_any_a_fault(world: World) -> None:
    data = many_vehicles.as_lines(many_vehicles.vehicles(2))
    faulty = world.services.batching.find(OWN.maker, handed_in(world, data, commitment=None))
    assert {said.rule for said in faulty.report.said if said.severity == "violation"} == {"text.missing"}
    world.services.drafting.begin(OWN.maker, by=OWN.person, body=Draft(commitment=COMMITMENT))
    found = world.services.batching.find(OWN.maker, handed_in(world, data, commitment=None))
    assert found.head.state is BatchState.READY


def test_a_vehicle_that_waits_in_another_batch_is_told_with_that_batch(world: World) -> None:
    made = many_vehicles.vehicles(3)
    first = handed_in(world, many_vehicles.as_lines(made[:1]))
    second = world.services.batching.find(OWN.maker, handed_in(world, many_vehicles.as_lines(made)))
    (said,) = second.report.said
    assert (said.place, said.rule) == ("A1", "vin.batched")
    world.services.batching.cancel(first, maker=OWN.maker, by=OWN.person)
    third = world.services.batching.find(OWN.maker, handed_in(world, many_vehicles.as_lines(made)))
    assert third.head.state is BatchState.READY


def test_a_job_is_done_for_who_waits_unless_somebody_does_it(world: World) -> None:
    data = many_vehicles.as_lines(many_vehicles.vehicles(1))
    ref, _ = world.services.batching.hand_in(OWN, file_name="x", data=data, commitment=COMMITMENT)
    world.change("UPDATE jobs SET state = 'running', lease_until = '2999-01-01 00:00:00' WHERE kind = 'batch-read'")
    assert not world.services.working.run_about({"batch": ref})
    assert not world.services.working.run_about({"batch": "another"})
    assert world.services.batching.find(OWN.maker, ref).head.state is BatchState.READING
