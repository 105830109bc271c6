"""An offline bundle says what its register said: every kind of record, every kind of change, and nothing more."""

from __future__ import annotations

import io
from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from world import AT, BEICHEN, EMIRATES, KAZAKHSTAN, PEOPLE, RUSSIA, TIANSHAN, YUNZHOU, World, fresh, sample

from signer.domain.evidence import Asked
from signer.domain.verdict import Code
from signer.register import upgrades
from signer.seal import trust, validate
from signer.services.official import Place
from signer.services.withdraw import Withdrawal
from signer.wiring import Offline, wire_offline

if TYPE_CHECKING:
    from pathlib import Path

    from signer.domain.verdict import Verdict
    from signer.services.sealing import Issued
    from signer.services.shelf import Taken

CHEN, LIN = PEOPLE[YUNZHOU]
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
SCAN, OTHER_SCAN = b"\x89PNG\r\n\x1a\n a scan of the chopped print form", b"\x89PNG\r\n\x1a\n another scan"


class Desk:
    """A register that makes bundles, and verifiers far from it that have its root and nothing else."""

    def __init__(self, world: World, folder: Path) -> None:
        self.world = world
        self.folder = folder
        self.root = trust.read_root(world.settings.trust_root_path.read_bytes())
        self.made = 0

    def bundle(self, since: Any = None, **more: Any) -> bytes:
        path = self.folder / f"{self.made}.bundle"
        self.made += 1
        self.world.services.bundling.make(path, since=since, **more)
        return path.read_bytes()

    def verifier(self, *bundles: bytes, at: Any = None) -> Offline:
        folder = self.folder / f"verifier-{self.made}"
        self.made += 1
        clock = (lambda: at) if at else (lambda: self.world.at)
        offline = wire_offline(self.world.settings, folder=folder, clock=clock, judge=validate.validate)
        for each in bundles:
            take(offline, each, self.root)
        return offline

    def withdraw(self, issued: Issued, *vins: str) -> None:
        order = Withdrawal(number=issued.number, manufacturer=YUNZHOU, by=CHEN, second=LIN, reason="error", vins=vins)
        self.world.services.ending.withdraw(order)

    def suspend(self, issued: Issued) -> None:
        self.world.services.ending.suspend(issued.number, manufacturer=YUNZHOU, by=CHEN)

    def file_copy(self, issued: Issued, data: bytes = SCAN) -> bytes:
        places = [Place(number=issued.number, manufacturer=YUNZHOU, by=who) for who in (CHEN, LIN)]
        digest = self.world.services.copying.offer(places[0], data)
        self.world.services.copying.compare(places[1], digest)
        return digest

    def retract_copy(self, issued: Issued, digest: bytes) -> None:
        place = Place(number=issued.number, manufacturer=YUNZHOU, by=CHEN)
        self.world.services.copying.retract(place, digest, second=LIN)


def take(offline: Offline, data: bytes, *roots: trust.RootKey) -> Taken:
    return offline.shelf.take(io.BytesIO(data), pinned=roots)


def lines(offline: Offline) -> list[bytes]:
    (issuer,) = offline.shelf.issuers()
    return list(issuer.kept.lines())


ONLINE_OR_OFF = ("standing-current", "log-issued")
"""Checks of which one is asked offline only, the other online only: a bundle holds no log."""


def told(verdict: Verdict) -> tuple[object, ...]:
    """What must be equal online and offline at equal data time."""
    return (
        verdict.code,
        verdict.reason,
        verdict.would_be,
        verdict.notices,
        verdict.number,
        verdict.issuer,
        verdict.parts,
        verdict.coverage,
        verdict.sealed_at,
        verdict.proven_at,
        verdict.proven_by,
        verdict.confirmation,
        verdict.lines,
        verdict.ended_at,
        verdict.end_reason,
        verdict.successor,
        verdict.seal_report,
        [(check.id, check.state, check.reason) for check in verdict.checks if check.id not in ONLINE_OR_OFF],
    )


@pytest.fixture
def desk(world: World, tmp_path: Path) -> Desk:
    return Desk(world, tmp_path)


def test_every_change_is_in_the_delta_and_every_verdict_is_that_of_the_register(desk: Desk) -> None:
    life = Life(desk)
    base, since = desk.bundle(), desk.world.at
    life.goes_on()
    delta, full = desk.bundle(since), desk.bundle()
    whole, patched = desk.verifier(full), desk.verifier(base, delta)
    assert lines(patched) == lines(whole)
    assert life.untouched.number.encode() in base
    assert life.untouched.number.encode() not in delta
    found = set()
    questions = (Asked(vins=vins(1)[:1], destination="KZ", exporter=TIANSHAN), Asked(vins=vins(1)[1:2]))
    for place, pdf in enumerate(life.files):
        for asked in (Asked(), *questions) if place < 3 else (Asked(),):
            online = desk.world.services.verifying.file(pdf, asked)
            assert told(patched.verifying.file(pdf, asked)) == told(online)
            found.add((online.code, online.reason))
    assert {
        (Code.VALID, None),
        (Code.WITHDRAWN, "ERROR"),
        (Code.INDETERMINATE, "PARTLY_WITHDRAWN"),
        (Code.INDETERMINATE, "SUSPENDED"),
        (Code.INDETERMINATE, "VIN_CONFLICT"),
        (Code.INDETERMINATE, "TRY_LATER"),
        (Code.SEAL_REVOKED, "SEAL_REVOKED"),
        (Code.NOT_COVERED, "VIN_NOT_LISTED"),
        (Code.NOT_ISSUED, "ABANDONED"),
        (Code.NOT_REGISTERED, "NUMBER_UNKNOWN"),
        (Code.UNREADABLE, "MALFORMED"),
    } <= found
    online, offline = desk.world.services.verifying.file(SCAN), patched.verifying.file(SCAN)
    assert (offline.code, offline.issuer, offline.number) == (Code.OFFICIAL_COPY, online.issuer, online.number)
    assert patched.verifying.file(SCAN, Asked(destination="KZ")).reason == "CONTENT_NOT_KNOWN"


class Life:
    """What may become of confirmations, before a bundle is made and after."""

    def __init__(self, desk: Desk) -> None:
        self.desk, world = desk, desk.world
        self.papers = [world.issue(fresh(KAZAKHSTAN, turn)) for turn in range(9)]
        self.withdrawn, self.partly, self.suspended, self.resumed, self.lapsed = self.papers[:5]
        self.copied, self.retracted, self.contested, self.untouched = self.papers[5:]
        self.beichen = world.issue(sample(EMIRATES))
        self.abandoned = _leave_pending(world, 31)
        self.unknown = _forget(world, world.issue(fresh(KAZAKHSTAN, 32)))
        desk.suspend(self.resumed)
        desk.suspend(self.lapsed)
        self.digest = desk.file_copy(self.retracted, OTHER_SCAN)
        world.at += 2 * HOUR

    def goes_on(self) -> None:
        """Change whatever can change, each record in another way; and let the register's own time pass."""
        desk, world = self.desk, self.desk.world
        world.at += 2 * HOUR
        desk.withdraw(self.withdrawn)
        desk.withdraw(self.partly, vins(1)[1])
        desk.suspend(self.suspended)
        world.services.ending.lift(self.resumed.number, manufacturer=YUNZHOU, by=LIN)
        desk.retract_copy(self.retracted, self.digest)
        desk.file_copy(self.copied)
        newer = fresh(KAZAKHSTAN, 1) | {"supersedes": self.partly.number}
        newer["vehicles"] = newer["vehicles"][2:]
        self.newer, late = world.issue(newer), world.issue(sample(RUSSIA))
        _archive(world, late)
        _claim_elsewhere(world, vins(7)[0], world.issue(fresh(EMIRATES, 21)))
        world.services.ending.suspend_seal(_seal_of(world, late), manufacturer=BEICHEN, by=PEOPLE[BEICHEN][0])
        _revoke(world, late)
        world.services.redacting.person(PEOPLE[BEICHEN][1], by="operator")
        world.at += 71 * HOUR
        if world.database_url:
            world.services.maintaining.end_suspensions()  # else time alone has ended them
        world.services.maintaining.settle()
        held, pending = world.issue(fresh(KAZAKHSTAN, 20)), _leave_pending(world, 30)
        desk.suspend(held)
        world.at += MINUTE
        self.files = [paper.pdf for paper in (*self.papers, self.beichen, self.newer, late, held)]
        self.files += [pending, self.abandoned, self.unknown, OTHER_SCAN, b"%PDF-"]


def vins(turn: int) -> tuple[str, ...]:
    return tuple(vehicle["vin"] for vehicle in fresh(KAZAKHSTAN, turn)["vehicles"])


def _archive(world: World, issued: Issued) -> None:
    """Record a copy of the file, as renewing it would."""
    facts = world.services.verifying.gather(issued.pdf)
    (row,) = world.rows(f"SELECT id FROM confirmations WHERE number = '{issued.number}'")
    due = upgrades.Due(
        number=issued.number,
        confirmation_id=row[0],
        seal_digest=facts.seal.certificate_digest or "",
        file_digest=bytes.fromhex(facts.file.file_digest),
        sealed_digest=bytes.fromhex(facts.file.sealed_digest or ""),
        sealed_length=facts.seal.sealed_length or 0,
        is_archived=False,
    )
    copy = upgrades.Copy(
        file_digest=b"\7" * 32, size=9, level="B-LTA", timestamp_at=world.at, holds_until=world.at + 90 * 24 * HOUR
    )
    with world.services.database.write() as tx:
        upgrades.record(tx, due, copy, at=world.at)


def _forget(world: World, issued: Issued) -> bytes:
    """Take a confirmation out of the register, as if another one had issued it by the same keys."""
    for table in ("files", "lines", "confirmations", "log_leaves"):
        world.change(f"DROP TRIGGER tr_{table}_no_delete" + (f" ON {table}" if world.database_url else ""))
    world.change("DROP TRIGGER tr_log_queue_logged" + (" ON log_queue" if world.database_url else ""))
    (row,) = world.rows(f"SELECT id FROM confirmations WHERE number = '{issued.number}'")
    for table in ("files", "lines", "vin_claims", "log_queue", "log_leaves", "status_entries"):
        world.change(f"DELETE FROM {table} WHERE confirmation_id = {row[0]}")
    world.change(f"DELETE FROM confirmations WHERE id = {row[0]}")
    return issued.pdf


def _leave_pending(world: World, turn: int) -> bytes:
    """Seal a file, and lose its process before it is stored: the number stays pending, the file escaped."""
    escaped: list[bytes] = []

    def lost(data: bytes) -> bytes:
        escaped.append(data)
        raise KeyboardInterrupt

    blobs = world.services.issuing._sealing._blobs
    kept, blobs.put = blobs.put, lost  # type: ignore[method-assign]
    with suppress(KeyboardInterrupt):
        world.issue(fresh(KAZAKHSTAN, turn))
    blobs.put = kept  # type: ignore[method-assign]
    return escaped[0]


def _seal_of(world: World, issued: Issued) -> str:
    return world.services.verifying.gather(issued.pdf).seal.certificate_digest or ""


def _revoke(world: World, issued: Issued) -> None:
    """Keep an answer that the seal's certificate was revoked before it sealed."""
    spoken = upgrades.Spoken(
        certificate_digest=_seal_of(world, issued),
        kind="crl",
        data=b"0\0",
        this_update=world.at,
        revoked_at=AT - HOUR,
    )
    with world.services.database.write() as tx:
        upgrades.keep_answer(tx, spoken, at=world.at)


def _claim_elsewhere(world: World, vin: str, theirs: Issued) -> None:
    """Let what another manufacturer has just issued name a vehicle of ours: our record itself is not touched."""
    (number_of,) = world.rows(f"SELECT id FROM confirmations WHERE number = '{theirs.number}'")
    ((first,),) = world.rows(f"SELECT vin FROM lines WHERE confirmation_id = {number_of[0]} AND position = 1")
    world.change("DROP TRIGGER tr_lines_content" + (" ON lines" if world.database_url else ""))
    world.change(f"UPDATE lines SET vin = '{vin}' WHERE vin = '{first}'")
    world.change(f"UPDATE vin_claims SET vin = '{vin}' WHERE vin = '{first}'")
