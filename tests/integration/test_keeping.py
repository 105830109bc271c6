"""A backup is whole and of one moment; after a restore nothing that was issued since is called forged."""

from __future__ import annotations

import zipfile
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from world import EMIRATES, KAZAKHSTAN, MEXICO, RUSSIA, World, sample

from signer.domain.verdict import Code
from signer.errors import Conflict, InvalidInput, NotFound, NotPermitted, RegisterUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

TABLES = ("confirmations", "lines", "vin_claims", "files", "seal_uses", "approvals", "leaves", "people", "outlets")
TWO = {"by": "chen.sample", "second": "lin.sample"}


@dataclass
class Lost:
    """A deployment restored from a backup: `kept` was issued before the backup, `lost` an hour after it."""

    world: World
    kept: bytes
    lost: bytes
    stranger: bytes


def content(world: World) -> dict[str, list[tuple[str, ...]]]:
    """Return every row as text: the two databases give dates in different types."""
    return {table: sorted(tuple(map(str, row)) for row in world.rows(f"SELECT * FROM {table}")) for table in TABLES}


@pytest.fixture
def lost(world: World, sister: Callable[..., World], tmp_path: Path) -> Lost:
    other = sister()
    other.services.keeping.restore(_backup(world, tmp_path / "empty.zip"), actor="test")
    other.services.keeping.release(by="test")
    stranger = other.issue(sample(MEXICO)).pdf
    kept = world.issue(sample(KAZAKHSTAN)).pdf
    world.at += timedelta(hours=1)
    backup = _backup(world, tmp_path / "backup.zip")
    world.at += timedelta(hours=1)
    gone = world.issue(sample(EMIRATES)).pdf
    world.at += timedelta(hours=1)
    restored = sister()
    restored.services.keeping.restore(backup, actor="test")
    return Lost(restored, kept, gone, stranger)


def _backup(world: World, path: Path) -> Path:
    world.services.keeping.backup(path)
    return path


@pytest.mark.parametrize("target", ["sqlite", "postgresql"])
def test_a_backup_is_restored_whole_on_either_database(
    world: World, sister: Callable[..., World], target: str, tmp_path: Path
) -> None:
    issued = world.issue(sample(KAZAKHSTAN))
    moved = sample(KAZAKHSTAN)
    moved["vehicles"], moved["supersedes"] = moved["vehicles"][2:], issued.number
    second = world.issue(moved, key="k")
    restored = sister(target)
    restored.services.keeping.restore(_backup(world, tmp_path / "backup.zip"), actor="test")
    assert content(restored) == content(world)
    assert restored.services.issuing.fetch(issued.number) == issued.pdf
    assert restored.verify(second.pdf).code is Code.VALID
    restored.services.keeping.release(by="operator")
    assert restored.issue(moved, key="k").pdf == second.pdf
    assert restored.verify(restored.issue(sample(EMIRATES)).pdf).code is Code.VALID


def test_what_is_issued_while_a_backup_runs_is_not_half_in_it(
    world: World, sister: Callable[..., World], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, another = world.issue(sample(KAZAKHSTAN)), world.another()
    blobs = world.services.keeping._blobs
    get, late = blobs.get, []

    def slow(digest: bytes) -> bytes:
        late.append(another.issue(sample(EMIRATES)).number)
        return get(digest)

    monkeypatch.setattr(blobs, "get", slow)
    backup = _backup(world, tmp_path / "backup.zip")
    another.services.database.close()
    restored = sister()
    restored.services.keeping.restore(backup, actor="test")
    assert len(late) == 1
    assert restored.rows("SELECT number, standing FROM confirmations") == [(first.number, "issued")]
    assert restored.services.keeping.scrub().sound == 1


def test_a_backup_names_the_sealed_files_that_it_could_not_take(world: World, tmp_path: Path) -> None:
    world.overrides = {"SIGNER_BLOB_URL": "disk:"}
    world.rewire()
    world.issue(sample(KAZAKHSTAN))
    (path,) = [path for path in (world.folder / "blobs").rglob("*") if path.is_file()]
    path.write_bytes(b"")
    assert world.services.keeping.backup(tmp_path / "backup.zip").missing == (path.name,)


def test_a_backup_never_overwrites_a_file(world: World, tmp_path: Path) -> None:
    (tmp_path / "there").touch()
    with pytest.raises(InvalidInput, match="there already"):
        world.services.keeping.backup(tmp_path / "there")


def _damage(path: Path, member: str) -> None:
    with zipfile.ZipFile(path) as archive:
        found = {name: archive.read(name) for name in archive.namelist()}
    (name,) = [name for name in found if name.startswith(member)]
    found[name] = found[name][:-2] + b"0\n"
    with zipfile.ZipFile(path, "w") as archive:
        for each, data in found.items():
            archive.writestr(each, data)


@pytest.mark.parametrize("member", ["tables/lines.jsonl", "blobs/", "manifest.json"])
def test_a_damaged_backup_changes_nothing(
    world: World, sister: Callable[..., World], member: str, tmp_path: Path
) -> None:
    world.issue(sample(KAZAKHSTAN))
    backup, restored = _backup(world, tmp_path / "backup.zip"), sister()
    _damage(backup, member)
    with pytest.raises(InvalidInput):
        restored.services.keeping.restore(backup, actor="test")
    assert restored.services.database.version() is None


def test_a_register_that_holds_anything_is_not_restored_into(world: World, tmp_path: Path) -> None:
    before = content(world)
    with pytest.raises(Conflict, match="empty"):
        world.services.keeping.restore(_backup(world, tmp_path / "backup.zip"), actor="test")
    assert content(world) == before


def test_a_file_of_the_gap_is_unknown_not_forged(lost: Lost) -> None:
    assert lost.world.verify(lost.kept).code is Code.VALID
    verdict = lost.world.verify(lost.lost)
    assert (verdict.code, verdict.reason) == (Code.INDETERMINATE, "REGISTER_INCOMPLETE")


def test_an_unknown_file_from_before_the_gap_is_as_unknown_as_ever(lost: Lost) -> None:
    assert lost.world.verify(lost.stranger).code is Code.NOT_REGISTERED


def test_an_altered_file_of_the_gap_is_altered(lost: Lost) -> None:
    assert lost.world.verify(lost.lost[:-1] + b" ").code is not Code.INDETERMINATE


def test_after_a_restore_nothing_is_issued_until_it_is_released(lost: Lost) -> None:
    with pytest.raises(RegisterUnavailable, match="reimport"):
        lost.world.issue(sample(RUSSIA))
    assert lost.world.rows("SELECT count(*) FROM confirmations") == [(1,)]
    assert lost.world.services.keeping.release(by="operator") == 1
    assert lost.world.verify(lost.world.issue(sample(RUSSIA)).pdf).code is Code.VALID
    assert lost.world.verify(lost.lost).reason == "REGISTER_INCOMPLETE"
    with pytest.raises(NotFound):
        lost.world.services.keeping.release(by="operator")


def test_a_holder_s_file_closes_the_gap_for_its_number(lost: Lost) -> None:
    number = lost.world.services.reimporting.file(lost.lost, **TWO)
    verdict = lost.world.verify(lost.lost)
    assert (verdict.code, verdict.number) == (Code.VALID, number)
    assert lost.world.services.issuing.fetch(number) == lost.lost
    noted = lost.world.rows("SELECT actor, subject FROM audit WHERE event = 'confirmation.reimported'")
    assert noted == [("chen.sample", number)]
    with pytest.raises(Conflict, match="in the register"):
        lost.world.services.reimporting.file(lost.lost, **TWO)


def test_only_a_sound_file_of_the_gap_is_brought_back_and_by_two_people(lost: Lost) -> None:
    bring = lost.world.services.reimporting.file
    with pytest.raises(InvalidInput, match="not issued in a gap"):
        bring(lost.stranger, **TWO)
    with pytest.raises(InvalidInput):
        bring(lost.lost[:-1] + b" ", **TWO)
    with pytest.raises(NotPermitted):
        bring(lost.lost, by="lin.sample", second="lin.sample")
    with pytest.raises(NotFound):
        bring(lost.lost, by="lin.sample", second="nobody")
    assert lost.world.rows("SELECT count(*) FROM confirmations") == [(1,)]


def test_a_vehicle_sealed_again_since_is_not_brought_back(lost: Lost) -> None:
    lost.world.services.keeping.release(by="operator")
    again = lost.world.issue(sample(EMIRATES))
    with pytest.raises(Conflict, match=again.number):
        lost.world.services.reimporting.file(lost.lost, **TWO)


def test_what_the_backup_held_as_pending_is_neither_abandoned_nor_lost(
    world: World, sister: Callable[..., World], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was being sealed when the backup was taken, and may have been issued a second later."""
    backups: list[Path] = []
    seal = world.services.issuing._seals.seal

    def then(*a: object, **k: object) -> object:
        backups.append(_backup(world, tmp_path / "backup.zip"))
        return seal(*a, **k)  # type: ignore[arg-type]

    monkeypatch.setattr(world.services.issuing._seals, "seal", then)
    issued = world.issue(sample(KAZAKHSTAN))
    restored = sister()
    restored.services.keeping.restore(backups[0], actor="test")
    restored.at += timedelta(days=1)
    assert restored.services.maintaining.settle() == ()
    assert restored.services.maintaining.pending_since_before_a_restore() == (issued.number,)
    assert restored.verify(issued.pdf).reason == "TRY_LATER"
    assert restored.services.reimporting.file(issued.pdf, **TWO) == issued.number
    assert restored.verify(issued.pdf).code is Code.VALID
