"""A machine that is drained by a file: the proxy is told, pages are answered, workers begin nothing, lose nothing."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import batched
import pytest
from apps import create_app

from signer import jobs
from signer.domain.batch import BatchState

if TYPE_CHECKING:
    from pathlib import Path

    from world import World


@pytest.fixture
def database() -> str:
    """Who begins nothing asks no database."""
    return "sqlite"


@pytest.fixture
def maintenance(world: World) -> Path:
    return world.folder / "maintenance"


def test_readyz_says_draining_until_the_file_is_gone_and_everything_else_is_answered(
    world: World, maintenance: Path
) -> None:
    client = create_app(world.services).test_client()
    assert client.get("/readyz").status_code == 200
    maintenance.touch()
    told = client.get("/readyz")
    assert (told.status_code, told.json["status"], told.json["parts"]["register"]) == (503, "draining", "ok")
    assert [client.get(path).status_code for path in ("/healthz", "/version", "/verify")] == [200] * 3
    maintenance.unlink()
    assert client.get("/readyz").json["status"] != "draining"


def test_a_batch_stops_between_two_items_and_what_was_taken_up_is_free_for_another_at_once(
    world: World, maintenance: Path
) -> None:
    ref = batched.approved(world, batched.drafts(3))
    assert world.services.batch_running.run(ref, lambda _: maintenance.touch()) == 1
    assert (batched.state(world, ref), batched.items(world, ref)) == (
        (BatchState.RUNNING, 1, 0),
        {"done": 1, "waiting": 2},
    )
    left = "SELECT lease_until, tries FROM batch_items WHERE state = 'waiting'"
    assert world.rows(left) == [(None, 0)] * 2
    maintenance.unlink()
    assert world.services.batch_running.run(ref) == 2
    batched.accounts(world)


def test_a_worker_begins_nothing_stops_between_two_jobs_and_goes_on_once_the_file_is_gone(
    world: World, maintenance: Path
) -> None:
    queue = jobs.Queue(world.services)
    maintenance.touch()
    queue.look()
    queue.look_if_needed()
    assert world.services.working.all() == ()
    maintenance.unlink()
    world.services.working.run_due()
    world.at += timedelta(days=2)
    assert len(world.services.working.run_due(is_stopped=iter([False, True]).__next__)) == 1
    queue.look()
    assert {job.state for job in world.services.working.all()} == {"waiting"}
    assert {job.next_at > world.at for job in world.services.working.all()} == {True}
    queue.close()
