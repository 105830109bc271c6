"""What ended after the backup stays out of force after the restore, where the journal was kept."""

from __future__ import annotations

import json
import shutil
import threading
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from world import BEICHEN, EMIRATES, KAZAKHSTAN, YUNZHOU, World, sample

from signer.domain.number import Number
from signer.domain.verdict import Code
from signer.errors import StorageUnavailable
from signer.register.journal import Entry, Journal
from signer.services.withdraw import Withdrawal

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from signer.services.keep import Restored

ANOTHER = "05-to-be-withdrawn"
TWO = {"by": "chen.sample", "second": "lin.sample"}


def withdrawal(number: Number, *vins: str) -> Withdrawal:
    return Withdrawal(number=number, manufacturer=YUNZHOU, reason="fraud", vins=vins, **TWO)


class Disaster:
    """A deployment backed up at one moment and lost an hour later, with its journal kept."""

    def __init__(self, world: World, sister: Callable[..., World], folder: Path) -> None:
        self._world, self._sister, self._backup = world, sister, folder / "backup.zip"
        world.at += timedelta(hours=1)
        world.services.keeping.backup(self._backup)
        world.at += timedelta(hours=1)

    def restored(self) -> tuple[World, Restored]:
        """Restore the backup elsewhere, beside the journal."""
        made = self._sister()
        made.at = self._world.at + timedelta(hours=1)
        shutil.copy(self._world.folder / "endings.jsonl", made.folder / "endings.jsonl")
        return made, made.services.keeping.restore(self._backup, actor="test")


@pytest.mark.parametrize("lines", [slice(0, 0), slice(0, 1)], ids=["wholly", "one vehicle"])
def test_what_was_withdrawn_after_the_backup_is_held_until_it_is_withdrawn_again(
    world: World, sister: Callable[..., World], tmp_path: Path, lines: slice
) -> None:
    issued, other = world.issue(sample(KAZAKHSTAN)), world.issue(sample(EMIRATES))
    vins = [vehicle["vin"] for vehicle in sample(KAZAKHSTAN)["vehicles"]][lines]
    disaster = Disaster(world, sister, tmp_path)
    world.services.ending.withdraw(withdrawal(issued.number, *vins))
    restored, told = disaster.restored()
    assert (told.held, told.damaged) == ((issued.number,), 0)
    assert restored.verify(issued.pdf).reason == "SUSPENDED"
    assert restored.verify(other.pdf).code is Code.VALID_WITH_NOTICE
    noted = restored.rows("SELECT actor FROM audit WHERE event = 'confirmation.suspended'")
    assert noted == [("journal",)]
    restored.services.ending.withdraw(withdrawal(issued.number, *vins))
    assert restored.verify(issued.pdf).reason == ("FRAUD" if not vins else "PARTLY_WITHDRAWN")


def test_what_was_superseded_after_the_backup_is_held_until_the_newer_one_is_back(
    world: World, sister: Callable[..., World], tmp_path: Path
) -> None:
    older = world.issue(sample(KAZAKHSTAN))
    disaster = Disaster(world, sister, tmp_path)
    newer = sample(KAZAKHSTAN)
    newer["supersedes"] = older.number
    pdf = world.issue(newer).pdf
    restored, told = disaster.restored()
    assert told.held == (older.number,)
    assert restored.verify(older.pdf).reason == "SUSPENDED"
    restored.services.reimporting.file(pdf, **TWO)
    assert restored.verify(older.pdf).code is Code.SUPERSEDED


def test_a_suspension_is_held_over_and_one_that_was_lifted_or_over_is_not(
    world: World, sister: Callable[..., World], tmp_path: Path
) -> None:
    held, lifted, over = (world.issue(sample(name)) for name in (KAZAKHSTAN, ANOTHER, EMIRATES))
    disaster = Disaster(world, sister, tmp_path)
    end = world.services.ending
    end.suspend(over.number, manufacturer=BEICHEN, by="he.sample")
    world.at += timedelta(hours=71)
    end.suspend(held.number, manufacturer=YUNZHOU, by="chen.sample")
    end.suspend(lifted.number, manufacturer=YUNZHOU, by="chen.sample")
    end.lift(lifted.number, manufacturer=YUNZHOU, by="lin.sample")
    restored, told = disaster.restored()
    assert told.held == (held.number,)
    restored.services.ending.lift(held.number, manufacturer=YUNZHOU, by="lin.sample")
    assert restored.verify(held.pdf).reason == "STANDING_INCOMPLETE"


def test_a_file_of_the_gap_that_was_withdrawn_there_comes_back_held(
    world: World, sister: Callable[..., World], tmp_path: Path
) -> None:
    disaster = Disaster(world, sister, tmp_path)
    issued = world.issue(sample(KAZAKHSTAN))
    world.services.ending.withdraw(withdrawal(issued.number))
    restored, told = disaster.restored()
    assert told.held == ()
    restored.services.reimporting.file(issued.pdf, **TWO)
    assert restored.verify(issued.pdf).reason == "SUSPENDED"


def test_a_seal_suspended_after_the_backup_seals_nothing_after_the_restore(
    world: World, sister: Callable[..., World], tmp_path: Path
) -> None:
    issued = world.issue(sample(KAZAKHSTAN))
    ((digest,),) = world.rows("SELECT DISTINCT seal_digest FROM confirmations")
    disaster = Disaster(world, sister, tmp_path)
    world.services.ending.suspend_seal(digest, manufacturer=YUNZHOU, by="chen.sample")
    restored, told = disaster.restored()
    assert told.held_seals == (digest,)
    assert restored.verify(issued.pdf).reason == "SEAL_SUSPENDED"


def test_what_ended_before_the_backup_is_not_held_again(
    world: World, sister: Callable[..., World], tmp_path: Path
) -> None:
    first = world.issue(sample(KAZAKHSTAN))
    world.services.ending.suspend(first.number, manufacturer=YUNZHOU, by="chen.sample")
    world.services.ending.lift(first.number, manufacturer=YUNZHOU, by="lin.sample")
    gone = world.issue(sample(ANOTHER))
    world.services.ending.withdraw(withdrawal(gone.number))
    _, told = Disaster(world, sister, tmp_path).restored()
    assert (told.held, told.held_seals) == ((), ())


def test_nothing_ends_that_the_journal_cannot_take(world: World) -> None:
    issued = world.issue(sample(KAZAKHSTAN))
    (world.folder / "endings.jsonl").mkdir()
    with pytest.raises(StorageUnavailable, match=r"endings\.jsonl"):
        world.services.ending.withdraw(withdrawal(issued.number))
    assert world.verify(issued.pdf).code is Code.VALID
    assert world.rows("SELECT count(*) FROM audit WHERE event = 'confirmation.withdrawn'") == [(0,)]


def entry(world: World, vin: str = "LSVAA4187E2000001") -> Entry:
    return Entry(at=world.at, number=Number.draw(lambda _: 7), vins=(vin,), standing="withdrawn")


def test_a_line_cut_off_by_a_crash_costs_no_other_line(world: World) -> None:
    path = world.folder / "endings.jsonl"
    journal = Journal(path)
    journal.add(entry(world))
    path.write_bytes(path.read_bytes() + b'{"at": "2026-')
    journal.add(entry(world, "LSVAA4187E2000002"))
    read = journal.read()
    assert [one.vins for one in read.entries] == [("LSVAA4187E2000001",), ("LSVAA4187E2000002",)]
    assert read.damaged == 1


@pytest.mark.parametrize("harm", ["changed", "left out"])
def test_a_line_that_was_changed_or_left_out_shows(world: World, harm: str) -> None:
    path = world.folder / "endings.jsonl"
    for vin in ("1", "2", "3"):
        Journal(path).add(entry(world, vin))
    lines = path.read_bytes().splitlines(keepends=True)
    lines[1] = lines[1].replace(b"withdrawn", b"suspended") if harm == "changed" else b""
    path.write_bytes(b"".join(lines))
    assert Journal(path).read().damaged == 1


def test_eight_writers_lose_no_line_and_break_no_chain(world: World) -> None:
    path = world.folder / "endings.jsonl"

    def write() -> None:
        for place in range(10):
            Journal(path).add(entry(world, str(place)))

    threads = [threading.Thread(target=write) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    read = Journal(path).read()
    assert (len(read.entries), read.damaged) == (80, 0)
    assert path.stat().st_mode & 0o777 == 0o600
    assert all(json.loads(line) for line in path.read_text().splitlines())
