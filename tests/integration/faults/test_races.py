"""Many at once, and a clock that goes back: one winner, everybody else a clear answer, no vehicle twice."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import killing
import pytest
from world import EMIRATES, KAZAKHSTAN, MEXICO, RUSSIA, YUNZHOU, World, sample

from signer.domain.verdict import Code
from signer.errors import Conflict, SignerError
from signer.services.withdraw import Withdrawal

if TYPE_CHECKING:
    from collections.abc import Callable


def at_once(world: World, count: int, act: Callable[[World, int], str]) -> list[str]:
    """Do something in as many threads, each with a deployment of its own; return the answers and the errors' codes."""
    answers: list[str] = []
    ready = threading.Barrier(count)

    def run(place: int) -> None:
        mine = world.another()
        ready.wait()
        try:
            answers.append(act(mine, place))
        except SignerError as error:
            answers.append(error.code)
        finally:
            mine.services.database.close()

    threads = [threading.Thread(target=run, args=(place,)) for place in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


def test_32_issues_of_one_vehicle_have_one_winner(world: World) -> None:
    answers = at_once(world, 32, lambda mine, _: str(mine.issue(sample(KAZAKHSTAN)).number))
    winners = [answer for answer in answers if answer != "conflict"]
    assert (len(answers), len(winners)) == (32, 1)
    assert killing.accounts(world) == {"issued": 1}


def test_one_key_asked_by_eight_at_once_is_one_document(world: World) -> None:
    answers = at_once(world, 8, lambda mine, _: str(mine.issue(sample(KAZAKHSTAN), key="k").number))
    assert len(set(answers) - {"conflict"}) == 1
    assert killing.accounts(world) == {"issued": 1}


def test_eight_writers_meet_no_lock(world: World) -> None:
    def write(mine: World, place: int) -> str:
        for turn in range(20):
            mine.services.people.load(b'{"people": [{"id": "p%d", "name": "N%d"}]}' % (place, turn), actor="test")
        return "done"

    assert at_once(world, 8, write) == ["done"] * 8
    assert world.rows("SELECT count(*) FROM people WHERE name = 'N19'") == [(8,)]


def withdraw(world: World, number: Any) -> None:
    wanted = Withdrawal(number=number, manufacturer=YUNZHOU, by="chen.sample", second="lin.sample", reason="error")
    world.services.ending.withdraw(wanted)


@pytest.mark.parametrize("step", ["render", "seal", "put"])
def test_a_withdrawal_in_the_middle_of_superseding_leaves_one_in_force(
    world: World, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    first = world.issue(sample(KAZAKHSTAN))
    sealing = world.services.issuing._sealing
    owner = {"render": sealing._page, "seal": sealing._seals, "put": sealing._blobs}[step]
    action = getattr(owner, step)

    def then(*given: Any, **named: Any) -> Any:
        withdraw(world, first.number)
        return action(*given, **named)

    monkeypatch.setattr(owner, step, then)
    second = world.issue({**sample(KAZAKHSTAN), "supersedes": first.number})
    assert killing.accounts(world) == {"withdrawn": 1, "issued": 1}
    assert world.verify(first.pdf).code is Code.WITHDRAWN
    assert world.verify(second.pdf).code is Code.VALID


def test_superseding_and_withdrawing_at_once_end_in_one_order_or_the_other(world: World) -> None:
    first = world.issue(sample(KAZAKHSTAN))

    def act(mine: World, place: int) -> str:
        if place % 2:
            withdraw(mine, first.number)
            return "withdrawn"
        return str(mine.issue({**sample(KAZAKHSTAN), "supersedes": first.number}).number)

    answers = at_once(world, 4, act)
    found = killing.accounts(world)
    ended = {standing: count for standing, count in found.items() if standing != "issued"}
    assert ended in ({"withdrawn": 1}, {"superseded": 1})
    assert found.get("issued", 0) <= 1
    assert len(answers) == 4
    in_force = world.rows("SELECT count(*) FROM vin_claims WHERE slot = 'live'")
    assert in_force == [(3 * found.get("issued", 0),)]


def test_two_withdrawals_at_once_are_one(world: World) -> None:
    issued = world.issue(sample(KAZAKHSTAN))

    def act(mine: World, _: int) -> str:
        withdraw(mine, issued.number)
        return "withdrawn"

    assert sorted(at_once(world, 6, act)) == ["conflict"] * 5 + ["withdrawn"]
    assert world.rows("SELECT count(*) FROM audit WHERE event = 'confirmation.withdrawn'") == [(1,)]


def test_a_clock_that_goes_back_an_hour_breaks_no_order(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    first = world.issue(sample(KAZAKHSTAN))
    seal = world.services.issuing._seals.seal

    def back(*given: Any, **named: Any) -> Any:
        sealed = seal(*given, **named)
        world.at -= timedelta(hours=1)
        return sealed

    monkeypatch.setattr(world.services.issuing._seals, "seal", back)
    with pytest.raises(SignerError):
        world.issue(sample(EMIRATES))  # its own check sees a time in the future: nothing leaves
    monkeypatch.setattr(world.services.issuing._seals, "seal", seal)
    early = world.issue(sample(RUSSIA))
    assert world.services.maintaining.settle() == ()
    moved = world.issue({**sample(KAZAKHSTAN), "supersedes": first.number})
    world.at += timedelta(hours=1)
    assert killing.accounts(world) == {"abandoned": 1, "issued": 2, "superseded": 1}
    codes = [world.verify(one.pdf).code for one in (first, early, moved, world.issue(sample(MEXICO)))]
    assert codes == [Code.SUPERSEDED, Code.VALID, Code.VALID, Code.VALID]


def test_a_conflict_names_the_number_in_force(world: World) -> None:
    first = world.issue(sample(KAZAKHSTAN))
    with pytest.raises(Conflict, match=first.number):
        world.issue(sample(KAZAKHSTAN))
