"""Many at once, and a clock that goes back: one winner, everybody else a clear answer, no vehicle twice."""

from __future__ import annotations

from datetime import timedelta

import killing
import mishaps
import pytest
from mishaps import Tally, at_once, crew, interrupted
from world import EMIRATES, KAZAKHSTAN, MEXICO, RUSSIA, World, sample

from signer.domain.verdict import Code
from signer.errors import Conflict


def test_32_issues_of_one_vehicle_have_one_winner(world: World) -> None:
    with crew(world, 32) as workers:
        answers = mishaps.issue_at_once(Tally(world), sample(KAZAKHSTAN), killing.KEY, workers)
    winners = [answer for answer in answers if answer != "conflict"]
    assert (len(answers), len(winners)) == (32, 1)
    assert killing.accounts(world) == {"issued": 1}


def test_one_key_asked_by_eight_at_once_is_one_document(world: World) -> None:
    with crew(world, 8) as workers:
        answers = at_once(workers, lambda mine, _: str(mine.issue(sample(KAZAKHSTAN), key="k").number))
    assert len(set(answers) - {"conflict"}) == 1
    assert killing.accounts(world) == {"issued": 1}


def test_two_approvers_at_once_approve_one_document(world: World) -> None:
    approvers = ("lin.sample", mishaps.second_approver(world))
    with crew(world, 2) as workers:
        answers = mishaps.approve_at_once(Tally(world), sample(KAZAKHSTAN), killing.KEY, workers, approvers)
    assert sorted(answer == "conflict" for answer in answers) == [False, True]
    assert killing.accounts(world) == {"issued": 1}
    (approver,) = world.rows("SELECT approver_id FROM approvals")
    assert world.rows("SELECT approver_id FROM seal_uses") == [approver]


def test_eight_writers_meet_no_lock(world: World) -> None:
    with crew(world, 8) as workers:
        assert mishaps.write_at_once(workers) == ["done"] * 8
    assert world.rows("SELECT count(*) FROM people WHERE name = 'N19'") == [(8,)]


@pytest.mark.parametrize("step", mishaps.SEALING)
def test_a_withdrawal_in_the_middle_of_superseding_leaves_one_in_force(world: World, step: str) -> None:
    first, tally = world.issue(sample(KAZAKHSTAN)), Tally(world)
    newer = {**sample(KAZAKHSTAN), "supersedes": first.number}
    interrupted(tally, newer, killing.KEY, step, lambda *_: mishaps.withdraw(world, first.number))
    assert killing.accounts(world) == {"withdrawn": 1, "issued": 1}
    assert world.verify(first.pdf).code is Code.WITHDRAWN
    assert (tally.lost(), tally.doubled()) == (0, 0)


def test_superseding_and_withdrawing_at_once_end_in_one_order_or_the_other(world: World) -> None:
    tally = Tally(world)
    first = tally.ask(sample(KAZAKHSTAN), "first")
    newer = {**sample(KAZAKHSTAN), "supersedes": first}
    with crew(world, 4) as workers:
        answers = mishaps.supersede_and_withdraw(tally, newer, "second", workers)
    found = killing.accounts(world)
    ended = {standing: count for standing, count in found.items() if standing != "issued"}
    assert ended in ({"withdrawn": 1}, {"superseded": 1})
    assert found.get("issued", 0) <= 1
    assert len(answers) == 4
    in_force = world.rows("SELECT count(*) FROM vin_claims WHERE slot = 'live'")
    assert in_force == [(3 * found.get("issued", 0),)]
    assert tally.doubled() == 0


def test_two_withdrawals_at_once_are_one(world: World) -> None:
    issued = world.issue(sample(KAZAKHSTAN))
    with crew(world, 6) as workers:
        answers = at_once(workers, lambda mine, _: mishaps.withdraw(mine, issued.number))
    assert sorted(answers) == ["conflict"] * 5 + ["withdrawn"]
    assert world.rows("SELECT count(*) FROM audit WHERE event = 'confirmation.withdrawn'") == [(1,)]


@pytest.mark.parametrize("step", killing.STEPS)
def test_a_clock_that_goes_back_an_hour_at_any_step_breaks_no_order(world: World, step: str) -> None:
    tally = Tally(world)
    first = tally.ask(sample(KAZAKHSTAN), "first")
    interrupted(tally, sample(EMIRATES), "back", step, lambda *_: mishaps.turn_back(world))
    assert world.services.maintaining.settle() == ()
    tally.ask(sample(RUSSIA), "early")
    tally.ask({**sample(KAZAKHSTAN), "supersedes": first}, "newer")
    world.at += timedelta(hours=1)
    tally.recover(sample(EMIRATES), "back")
    tally.ask(sample(MEXICO), "late")
    found = killing.accounts(world)
    assert (found["issued"], found["superseded"]) == (4, 1)
    assert (tally.lost(), tally.doubled()) == (0, 0)


@pytest.mark.parametrize("step", [*mishaps.SEALING, "recorded"])
def test_a_queue_deleted_at_any_step_of_a_job_loses_nothing(world: World, step: str) -> None:
    tally, plain = Tally(world), sample(KAZAKHSTAN)
    mishaps.leave_pending(world, plain, killing.KEY)
    mishaps.finish_without_queue(world, step)
    assert killing.accounts(world) == {"issued": 1}
    assert tally.recover(plain, killing.KEY)
    assert (tally.lost(), tally.doubled()) == (0, 0)


@pytest.mark.parametrize("step", ["stored", "in transaction 2", "recorded"])
def test_a_file_cut_short_is_named_refused_and_mended(world: World, step: str) -> None:
    world.overrides = {"SIGNER_BLOB_URL": "disk:"}
    world.rewire()
    tally = Tally(world)
    mishaps.cut_short(tally, sample(KAZAKHSTAN), killing.KEY, step, share=0.5)
    assert killing.accounts(world) == {"issued": 1}
    assert (tally.lost(), tally.doubled()) == (0, 0)


def test_a_conflict_names_the_number_in_force(world: World) -> None:
    first = world.issue(sample(KAZAKHSTAN))
    with pytest.raises(Conflict, match=first.number):
        world.issue(sample(KAZAKHSTAN))
