"""A backup is whole and of one moment; after a restore nothing that was issued since is called forged."""

from __future__ import annotations

import zipfile
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from world import BEICHEN, EMIRATES, KAZAKHSTAN, MEXICO, RUSSIA, YUNZHOU, World, sample

from signer.domain.evidence import Asked
from signer.domain.number import Number
from signer.domain.status_list import Status
from signer.domain.verdict import Code, Outcome
from signer.errors import Conflict, InvalidInput, NotFound, NotPermitted, RegisterUnavailable
from signer.paper import cose, printed
from signer.register import status_lists
from signer.register.restores import Closing
from signer.services.licence import Question
from signer.services.withdraw import Abandonment, Withdrawal
from signer.verification import wording

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from signer.domain.verdict import Verdict

TABLES = ("confirmations", "lines", "vin_claims", "files", "seal_uses", "approvals", "log_queue", "people", "outlets")
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


_MADE: dict[str, Lost] = {}
"""One for each kind of database: making it takes two restores, and every test has a copy of its own."""


@pytest.fixture
def lost(
    database: str,
    request: pytest.FixtureRequest,
    tmp_path: Path,
    tmp_path_factory: pytest.TempPathFactory,
    again: Callable[[World], World],
) -> Lost:
    if database not in _MADE:
        _MADE[database] = _lose(request, tmp_path_factory.mktemp("lost"))
        _MADE[database].world.services.database.close()
    return replace(_MADE[database], world=again(_MADE[database].world))


def _lose(request: pytest.FixtureRequest, folder: Path) -> Lost:
    world: World = request.getfixturevalue("world")
    sister: Callable[..., World] = request.getfixturevalue("sister")
    other = sister()
    other.services.keeping.restore(_backup(world, folder / "empty.zip"), actor="test")
    other.services.keeping.release(by="test")
    stranger = other.issue(sample(MEXICO)).pdf
    kept = world.issue(sample(KAZAKHSTAN)).pdf
    world.at += timedelta(hours=1)
    backup = _backup(world, folder / "backup.zip")
    world.at += timedelta(hours=1)
    gone = world.issue(sample(EMIRATES)).pdf
    world.at += timedelta(hours=1)
    restored = sister(folder=folder / "restored")
    restored.services.keeping.restore(backup, actor="test")
    return Lost(restored, kept, gone, stranger)


def _backup(world: World, path: Path) -> Path:
    world.services.keeping.backup(path)
    return path


@pytest.mark.parametrize("target", ["other", pytest.param("same", marks=pytest.mark.soak)])
def test_a_backup_is_restored_whole_on_either_database(
    world: World, sister: Callable[..., World], target: str, tmp_path: Path
) -> None:
    issued = world.issue(sample(KAZAKHSTAN))
    moved = sample(KAZAKHSTAN)
    moved["vehicles"], moved["supersedes"] = moved["vehicles"][2:], issued.number
    second = world.issue(moved, key="k")
    kinds = ["postgresql", "sqlite"] if world.database_url else ["sqlite", "postgresql"]
    restored = sister(kinds[target == "other"])
    restored.services.keeping.restore(_backup(world, tmp_path / "backup.zip"), actor="test")
    assert content(restored) == content(world)
    assert restored.services.issuing.fetch(issued.number) == issued.pdf
    assert restored.verify(second.pdf).notices == ("STANDING_INCOMPLETE",)
    restored.services.keeping.release(by="operator")
    assert restored.issue(moved, key="k").pdf == second.pdf
    restored.at += timedelta(hours=1)
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
    assert lost.world.verify(lost.kept).outcome is Outcome.PASS
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
    lost.world.at += timedelta(hours=1)
    assert lost.world.verify(lost.world.issue(sample(RUSSIA)).pdf).code is Code.VALID
    assert lost.world.verify(lost.lost).reason == "REGISTER_INCOMPLETE"
    with pytest.raises(NotFound):
        lost.world.services.keeping.release(by="operator")


def test_a_holder_s_file_closes_the_gap_for_its_number(lost: Lost) -> None:
    number = lost.world.services.reimporting.file(lost.lost, **TWO)
    verdict = lost.world.verify(lost.lost)
    assert (verdict.notices, verdict.number) == (("STANDING_INCOMPLETE",), number)
    assert lost.world.services.issuing.fetch(number) == lost.lost
    noted = lost.world.rows("SELECT actor, subject FROM audit WHERE event = 'confirmation.reimported'")
    assert noted == [("chen.sample", number)]
    with pytest.raises(Conflict, match="in the register"):
        lost.world.services.reimporting.file(lost.lost, **TWO)


def test_a_file_that_comes_back_has_the_place_again_that_its_paper_names(lost: Lost) -> None:
    (text,) = printed.codes(lost.lost)
    named = cose.decode(text).claims.status
    assert named is not None
    number = lost.world.services.reimporting.file(lost.lost, **TWO)
    with lost.world.services.database.read() as tx:
        assert status_lists.place(tx, number) == named
        assert status_lists.places(tx, named[0], gaps=(), at=lost.world.at)[named[1]] == Status.IN_FORCE
    assert lost.world.services.lookups.code(text).code is Code.PAPER_GENUINE


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
    assert restored.verify(issued.pdf).outcome is Outcome.PASS


CLOSING = Closing(by="chen.sample", second="lin.sample", reason="every exporter and mailbox was asked")


def everything_of(pdf: bytes, world: World) -> tuple[str, Asked]:
    """Return a file's number, and what its holder would ask of it."""
    confirmation = world.services.verifying.gather(pdf).content.confirmation
    assert confirmation is not None
    terms = confirmation.terms
    asked = Asked(
        vins=tuple(map(str, terms.vins)), destination=terms.destination.country.alpha2, exporter=terms.exporter.uscc
    )
    return confirmation.number, asked


def told(verdict: Verdict) -> dict[str, object]:
    """Return an answer without the moment of asking."""
    return verdict.model_copy(update={"checked_at": None}).model_dump()


def test_silence_proves_nothing_while_a_gap_is_open_whatever_is_asked_for(lost: Lost) -> None:
    """Unknown, lost, a wrong tail, pending: one answer, and it is not that there is no such record."""
    look_up = lost.world.services.lookups
    known, asked = everything_of(lost.kept, lost.world)
    gone, lost_asked = everything_of(lost.lost, lost.world)
    answers = [
        look_up.by_tail(gone, lost_asked.vins[0][-6:], network="n"),
        look_up.by_tail(Number.draw(lambda _: 7), "000000", network="n"),
        look_up.by_tail(known, "000000", network="n"),
        look_up.covered((gone,), lost_asked, network="n"),
        look_up.covered((known, gone), asked, network="n"),
    ]
    assert {(one.code, one.reason) for one in answers} == {(Code.INDETERMINATE, "REGISTER_INCOMPLETE")}
    assert [told(one) for one in answers] == [told(answers[0])] * len(answers)
    lost.world.services.keeping.release(by="operator")
    lost.world.services.keeping.close_gaps(CLOSING)
    assert look_up.by_tail(gone, lost_asked.vins[0][-6:], network="n").code is Code.NOT_ON_RECORD
    assert look_up.covered((gone,), lost_asked, network="n").code is Code.NOT_ON_RECORD


def test_a_licence_whose_confirmation_may_be_lost_is_not_refused(lost: Lost) -> None:
    gone, asked = everything_of(lost.lost, lost.world)
    scope = {
        "destination": asked.destination or "",
        "exporter": asked.exporter or "",
        "applied_on": lost.world.at.date(),
    }
    by_number = Question(vins=asked.vins, numbers=(gone,), **scope)
    by_file = Question(vins=asked.vins, files=(("a.pdf", lost.lost),), **scope)
    for question in (by_number, by_file):
        answer = lost.world.services.licence.check(question, network="n")
        assert (answer.outcome, {row.state for row in answer.rows}) == (Outcome.REVIEW, {"unproven"})
    lost.world.services.keeping.release(by="operator")
    lost.world.services.keeping.close_gaps(CLOSING)
    for question in (by_number, by_file):
        answer = lost.world.services.licence.check(question, network="n")
        assert (answer.outcome, {row.state for row in answer.rows}) == (Outcome.FAIL, {"missing"})


def test_what_a_gap_may_have_ended_is_never_plainly_valid(lost: Lost) -> None:
    """It may have been withdrawn between the backup and the restore: the answer says as of when it stands so."""
    number, asked = everything_of(lost.kept, lost.world)
    verdict = lost.world.verify(lost.kept)
    assert (verdict.code, verdict.notices) == (Code.VALID_WITH_NOTICE, ("STANDING_INCOMPLETE",))
    (restored_from,) = lost.world.rows("SELECT backup_at FROM restores")
    assert str(verdict.standing_as_of).startswith(restored_from[0][:10])
    assert "2026-11-22 12:00 (UTC+8)" in wording.sentence(verdict, "en")
    assert "2026-11-22 12:00 (UTC+8)" in wording.sentence(verdict, "zh")
    covered = lost.world.services.lookups.covered((number,), asked, network="n")
    assert (covered.code, covered.notices) == (Code.COVERED, ("STANDING_INCOMPLETE",))
    assert "As of 2026-11-22 12:00" in wording.sentence(covered, "en")
    assert "restored from a backup" in wording.sentence(covered, "en")
    on_record = lost.world.services.lookups.by_tail(number, asked.vins[0][-6:], network="n")
    assert (on_record.code, on_record.notices) == (Code.ON_RECORD, ("STANDING_INCOMPLETE",))
    lost.world.services.keeping.release(by="operator")
    lost.world.services.keeping.close_gaps(CLOSING)
    assert lost.world.verify(lost.kept).code is Code.VALID
    assert lost.world.services.lookups.covered((number,), asked, network="n").notices == ()


def test_a_standing_unheard_of_for_more_than_a_day_is_a_doubt_and_no_notice(
    world: World, sister: Callable[..., World], tmp_path: Path
) -> None:
    kept = world.issue(sample(KAZAKHSTAN)).pdf
    backup = _backup(world, tmp_path / "backup.zip")
    withdrawn = Number.parse(everything_of(kept, world)[0])
    wanted = Withdrawal(number=withdrawn, manufacturer=YUNZHOU, by="chen.sample", second="lin.sample", reason="fraud")
    world.services.ending.withdraw(wanted)
    restored = sister()
    restored.at = world.at + timedelta(hours=24, seconds=1)
    restored.services.keeping.restore(backup, actor="test")
    verdict = restored.verify(kept)
    assert (verdict.code, verdict.reason) == (Code.INDETERMINATE, "STANDING_INCOMPLETE")
    number, asked = everything_of(kept, restored)
    assert restored.services.lookups.covered((number,), asked, network="n").code is Code.INDETERMINATE
    restored.services.ending.withdraw(wanted)
    assert restored.verify(kept).code is Code.WITHDRAWN


def test_what_is_issued_after_a_restore_stands_as_it_says(lost: Lost) -> None:
    lost.world.services.keeping.release(by="operator")
    lost.world.at += timedelta(hours=1)
    assert lost.world.verify(lost.world.issue(sample(RUSSIA)).pdf).code is Code.VALID


def test_a_gap_is_closed_by_two_people_after_its_release_with_a_reason_and_for_good(lost: Lost) -> None:
    close = lost.world.services.keeping.close_gaps
    with pytest.raises(NotPermitted):
        close(Closing(by="lin.sample", second="lin.sample", reason=CLOSING.reason))
    with pytest.raises(InvalidInput):
        close(Closing(by="chen.sample", second="lin.sample", reason="  so   "))
    with pytest.raises(NotFound):
        close(Closing(by="chen.sample", second="nobody", reason=CLOSING.reason))
    with pytest.raises(Conflict, match="release"):
        close(CLOSING)
    lost.world.services.keeping.release(by="operator")
    assert close(CLOSING) == 1
    noted = lost.world.rows("SELECT actor, detail FROM audit WHERE event = 'register.gap-closed' ORDER BY id")
    assert [actor for actor, _ in noted] == ["chen.sample", "lin.sample"]
    assert all(CLOSING.reason in detail for _, detail in noted)
    with pytest.raises(NotFound, match="no gap"):
        close(CLOSING)
    assert lost.world.verify(lost.lost).code is Code.NOT_REGISTERED


def test_a_restored_backup_of_a_restored_register_keeps_its_open_gap(
    lost: Lost, sister: Callable[..., World], tmp_path: Path
) -> None:
    lost.world.services.keeping.release(by="operator")
    lost.world.at += timedelta(hours=1)
    again = sister()
    again.at = lost.world.at
    again.services.keeping.restore(_backup(lost.world, tmp_path / "again.zip"), actor="test")
    assert again.verify(lost.lost).reason == "REGISTER_INCOMPLETE"
    again.services.keeping.release(by="operator")
    assert again.services.keeping.close_gaps(CLOSING) == 2


def test_after_a_release_every_sealed_file_is_read_once(lost: Lost) -> None:
    lost.world.services.keeping.release(by="operator")
    lost.world.services.working.run_due()
    assert [job.progress for job in lost.world.services.working.all() if job.kind == "scrub"] == ["1 sound"]


@pytest.fixture
def unsure(
    world: World, sister: Callable[..., World], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> tuple[World, Number, bytes]:
    """A restored register that holds a number as pending, of which the holder has the file."""
    seal = world.services.issuing._seals.seal

    def then(*a: object, **k: object) -> object:
        _backup(world, tmp_path / "pending.zip")
        return seal(*a, **k)  # type: ignore[arg-type]

    monkeypatch.setattr(world.services.issuing._seals, "seal", then)
    issued = world.issue(sample(KAZAKHSTAN))
    restored = sister()
    restored.at += timedelta(hours=1)
    restored.services.keeping.restore(tmp_path / "pending.zip", actor="test")
    restored.services.keeping.release(by="operator")
    return restored, issued.number, issued.pdf


def test_a_number_pending_since_before_a_restore_keeps_the_gap_open_until_it_is_settled(
    unsure: tuple[World, Number, bytes],
) -> None:
    restored, number, pdf = unsure
    with pytest.raises(Conflict, match=number):
        restored.services.keeping.close_gaps(CLOSING)
    with pytest.raises(Conflict, match="backup"):
        restored.services.maintaining.settle_one(number)
    restored.services.reimporting.file(pdf, **TWO)
    assert restored.services.keeping.close_gaps(CLOSING) == 1
    assert restored.verify(pdf).code is Code.VALID


def test_a_number_pending_since_before_a_restore_is_abandoned_by_two_people_and_its_vehicles_are_free(
    unsure: tuple[World, Number, bytes],
) -> None:
    restored, number, pdf = unsure
    abandon, reason = restored.services.ending.abandon, "the exporter never received it"
    alone = Abandonment(number=number, manufacturer=YUNZHOU, by="chen.sample", reason=reason)
    with pytest.raises(NotPermitted, match="--second"):
        abandon(alone)
    with pytest.raises(NotPermitted):
        abandon(Abandonment(number=number, manufacturer=YUNZHOU, by="lin.sample", second="lin.sample", reason=reason))
    with pytest.raises(NotPermitted, match="approver"):
        abandon(Abandonment(number=number, manufacturer=YUNZHOU, by="lin.sample", second="chen.sample", reason=reason))
    with pytest.raises(InvalidInput):
        abandon(Abandonment(number=number, manufacturer=YUNZHOU, by="chen.sample", second="lin.sample", reason="no"))
    with pytest.raises(NotPermitted):
        abandon(Abandonment(number=number, manufacturer=BEICHEN, by="chen.sample", second="lin.sample", reason=reason))
    with pytest.raises(NotFound):
        abandon(Abandonment(number=number, manufacturer=BEICHEN, by="he.sample", second="sun.sample", reason=reason))
    abandon(Abandonment(number=number, manufacturer=YUNZHOU, by="chen.sample", second="lin.sample", reason=reason))
    noted = restored.rows("SELECT actor, detail FROM audit WHERE event = 'confirmation.abandoned'")
    assert [(actor, '"second": "lin.sample"' in detail) for actor, detail in noted] == [("chen.sample", True)]
    assert restored.verify(pdf).code is Code.NOT_ISSUED
    assert restored.services.keeping.close_gaps(CLOSING) == 1
    assert restored.issue(sample(KAZAKHSTAN)).number != number


def test_one_person_abandons_what_is_pending_and_nothing_that_was_issued(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as cut:
        cut.setattr(world.services.issuing._sealing, "complete", _cut_off)
        with pytest.raises(KeyboardInterrupt):
            world.issue(sample(KAZAKHSTAN))
    ((number,),) = world.rows("SELECT number FROM confirmations")
    wanted = Abandonment(number=Number(number), manufacturer=YUNZHOU, by="chen.sample", reason="wrong vehicles typed")
    world.services.ending.abandon(wanted)
    with pytest.raises(NotFound, match="not pending"):
        world.services.ending.abandon(wanted)
    issued = world.issue(sample(KAZAKHSTAN))
    with pytest.raises(NotFound, match="not pending"):
        world.services.ending.abandon(replace(wanted, number=issued.number))
    assert world.verify(issued.pdf).code is Code.VALID


def _cut_off(_work: object) -> None:
    raise KeyboardInterrupt
