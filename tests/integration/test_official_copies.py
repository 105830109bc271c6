"""Official copies: two people file what the manufacturer sealed itself; that file, and no other, brings the record."""

from __future__ import annotations

import hashlib
import io
import sqlite3
import zipfile
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

import psycopg
import pytest
from world import BEICHEN, EMIRATES, KAZAKHSTAN, PEOPLE, YUNZHOU, World, sample

from signer.domain.evidence import State
from signer.domain.number import Number
from signer.domain.verdict import Code
from signer.errors import Conflict, InvalidInput, NotFound, NotPermitted, SignerError, TooLarge
from signer.seal.precheck import MOST_BYTES
from signer.services.official import Place
from signer.services.withdraw import Withdrawal

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from signer.services.sealing import Issued

CHEN, LIN = PEOPLE[YUNZHOU]
SCAN = b"\x89PNG\r\n\x1a\n a scan of the chopped print form"
REFUSED = (sqlite3.Error, psycopg.Error)


def ofd() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("OFD.xml", "<ofd:OFD/>")
        archive.writestr("Doc_0/Document.xml", "<ofd:Document/>")
    return out.getvalue()


@dataclass
class Desk:
    """A confirmation, and two people with a scan of it."""

    world: World
    issued: Issued

    @property
    def number(self) -> Number:
        return self.issued.number

    def place(self, by: str = CHEN, *, number: Number | None = None, manufacturer: str = YUNZHOU) -> Place:
        return Place(number=number or self.number, manufacturer=manufacturer, by=by)

    def offer(self, data: bytes = SCAN, by: str = CHEN) -> bytes:
        return self.world.services.copying.offer(self.place(by), data)

    def file(self, data: bytes = SCAN) -> bytes:
        digest = self.offer(data)
        self.world.services.copying.compare(self.place(LIN), digest)
        return digest


@pytest.fixture
def desk(world: World) -> Desk:
    return Desk(world, world.issue(sample(KAZAKHSTAN)))


@pytest.mark.parametrize("data", [SCAN, b"\xff\xd8\xff\xe0 JPEG", ofd(), b"%PDF-1.7 sealed elsewhere"])
def test_a_filed_copy_brings_the_record_and_is_not_parsed(
    desk: Desk, data: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = desk.world.verify(data)
    desk.file(data)
    monkeypatch.setattr(desk.world.services.verifying, "_judge", None)
    verdict = desk.world.verify(data)
    assert before.code in (Code.UNREADABLE, Code.NOT_A_CONFIRMATION)
    assert (verdict.code, verdict.subject, verdict.number, verdict.test) == (
        Code.OFFICIAL_COPY,
        "file",
        desk.number,
        True,
    )
    assert verdict.confirmation is not None
    assert (verdict.confirmation.number, len(verdict.lines)) == (desk.number, 3)
    assert (verdict.parts.integrity, verdict.parts.seal, verdict.parts.standing) == (
        State.PASSED,
        State.UNDETERMINED,
        State.PASSED,
    )
    assert (verdict.seal_report, verdict.sealed_at, verdict.proven_at, verdict.proven_by) == (None, None, None, None)


def test_one_more_byte_is_another_file(desk: Desk) -> None:
    desk.file()
    assert desk.world.verify(SCAN + b"\0").code is Code.UNREADABLE
    assert desk.world.verify(SCAN[:-1]).code is Code.UNREADABLE


def test_a_candidate_is_as_if_unknown(desk: Desk) -> None:
    unknown = desk.world.verify(SCAN), desk.world.services.lookups.digest(hashlib.sha256(SCAN).hexdigest())
    digest = desk.offer()
    assert (desk.world.verify(SCAN), desk.world.services.lookups.digest(digest.hex())) == unknown


def test_a_digest_alone_says_on_record_the_file_itself_says_official_copy(desk: Desk) -> None:
    digest = desk.file()
    found = desk.world.services.lookups.digest(digest.hex())
    assert (found.code, found.subject, found.number) == (Code.ON_RECORD, "digest", desk.number)


def test_what_is_asked_is_compared_with_the_record(desk: Desk) -> None:
    desk.file()
    vins = sample(KAZAKHSTAN)["vehicles"]
    some = desk.world.verify(SCAN, vins=(vins[0]["vin"],), destination="KZ")
    assert (some.code, some.coverage.vins[0].state, some.coverage.destination) == (
        Code.OFFICIAL_COPY,
        "matched",
        "equal",
    )
    assert len(some.coverage.extra) == 2
    assert desk.world.verify(SCAN, vins=("1M8GDM9AXKP042788",)).code is Code.NOT_COVERED
    assert desk.world.verify(SCAN, destination="UZ").reason == "OTHER_COUNTRY"


def test_the_standing_overrides_whatever_was_filed(desk: Desk) -> None:
    desk.file()
    ending = desk.world.services.ending
    ending.suspend(desk.number, manufacturer=YUNZHOU, by=CHEN)
    suspended = desk.world.verify(SCAN)
    assert (suspended.code, suspended.reason) == (Code.INDETERMINATE, "SUSPENDED")
    ending.lift(desk.number, manufacturer=YUNZHOU, by=LIN)
    assert desk.world.verify(SCAN).code is Code.OFFICIAL_COPY
    ending.withdraw(Withdrawal(number=desk.number, manufacturer=YUNZHOU, by=CHEN, second=LIN, reason="fraud"))
    withdrawn = desk.world.verify(SCAN)
    assert (withdrawn.code, withdrawn.reason, withdrawn.ended_at) == (Code.WITHDRAWN, "FRAUD", desk.world.at)


def test_a_superseded_copy_names_its_successor_to_who_names_the_exporter(desk: Desk) -> None:
    desk.file()
    newer = desk.world.issue({**sample(KAZAKHSTAN), "supersedes": desk.number})
    silent = desk.world.verify(SCAN)
    told = desk.world.verify(SCAN, exporter=sample(KAZAKHSTAN)["exporter"])
    assert (silent.code, silent.successor) == (Code.SUPERSEDED, None)
    assert (told.code, told.successor) == (Code.SUPERSEDED, newer.number)


def test_past_its_last_day_a_copy_is_amber(desk: Desk) -> None:
    desk.file()
    desk.world.at += timedelta(days=3650)
    assert desk.world.verify(SCAN).code is Code.PAST_END


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"by": LIN}, "another person"),
        ({"by": CHEN}, "not approver"),
        ({"by": "sun.sample"}, "not approver"),
        ({"by": "nobody"}, "nobody"),
        ({"by": "sun.sample", "manufacturer": BEICHEN}, "no confirmation"),
        ({"by": LIN, "number": Number("00000-00000-0000")}, "no confirmation"),
    ],
)
def test_only_another_approver_of_the_same_manufacturer_files_it(
    desk: Desk, change: dict[str, str], error: str
) -> None:
    digest = desk.offer(by=LIN)
    with pytest.raises((NotPermitted, NotFound), match=error):
        desk.world.services.copying.compare(desk.place(**change), digest)  # type: ignore[arg-type]
    assert desk.world.verify(SCAN).code is Code.UNREADABLE


def test_nobody_of_another_manufacturer_offers_lists_or_fetches(desk: Desk) -> None:
    digest, copying = desk.file(), desk.world.services.copying
    with pytest.raises(NotPermitted):
        copying.offer(desk.place("he.sample"), b"\xff\xd8\xff other")
    with pytest.raises(NotFound):
        copying.offer(desk.place("he.sample", manufacturer=BEICHEN), b"\xff\xd8\xff other")
    for ask in (
        lambda: copying.all(desk.number, manufacturer=BEICHEN),
        lambda: copying.fetch(desk.number, digest, manufacturer=BEICHEN),
        lambda: copying.print_form(desk.number, manufacturer=BEICHEN),
        lambda: copying.retract(desk.place("he.sample", manufacturer=BEICHEN), digest, second="sun.sample"),
    ):
        with pytest.raises(NotFound):
            ask()
    assert copying.fetch(desk.number, digest, manufacturer=YUNZHOU) == SCAN


def test_a_file_that_counts_under_one_number_counts_under_no_other(desk: Desk) -> None:
    other = desk.world.issue(sample(EMIRATES))
    he, sun = PEOPLE[BEICHEN]
    there = {"number": other.number, "manufacturer": BEICHEN}
    waiting = desk.world.services.copying.offer(desk.place(he, **there), SCAN)  # type: ignore[arg-type]
    desk.file()
    with pytest.raises(Conflict, match="another number"):
        desk.world.services.copying.compare(desk.place(sun, **there), waiting)  # type: ignore[arg-type]
    with pytest.raises(Conflict, match="already"):
        desk.offer()
    assert desk.world.verify(SCAN).number == desk.number


def test_what_is_no_official_copy_is_refused_and_leaves_nothing(desk: Desk) -> None:
    sealed, form = desk.issued.pdf, desk.world.services.copying.print_form(desk.number, manufacturer=YUNZHOU)
    other = desk.world.issue(sample(EMIRATES)).pdf
    cases: list[tuple[bytes, type[SignerError], str]] = [
        (b"", InvalidInput, "neither"),
        (b"PK\x03\x04 word/document.xml", InvalidInput, "neither"),
        (b"<svg/>", InvalidInput, "neither"),
        (SCAN.ljust(MOST_BYTES + 1), TooLarge, "20000000"),
        (sealed, InvalidInput, "itself"),
        (other, InvalidInput, "itself"),
        (sealed + b"%archived by others\n", InvalidInput, "something added"),
        (form, InvalidInput, "print form itself"),
    ]
    for data, error, words in cases:
        with pytest.raises(error, match=words):
            desk.offer(data)
    assert desk.world.rows("SELECT count(*) FROM official_copies") == [(0,)]
    assert desk.world.services.keeping.scrub().orphans == ()


def test_what_was_never_issued_has_neither_copy_nor_print_form(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(desk.world.services.issuing._sealing, "complete", lambda work: work)
    number = desk.world.issue(sample(EMIRATES)).number
    place = desk.place("he.sample", number=number, manufacturer=BEICHEN)
    with pytest.raises(Conflict, match="never issued"):
        desk.world.services.copying.offer(place, SCAN)
    with pytest.raises(Conflict, match="pending"):
        desk.world.services.copying.print_form(number, manufacturer=BEICHEN)


def test_a_copy_filed_by_mistake_is_retracted_by_two_and_may_be_filed_again(desk: Desk) -> None:
    copying, digest = desk.world.services.copying, desk.file()
    with pytest.raises(NotPermitted):
        copying.retract(desk.place(LIN), digest, second=LIN)
    copying.retract(desk.place(CHEN), digest, second=LIN)
    assert desk.world.verify(SCAN).code is Code.UNREADABLE
    with pytest.raises(NotFound):
        copying.compare(desk.place(LIN), digest)
    assert desk.file() == digest
    assert desk.world.verify(SCAN).code is Code.OFFICIAL_COPY
    assert [copy.is_filed for copy in copying.all(desk.number, manufacturer=YUNZHOU)] == [False, True]


def test_each_step_stands_in_the_audit(desk: Desk) -> None:
    digest = desk.file()
    desk.world.services.copying.retract(desk.place(CHEN), digest, second=LIN)
    noted = desk.world.rows("SELECT event, actor, subject FROM audit WHERE event LIKE 'copy.%' ORDER BY id")
    assert noted == [
        ("copy.offered", CHEN, desk.number),
        ("copy.filed", LIN, desk.number),
        ("copy.retracted", CHEN, desk.number),
    ]


ROW = "INSERT INTO official_copies (confirmation_id, file_digest, kind, size, offered_by, offered_at"
ROW_FILED = f"{ROW}, compared_by, compared_at)"
TABLE = "official_copies"
AT = "'2026-11-22T03:00:00.000000Z'"


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        ("DELETE FROM official_copies", "never deleted"),
        ("UPDATE official_copies SET size = 1", "never changes"),
        ("UPDATE official_copies SET offered_by = 'sun.sample'", "never changes"),
        ("UPDATE official_copies SET compared_by = 'sun.sample'", "once"),
        ("UPDATE official_copies SET compared_by = NULL, compared_at = NULL", "once"),
        (f"UPDATE official_copies SET retracted_by = '{LIN}', retracted_at = {AT}", "ck_official_copies_retracted"),
        (
            f"UPDATE official_copies SET retracted_by = '{LIN}', retracted_second = '{LIN}', retracted_at = {AT}",
            "retract_four_eyes",
        ),
        (
            f"{ROW_FILED} SELECT confirmation_id, file_digest, 'pdf', 1, '{CHEN}', {AT}, '{LIN}', {AT} FROM {TABLE}",
            "(?i)unique",
        ),
        (f"{ROW}) SELECT confirmation_id, file_digest, 'pdf', 1, '{CHEN}', {AT} FROM official_copies", "(?i)unique"),
        (f"{ROW}) SELECT confirmation_id, file_digest, 'pdf', 1, '{CHEN}', {AT} FROM files", "sealed file of ours"),
        (f"{ROW}) SELECT id, content_digest, 'gif', 1, '{CHEN}', {AT} FROM confirmations", "ck_official_copies_kind"),
        (
            f"{ROW_FILED} SELECT id, content_digest, 'pdf', 1, '{LIN}', {AT}, '{LIN}', {AT} FROM confirmations",
            "four_eyes",
        ),
    ],
)
def test_the_database_itself_holds_what_was_filed(desk: Desk, statement: str, message: str) -> None:
    desk.file()
    with pytest.raises(REFUSED, match=message):
        desk.world.change(statement)


def test_no_word_follows_a_retraction(desk: Desk) -> None:
    digest = desk.offer()
    desk.world.services.copying.retract(desk.place(CHEN), digest, second=LIN)
    with pytest.raises(REFUSED, match="once"):
        desk.world.change(f"UPDATE official_copies SET compared_by = '{LIN}', compared_at = {AT}")


def test_backup_restore_and_scrub_know_the_copies(desk: Desk, sister: Callable[..., World], tmp_path: Path) -> None:
    desk.file()
    waiting = desk.offer(b"\xff\xd8\xff waits")
    assert (desk.world.services.keeping.scrub().sound, desk.world.services.keeping.scrub().orphans) == (3, ())
    assert desk.world.services.keeping.backup(tmp_path / "backup.zip").missing == ()
    restored = sister()
    restored.services.keeping.restore(tmp_path / "backup.zip", actor="test")
    assert restored.services.keeping.scrub().sound == 3
    restored.at += timedelta(minutes=1)
    restored.services.copying.compare(desk.place(LIN), waiting)
    assert restored.verify(b"\xff\xd8\xff waits").number == desk.number


def test_scrub_names_a_copy_that_is_damaged(desk: Desk) -> None:
    desk.world.overrides = {"SIGNER_BLOB_URL": "disk:"}
    desk.world.rewire()
    digest = desk.offer().hex()
    (desk.world.folder / "blobs" / digest[:2] / digest).write_bytes(b"")
    assert desk.number in desk.world.services.keeping.scrub().damaged
    assert digest not in desk.world.services.keeping.scrub().orphans
