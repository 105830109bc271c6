"""A manufacturer's queues have an end: what is one too many is refused at once, and nothing of it is kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

import handing_in
import pytest
from approvals import maker
from world import BEICHEN, PEOPLE, YUNZHOU

from signer.errors import QueueFull
from signer.services import queues
from signer.services.importing import Asked

if TYPE_CHECKING:
    from world import World


@pytest.fixture
def database() -> str:
    """What is counted is counted by the same questions on either database (tests of imports)."""
    return "sqlite"


def hand_in(world: World, turn: int, *, name: str = YUNZHOU) -> str:
    asked = Asked(person=PEOPLE[name][0], maker=maker(world, name))
    data = handing_in.as_csv(handing_in.rows(1, start=turn, maker=name))
    return world.services.importing.hand_in(asked, "vehicles", f"{turn}.csv", data)[0]


def test_one_sheet_too_many_is_refused_until_one_is_dropped_and_another_maker_is_not(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queues, "MOST", {**queues.MOST, "sheets": 2})
    first, _ = hand_in(world, 1), hand_in(world, 2)
    with pytest.raises(QueueFull) as refused:
        hand_in(world, 3)
    assert refused.value.retry_after_s > 0
    with pytest.raises(QueueFull):
        world.services.outlet_lists.hand_in(
            maker(world), "outlets.csv", b"id,hours\nkz-almaty,Mon-Fri\n", is_whole=False, by=PEOPLE[YUNZHOU][0]
        )
    assert world.rows("SELECT count(*) FROM imports") == [(2,)]
    assert hand_in(world, 2)  # the same once more is not one more
    hand_in(world, 3, name=BEICHEN)
    world.services.importing.drop(Asked(person=PEOPLE[YUNZHOU][0], maker=maker(world)), first)
    hand_in(world, 3)


def test_one_open_batch_too_many_is_refused_until_one_is_cancelled(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queues, "MOST", {**queues.MOST, "batches": 1})
    batching = world.services.batching
    first, _ = batching.hand_in(handing_in.OWN, file_name="1.jsonl", data=b"{}")
    assert batching.hand_in(handing_in.OWN, file_name="1.jsonl", data=b"{}") == (first, False)
    with pytest.raises(QueueFull):
        batching.hand_in(handing_in.OWN, file_name="2.jsonl", data=b"[]")
    batching.cancel(first, maker=handing_in.OWN.maker, by=handing_in.OWN.person)
    assert batching.hand_in(handing_in.OWN, file_name="2.jsonl", data=b"[]")[1]


def test_what_is_older_than_its_file_is_kept_waits_no_more(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queues, "MOST", {**queues.MOST, "sheets": 1})
    hand_in(world, 1)
    world.at += queues.KEPT * 2
    hand_in(world, 2)
