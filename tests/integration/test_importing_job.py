"""An import runs to its end once, whoever dies meanwhile, on either database."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import handing_in
import pytest
from handing_in import OWN, as_csv, drafted, find

from signer.errors import Conflict, NotFound, Unavailable
from signer.register import imports
from signer.register.jobs import MOST_ATTEMPTS
from signer.register.scope import Scope
from signer.services import importing

if TYPE_CHECKING:
    from world import World

    from signer.register.jobs import Job


class Killed(BaseException):
    """What ends a process; nothing of ours catches it."""


def test_a_run_that_was_killed_in_the_middle_goes_on_and_doubles_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = handing_in.rows(45)
    ref, _ = world.services.importing.hand_in(OWN, "vehicles", "x.csv", as_csv(made))
    real, calls = imports.advance, []

    def killed(*given: object, **more: object) -> None:
        real(*given, **more)  # type: ignore[arg-type]
        calls.append(1)
        if len(calls) == 2:
            raise Killed

    monkeypatch.setattr(imports, "advance", killed)
    with pytest.raises(Killed):
        world.services.importing.start(OWN, ref, only_good=False, size=20)
    monkeypatch.undo()
    after = find(world, ref)
    assert (after.head.state, after.head.done, len(drafted(world))) == ("running", 20, 20)
    other = world.another()
    assert "import" in other.services.working.run_due()
    other.services.database.close()
    after = find(world, ref)
    assert (after.head.state, after.head.done, [one.vehicles for one in after.report.drafts]) == (
        "done",
        45,
        [20, 20, 5],
    )
    assert drafted(world) == sorted(row[0] for row in made)
    assert world.services.importing.run(ref) == "45 of 45 rows"
    assert len(drafted(world)) == 45


def test_two_who_run_one_import_do_each_step_once(world: World) -> None:
    made = handing_in.rows(45)
    ref, _ = world.services.importing.hand_in(OWN, "vehicles", "x.csv", as_csv(made))
    other = world.another()
    told: list[str] = []

    def meanwhile(progress: str) -> None:
        told.append(progress)
        other.services.importing.run(ref, most=1)

    world.change(f"UPDATE imports SET state = 'running' WHERE ref = '{ref}'")
    world.services.importing.run(ref, meanwhile)
    other.services.database.close()
    assert drafted(world) == sorted(row[0] for row in made)
    assert told


def test_what_is_more_than_two_hundred_rows_is_a_job_that_tells_how_far_it_is(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importing, "AT_ONCE", 20)
    ref, _ = world.services.importing.hand_in(OWN, "vehicles", "x.csv", as_csv(handing_in.rows(50)))
    assert world.services.importing.start(OWN, ref, only_good=False, size=20)
    world.at += timedelta(seconds=60)
    shown = find(world, ref)
    assert (shown.head.state, shown.head.done, shown.to_do) == ("running", 20, 30)
    world.services.working.run_due()
    job = next(job for job in world.services.working.all() if job.kind == "import")
    assert (job.state, job.progress) == ("done", "50 of 50 rows")
    assert find(world, ref).head.state == "done"


def test_the_same_file_again_is_the_same_import_and_a_dropped_one_is_new(world: World) -> None:
    data = as_csv(handing_in.rows(3))
    taking = world.services.importing
    ref, is_new = taking.hand_in(OWN, "vehicles", "x.csv", data)
    assert (taking.hand_in(OWN, "vehicles", "y.csv", data), is_new) == ((ref, False), True)
    taking.start(OWN, ref, only_good=False, size=20)
    assert taking.hand_in(OWN, "vehicles", "z.csv", data) == (ref, False)
    assert len(drafted(world)) == 3
    with pytest.raises(Conflict):
        taking.start(OWN, ref, only_good=False, size=20)
    with pytest.raises(Conflict):
        taking.drop(OWN, ref)


def test_the_file_is_deleted_after_thirty_days_and_what_it_said_stays(world: World) -> None:
    ref, _ = world.services.importing.hand_in(OWN, "vehicles", "x.csv", as_csv(handing_in.rows(2)))
    world.at += timedelta(days=30)
    world.services.working.run_due()
    assert find(world, ref).has_file
    world.at += timedelta(seconds=1)
    world.services.importing.prune()
    assert (find(world, ref).has_file, find(world, ref).head.rows) == (False, 2)
    with pytest.raises(Conflict):
        world.services.importing.start(OWN, ref, only_good=False, size=20)


def test_a_production_list_marks_what_it_names_and_comes_again_changed(world: World) -> None:
    made = [[row[0], row[2], "2026/8/15"] for row in handing_in.rows(3)]
    header = ("VIN", "型号", "生产日期")
    for model in ("YZS6480T1", "YZS6480T2"):
        ref, _ = world.services.importing.hand_in(
            OWN, "production", "p.csv", as_csv([[vin, model, day] for vin, _, day in made], header=header)
        )
        assert world.services.importing.start(OWN, ref, only_good=False, size=20)
    assert world.rows("SELECT DISTINCT model, built_on FROM production")[0][0] == "YZS6480T2"
    assert world.rows("SELECT count(*) FROM production") == [(3,)]


def test_another_manufacturers_import_is_not_there(world: World) -> None:
    ref, _ = world.services.importing.hand_in(OWN, "vehicles", "x.csv", as_csv(handing_in.rows(1)))
    stranger = importing.Asked(person="he.sample", maker=handing_in.Uscc(handing_in.USCC[handing_in.worlds.BEICHEN]))
    for tried in (
        lambda: world.services.importing.find(stranger.maker, ref),
        lambda: world.services.importing.file(stranger.maker, ref),
        lambda: world.services.importing.start(stranger, ref, only_good=True, size=20),
        lambda: world.services.importing.drop(stranger, ref),
    ):
        with pytest.raises(NotFound):
            tried()


def test_a_step_that_another_took_meanwhile_is_refused(world: World) -> None:
    ref, _ = world.services.importing.hand_in(OWN, "vehicles", "x.csv", as_csv(handing_in.rows(2)))
    world.change(f"UPDATE imports SET state = 'running' WHERE ref = '{ref}'")
    head, scope = find(world, ref).head, Scope.of(1)
    with world.services.database.write() as tx:
        imports.advance(tx, head, done=1, report="{}", scope=scope, at=world.at)
    with pytest.raises(Conflict), world.services.database.write() as tx:
        imports.advance(tx, head, done=1, report="{}", scope=scope, at=world.at)


def job_of(world: World) -> Job:
    (found,) = [job for job in world.services.working.all() if job.kind == "import"]
    return found


def fail_on_every_try(world: World, monkeypatch: pytest.MonkeyPatch) -> str:
    """Let an import of 50 rows stop behind the first twenty, and every try of its job fail."""
    monkeypatch.setattr(importing, "AT_ONCE", 20)
    ref, _ = world.services.importing.hand_in(OWN, "vehicles", "x.csv", as_csv(handing_in.rows(50)))
    assert world.services.importing.start(OWN, ref, only_good=False, size=20)

    def fails(*_: object, **__: object) -> None:
        raise Unavailable("the disk is full")

    monkeypatch.setattr(imports, "advance", fails)
    for _ in range(MOST_ATTEMPTS):
        assert find(world, ref).head.state == "running"
        world.at += timedelta(days=1)
        world.services.working.run_due()
    monkeypatch.undo()
    return ref


def test_an_import_whose_tries_are_used_up_is_failed_says_why_and_goes_on_where_it_stopped(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    ref = fail_on_every_try(world, monkeypatch)
    shown = find(world, ref)
    assert shown.report.failure is not None
    assert (shown.head.state, shown.head.done, shown.may_go_on, job_of(world).state) == ("failed", 20, True, "failed")
    assert (shown.report.failure.code, "disk is full" in shown.report.failure.words) == ("tries", True)
    assert len(drafted(world)) == 20
    world.services.importing.again(OWN, ref)
    with pytest.raises(Conflict):
        world.services.importing.again(OWN, ref)
    world.services.working.run_due()
    shown = find(world, ref)
    assert (shown.head.state, shown.head.done, shown.report.failure) == ("done", 50, None)
    assert len(drafted(world)) == 50


def test_a_job_that_an_operator_tries_again_takes_its_import_along(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    ref = fail_on_every_try(world, monkeypatch)
    world.services.working.retry(job_of(world).id, actor="test")
    world.services.working.run_due()
    assert (find(world, ref).head.state, job_of(world).progress) == ("done", "50 of 50 rows")


def test_a_file_that_can_be_read_no_more_ends_its_import_and_can_be_handed_in_again(world: World) -> None:
    data = as_csv(handing_in.rows(3))
    ref, _ = world.services.importing.hand_in(OWN, "vehicles", "x.csv", data)
    noise = "x'504b0304'" if not world.database_url else "'\\x504b0304'::bytea"
    world.change(f"UPDATE imports SET data = {noise}")
    world.services.importing.start(OWN, ref, only_good=False, size=20)
    shown = find(world, ref)
    assert shown.report.failure is not None
    assert (shown.head.state, shown.report.failure.code, shown.may_go_on) == ("failed", "sheet", False)
    with pytest.raises(Conflict):
        world.services.importing.again(OWN, ref)
    other, is_new = world.services.importing.hand_in(OWN, "vehicles", "x.csv", data)
    assert (other != ref, is_new) == (True, True)
    world.services.importing.start(OWN, other, only_good=False, size=20)
    assert find(world, other).head.state == "done"


def test_an_import_whose_plan_is_damaged_ends_at_once_and_its_page_is_there(world: World) -> None:
    ref, _ = world.services.importing.hand_in(OWN, "vehicles", "x.csv", as_csv(handing_in.rows(3)))
    world.change(f"UPDATE imports SET state = 'running', plan = '{{' WHERE ref = '{ref}'")
    assert world.services.importing.run(ref).startswith("given up")
    shown = find(world, ref)
    assert shown.report.failure is not None
    assert (shown.head.state, shown.report.failure.code, shown.may_go_on) == ("failed", "plan", False)
