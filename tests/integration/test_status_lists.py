"""The register's side of status lists: whatever happens to a confirmation, its two bits say it, and are signed."""

from __future__ import annotations

import random
from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from world import EMIRATES, KAZAKHSTAN, World, sample

from signer.domain.evidence import Gap
from signer.domain.number import Number
from signer.domain.status_list import LASTS, Status, of_standings
from signer.domain.trust import Purpose, SealState
from signer.errors import Conflict, Misconfigured, NotFound, RuleViolation
from signer.register import confirmations, endings, lookup, restores, status_lists
from signer.register.scope import Scope
from signer.seal import status_list as signed

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Any

    from signer.domain.status_list import StatusList

ALL = Scope.everything("a test looks")
HOUR = timedelta(hours=1)
VINS = tuple(vehicle["vin"] for vehicle in sample(KAZAKHSTAN)["vehicles"])


@pytest.fixture
def database(request: pytest.FixtureRequest) -> str:
    """SQLite, but for what is written in the database's own way."""
    given = getattr(getattr(request.node, "callspec", None), "params", {})
    return str(given.get("kind", "sqlite"))


def place_of(world: World, number: str) -> tuple[int, int]:
    with world.services.database.read() as tx:
        found = status_lists.place(tx, number)
    assert found is not None
    return found


def bits(world: World, number: str) -> Status:
    """Return what the list would say now if it were signed now."""
    of_list, index = place_of(world, number)
    with world.services.database.read() as tx:
        return Status(status_lists.places(tx, of_list, gaps=restores.gaps(tx), at=world.at)[index])


def stands(world: World, number: str) -> Status:
    """Return what it must say: what the register tells anybody who can ask it."""
    with world.services.database.read() as tx:
        record = lookup.by_number(tx, Number(number), scope=ALL, at=world.at)
    assert record is not None
    return of_standings(line.standing for line in record.lines)


def signed_list(world: World, number: int = 1) -> StatusList:
    kept = world.services.status_lists.newest(number)
    return signed.believe(kept.token, world.services.trust.current(world.at)).list


class Life:
    """A confirmation to which things happen at random, and those that took its place."""

    def __init__(self, world: World, seed: int) -> None:
        self.world, self.chance = world, random.Random(seed)
        self.numbers = [world.issue(sample(KAZAKHSTAN)).number]

    def happen(self) -> str:
        number = self.chance.choice(self.numbers)
        what = self.chance.choices(("withdraw", "suspend", "lift", "wait", "supersede"), weights=(2, 4, 3, 4, 1))[0]
        with suppress(Conflict, RuleViolation):
            getattr(self, what)(number)
        return what

    def withdraw(self, number: Number) -> None:
        vins = tuple(self.chance.sample(VINS, self.chance.choice((0, 1, 1, 1))))
        with self.world.services.database.write() as tx, suppress(NotFound):
            endings.withdraw(tx, number, scope=ALL, vins=vins, reason="error", at=self.world.at)

    def suspend(self, number: Number) -> None:
        until = self.chance.choice((None, self.world.at + HOUR))
        with self.world.services.database.write() as tx:
            endings.suspend(tx, number, scope=ALL, by="chen.sample", until=until, at=self.world.at)

    def lift(self, number: Number) -> None:
        with self.world.services.database.write() as tx:
            endings.lift(tx, number, scope=ALL, at=self.world.at)

    def wait(self, _: Number) -> None:
        self.world.at += timedelta(minutes=40)
        if self.chance.random() < 0.3:
            self.world.services.maintaining.end_suspensions()

    def supersede(self, number: Number) -> None:
        plain: Any = sample(KAZAKHSTAN)
        kept = self.chance.sample(range(len(VINS)), self.chance.randint(1, len(VINS)))
        plain["vehicles"], plain["supersedes"] = [plain["vehicles"][place] for place in sorted(kept)], number
        self.world.at += timedelta(minutes=1)
        self.numbers.append(self.world.issue(plain).number)


@pytest.mark.parametrize("seed", range(4))
def test_whatever_happens_the_bits_say_how_it_stands(world: World, seed: int) -> None:
    life, told = Life(world, seed), []
    for _ in range(25):
        told.append(life.happen())
        for number in life.numbers:
            assert bits(world, number) is stands(world, number), told


@pytest.mark.soak(reason="the same, a hundred times as often")
def test_whatever_happens_the_bits_say_how_it_stands_many_times(world: World) -> None:
    for seed in range(100, 160):
        life = Life(world, seed)
        for _ in range(40):
            life.happen()
            assert [bits(world, number) for number in life.numbers] == [
                stands(world, number) for number in life.numbers
            ]
        for number in life.numbers:
            with suppress(Conflict), world.services.database.write() as tx:
                endings.withdraw(tx, number, scope=ALL, vins=(), reason="error", at=world.at)


def test_what_is_suspended_in_part_is_not_now_also_where_another_part_has_ended(world: World) -> None:
    number = world.issue(sample(KAZAKHSTAN)).number
    with world.services.database.write() as tx:
        endings.suspend(tx, number, scope=ALL, by="chen.sample", until=world.at + HOUR, at=world.at)
        endings.withdraw(tx, number, scope=ALL, vins=VINS[:1], reason="error", at=world.at)
    assert bits(world, number) is Status.NOT_NOW
    world.at += 2 * HOUR
    assert bits(world, number) is Status.REPLACED


def test_a_place_is_not_now_until_the_sealed_file_is_on_record_and_ended_if_it_never_is(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def cut(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(confirmations, "record", cut)
    with pytest.raises(KeyboardInterrupt):
        world.issue(sample(KAZAKHSTAN))
    monkeypatch.undo()
    ((number,),) = world.rows("SELECT number FROM confirmations")
    assert bits(world, number) is Status.NOT_NOW
    with world.services.database.write() as tx:
        confirmations.abandon(tx, Number(number), scope=ALL, reason="the sealing was cut off", at=world.at)
    assert bits(world, number) is Status.ENDED


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_lists_are_signed_hourly_and_never_put_back(world: World, kind: str) -> None:
    del kind
    first, second = world.issue(sample(KAZAKHSTAN)), world.issue(sample(EMIRATES))
    world.services.working.run_due()
    before, index = signed_list(world), place_of(world, first.number)[1]
    assert (before.at, before.expires, len(before)) == (world.at.replace(microsecond=0), before.at + LASTS, 131_072)
    assert before.status(index) is before.status(place_of(world, second.number)[1]) is Status.IN_FORCE
    assert sum(before.status(place) is Status.NOT_NOW for place in range(len(before))) == len(before) - 2
    with world.services.database.write() as tx:
        endings.withdraw(tx, first.number, scope=ALL, vins=(), reason="error", at=world.at)
    world.at += timedelta(minutes=59)
    world.services.working.run_due()
    assert signed_list(world) == before
    world.at += timedelta(minutes=1)
    world.services.working.run_due()
    after = signed_list(world)
    assert (after.status(index), after.uri) == (Status.ENDED, "http://127.0.0.1:8000/.well-known/status/1")
    world.at -= 2 * HOUR
    assert world.services.status_lists.sign() == "0 of 1 lists signed"
    assert signed_list(world) == after


def test_an_open_gap_casts_doubt_on_what_was_issued_before_its_end_and_on_nothing_later(world: World) -> None:
    old = world.issue(sample(KAZAKHSTAN)).number
    gap = Gap(since=world.at, until=world.at + HOUR)
    world.at += 2 * HOUR
    new = world.issue(sample(EMIRATES)).number
    with world.services.database.read() as tx:
        places = status_lists.places(tx, 1, gaps=(gap,), at=world.at)
    assert places[place_of(world, old)[1]] == Status.NOT_NOW
    assert places[place_of(world, new)[1]] == Status.IN_FORCE
    with world.services.database.write() as tx:
        endings.withdraw(tx, old, scope=ALL, vins=(), reason="error", at=world.at)
        places = status_lists.places(tx, 1, gaps=(gap,), at=world.at)
    assert places[place_of(world, old)[1]] == Status.ENDED


def test_a_restored_register_gives_no_place_that_it_may_have_given_before(
    world: World, sister: Any, tmp_path: Path
) -> None:
    world.issue(sample(KAZAKHSTAN))
    backup = tmp_path / "backup.zip"
    world.services.keeping.backup(backup)
    lost = place_of(world, world.issue(sample(EMIRATES)).number)
    restored = sister()
    restored.services.keeping.restore(backup, actor="test")
    restored.services.keeping.release(by="test")
    restored.at += HOUR
    new = place_of(restored, restored.issue(sample(EMIRATES)).number)
    assert lost[0] == 1
    assert new[0] >= 1001
    restored.services.status_lists.sign()
    assert [number for number, _ in restored.services.status_lists.all()] == [1, new[0]]
    assert signed_list(restored).status(lost[1]) is Status.NOT_NOW


def test_two_restores_of_one_backup_give_places_of_different_lists(world: World, sister: Any, tmp_path: Path) -> None:
    world.services.keeping.backup(tmp_path / "backup.zip")
    given = []
    for minutes in (1, 2):
        restored = sister()
        restored.at += timedelta(minutes=minutes)
        restored.services.keeping.restore(tmp_path / "backup.zip", actor="test")
        with restored.services.database.read() as tx:
            given.append(max(status_lists.numbers(tx)))
    assert given[1] > given[0] > 1


def test_without_a_key_nothing_is_published_and_the_job_does_not_fail(world: World) -> None:
    (world.settings.keys / "status.pem").unlink()
    assert world.services.status_lists.sign() == "no status key is here: nothing is published"
    with pytest.raises(NotFound, match="no status list 1"):
        world.services.status_lists.newest(1)


@pytest.mark.parametrize("base_url", [None, "https://elsewhere.example"])
def test_lists_that_nobody_would_believe_are_not_signed(world: World, base_url: str | None) -> None:
    world.publish(base_url=base_url)
    with pytest.raises(Misconfigured, match="would not be believed"):
        world.services.status_lists.sign()


def test_a_retired_key_signs_no_list(world: World) -> None:
    world.publish(
        lambda entry: (
            entry.model_copy(update={"state": SealState.VERIFY_ONLY}) if entry.purpose is Purpose.STATUS else entry
        )
    )
    with pytest.raises(Misconfigured, match="verify-only"):
        world.services.status_lists.sign()


def test_a_list_is_left_when_it_is_about_nine_tenths_full() -> None:
    """By what chance does: one draw after another among the places, until so many in a row were taken."""
    chance, size, left = random.Random(0), 131_072, []
    for _ in range(3):
        taken = bytearray(size)
        count = 0
        while (free := _draw(chance, taken)) is not None:
            taken[free] = 1
            count += 1
        left.append(count / size)
    assert all(0.84 < share < 0.94 for share in left), left


def _draw(chance: random.Random, taken: bytearray) -> int | None:
    for _ in range(status_lists.DRAWS):
        place = int(chance.random() * len(taken))
        if not taken[place]:
            return place
    return None
