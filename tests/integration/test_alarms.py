"""What an answer shows of a manufacturer's number or seal is counted for it, and never costs the answer anything."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
import world as worlds
from portal import Portal
from world import BEICHEN, KAZAKHSTAN, YUNZHOU, World, sample

from signer.domain.evidence import Asked
from signer.domain.verdict import Code
from signer.errors import Conflict, InvalidInput, NotFound, NotPermitted, RegisterUnavailable
from signer.register import suspicions
from signer.services import alarms
from signer.services.withdraw import Withdrawal

if TYPE_CHECKING:
    from pathlib import Path

    from signer.domain.verdict import Verdict
    from signer.services.sealing import Issued


@pytest.fixture
def database() -> str:
    return "sqlite"


@pytest.fixture
def issued(world: World) -> Issued:
    portal = Portal.of(world)
    for person in ("chen.sample", "lin.sample", "sun.sample"):
        portal.give_account(person)
    return world.issue(sample(KAZAKHSTAN))


def counted(world: World) -> list[tuple[object, ...]]:
    assert world.services.alarming.is_written()
    return world.rows("SELECT manufacturer_id, number, code, count FROM suspicions ORDER BY id")


def altered(world: World, issued: Issued) -> Verdict:
    place = issued.pdf.index(b"/Type")
    return world.services.verifying.file(issued.pdf[:place] + b"/Tipe" + issued.pdf[place + 5 :])


def other_vin(world: World, issued: Issued) -> Verdict:
    return world.verify(issued.pdf, vins=("LYZSAMPLE00000001",))


def test_a_changed_file_with_our_number_is_counted_and_its_people_told_once_a_day(world: World, issued: Issued) -> None:
    assert altered(world, issued).code is Code.ALTERED
    assert counted(world) == [(1, issued.number, "ALTERED", 1)]
    told = [("lin.sample@example.com",)]
    assert world.rows("SELECT recipient FROM mails WHERE kind = 'alarm'") == told
    world.at += timedelta(minutes=2)
    altered(world, issued)
    assert counted(world) == [(1, issued.number, "ALTERED", 2)]
    assert world.rows("SELECT recipient FROM mails WHERE kind = 'alarm'") == told
    world.at += timedelta(days=1)
    altered(world, issued)
    assert [count for *_, count in counted(world)] == [2, 1]
    assert world.rows("SELECT count(*) FROM mails WHERE kind = 'alarm'") == [(2,)]


def test_a_genuine_file_in_force_is_no_suspicion(world: World, issued: Issued) -> None:
    assert world.verify(issued.pdf).code is Code.VALID
    assert world.services.verifying.file(b"%PDF-1.7 a stranger").code in (Code.UNREADABLE, Code.NOT_A_CONFIRMATION)
    assert counted(world) == []


def test_a_withdrawn_one_shown_again_and_a_vehicle_it_does_not_name_are_counted(world: World, issued: Issued) -> None:
    assert other_vin(world, issued).code is Code.NOT_COVERED
    world.services.ending.withdraw(
        Withdrawal(number=issued.number, manufacturer=YUNZHOU, by="chen.sample", second="lin.sample", reason="error")
    )
    assert world.verify(issued.pdf).code is Code.WITHDRAWN
    assert counted(world) == [(1, issued.number, "NOT_COVERED", 1), (1, issued.number, "WITHDRAWN", 1)]
    assert world.rows("SELECT count(*) FROM mails WHERE kind = 'alarm'") == [(1,)]


def test_a_seal_used_outside_the_service_alarms_its_manufacturer(world: World, tmp_path: Path, issued: Issued) -> None:
    world.services.database.close()
    elsewhere = World(worlds.copy(world.folder, tmp_path / "stolen"), at=world.at)
    sealed = elsewhere.issue(worlds.fresh(KAZAKHSTAN, 7)).pdf
    elsewhere.services.database.close()
    world.at += timedelta(minutes=5)
    assert world.services.verifying.file(sealed).code is Code.NOT_REGISTERED
    ((maker, _, code, count),) = counted(world)
    assert (maker, code, count) == (1, "NOT_REGISTERED", 1)
    assert "NOT_REGISTERED" in world.rows("SELECT subject FROM mails WHERE kind = 'alarm'")[0][0]


def test_a_few_mistyped_tails_are_no_alarm_and_many_are(world: World, issued: Issued) -> None:
    for turn in range(alarms.MANY_WRONG_TAILS):
        assert counted(world) == []
        world.at += timedelta(minutes=2)
        world.services.lookups.by_tail(issued.number, f"00000{turn}", network=f"198.51.100.{turn}")
    assert counted(world) == [(1, issued.number, "NOT_ON_RECORD", 1)]


def test_a_flood_writes_once_a_minute_and_forgets_no_count(world: World, issued: Issued) -> None:
    verdict, writes = altered(world, issued), []
    counted(world)
    real = suspicions.add
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(suspicions, "add", lambda *a, **k: (writes.append(1), real(*a, **k))[1])
        for _ in range(500):
            world.services.alarming.heed(verdict)
        counted(world)
        assert writes == []
        world.at += timedelta(minutes=1)
        world.services.alarming.heed(verdict)
        assert counted(world) == [(1, issued.number, "ALTERED", 502)]
        assert writes == [1]


def test_a_flood_of_numbers_takes_no_more_memory_than_allowed(world: World, issued: Issued) -> None:
    verdict = altered(world, issued)
    alarming = world.services.alarming
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(alarms, "MOST_KEYS", 20)
        for turn in range(200):
            alarming.heed(verdict.model_copy(update={"number": f"K7Q2M-9XH4T-{turn:04d}"}))
        assert alarming.is_written()
        assert len(alarming._written) <= 20
        assert len(alarming._counts) <= 20


def test_a_register_that_is_gone_changes_no_answer(
    world: World, issued: Issued, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(*_: object, **__: object) -> None:
        raise RegisterUnavailable("gone")

    monkeypatch.setattr(suspicions, "add", gone)
    assert altered(world, issued).code is Code.ALTERED
    assert counted(world) == []
    assert altered(world, issued).code is Code.ALTERED


def test_a_register_that_is_slow_holds_no_answer_up(
    world: World, issued: Issued, monkeypatch: pytest.MonkeyPatch
) -> None:
    verdict = altered(world, issued)
    counted(world)
    world.at += timedelta(minutes=2)
    real = suspicions.add
    monkeypatch.setattr(suspicions, "add", lambda *a, **k: (time.sleep(0.5), real(*a, **k))[1])
    began = time.monotonic()
    for _ in range(50):
        world.services.alarming.heed(verdict)
    assert time.monotonic() - began < 0.25
    assert counted(world)[0][3] >= 2


def test_nothing_of_who_asked_or_what_about_is_kept(world: World, issued: Issued) -> None:
    other_vin(world, issued)
    counted(world)
    assert set(world.rows("SELECT * FROM suspicions")[0]) & {"LYZSAMPLE00000001"} == set()
    told = world.rows("SELECT name FROM pragma_table_info('suspicions')")
    assert {name for (name,) in told} == {
        *("id", "manufacturer_id", "number", "code", "day", "count"),
        *("first_at", "last_at", "settled_by", "settled_at"),
    }


def test_an_alarm_is_settled_once_by_who_may_with_a_reason_and_opens_again(world: World, issued: Issued) -> None:
    alarming = world.services.alarming
    altered(world, issued)
    counted(world)
    asked = {"manufacturer": YUNZHOU, "reason": "a printer had cut the file"}
    with pytest.raises(NotPermitted):
        alarming.settle(1, by="chen.sample", **asked)
    with pytest.raises(NotFound):
        alarming.settle(1, by="sun.sample", manufacturer=BEICHEN, reason=asked["reason"])
    with pytest.raises(InvalidInput):
        alarming.settle(1, by="lin.sample", manufacturer=YUNZHOU, reason=" ")
    alarming.settle(1, by="lin.sample", **asked)
    with pytest.raises(Conflict):
        alarming.settle(1, by="lin.sample", **asked)
    assert "a printer" in world.rows("SELECT detail FROM audit WHERE event = 'alarm.settled'")[0][0]
    world.at += timedelta(minutes=2)
    altered(world, issued)
    counted(world)
    assert alarming.page(YUNZHOU, most=9)[0].is_open
    assert alarming.page(BEICHEN, most=9) == ()


def test_our_own_look_at_what_was_issued_is_no_suspicion(world: World, issued: Issued) -> None:
    world.services.ending.withdraw(
        Withdrawal(number=issued.number, manufacturer=YUNZHOU, by="chen.sample", second="lin.sample", reason="error")
    )
    world.services.maintaining.reverify()
    assert counted(world) == []
    assert world.verify(issued.pdf, vins=Asked().vins).code is Code.WITHDRAWN
    assert len(counted(world)) == 1
