"""Keep the register from being lost: back it up while it runs, restore it, release it, look through its files."""

from __future__ import annotations

import hashlib
import os
import secrets
import zipfile
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from signer.domain.confirmation import Standing
from signer.domain.trust import SealState
from signer.errors import Conflict, InvalidInput, NotFound, NotPermitted, StorageUnavailable
from signer.register import (
    archive,
    audit,
    confirmations,
    endings,
    jobs,
    lookup,
    official,
    parties,
    restores,
    status_lists,
)
from signer.register import journal as journals
from signer.register.blobs import sync_folder
from signer.register.scope import Scope

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from pathlib import Path

    from signer.domain.number import Number
    from signer.register.archive import Manifest
    from signer.register.blobs import Blobs
    from signer.register.database import Database, Transaction
    from signer.register.journal import Entry, Journal


_ALL = Scope.everything("a backup, a scrub or a closed gap is the whole register's")

_TOLD_EVERY = 200
_HELD = (Standing.ISSUED, Standing.SUSPENDED)
JOURNAL_SLACK = timedelta(minutes=15)
"""A line of the journal is older than its commit, and a clock may differ: one from so long before a backup counts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scrubbed:
    """What a look through the sealed files found; orphans were stored, but what they were for was never recorded."""

    sound: int
    damaged: tuple[Number, ...]
    missing: tuple[Number, ...]
    orphans: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Restored:
    """
    What was restored, and what is held on the journal's word: numbers, and seals by their certificates' SHA-256.

    `damaged` counts lines of the journal that are not whole, or do not follow the one before.
    """

    manifest: Manifest
    held: tuple[Number, ...]
    held_seals: tuple[str, ...]
    damaged: int


class Keeping:
    """Back up, restore, release, scrub."""

    def __init__(self, *, database: Database, blobs: Blobs, journal: Journal, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._journal = journal
        self._blobs = blobs
        self._clock = clock

    def backup(self, path: Path) -> Manifest:
        """
        Write everything of one moment into one file, which is there whole or not at all; the service may run on.

        Raises InvalidInput if the file is there already, StorageUnavailable.
        """
        if path.exists():
            raise InvalidInput("FILE", f"{path} is there already")
        half = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
        try:
            at = self._clock()
            revision = self._database.version() or ""
            with self._database.read() as tx:
                manifest = archive.write(half, tx, self._blobs, revision=revision, at=at)
            with half.open("rb") as written:
                os.fsync(written.fileno())
            half.replace(path)
            sync_folder(path.parent)
        except OSError as error:
            raise StorageUnavailable(f"{path} cannot be written: {error.strerror}") from error
        finally:
            half.unlink(missing_ok=True)
        return manifest

    def restore(self, path: Path, *, actor: str) -> Restored:
        """
        Fill an empty deployment from a backup; what was issued since is a gap, and issuing waits for a release.

        What the journal in the data folder says was ended or suspended since the backup is held until somebody ends or
        resumes it.
        Raises InvalidInput for a damaged backup (nothing was changed then), Conflict for a register that is not empty.
        """
        try:
            with zipfile.ZipFile(path) as opened:
                return self._restore(opened, path, actor)
        except (OSError, zipfile.BadZipFile) as error:
            raise InvalidInput("FILE", f"{path} is no backup of ours: {error}") from error

    def _restore(self, opened: zipfile.ZipFile, path: Path, actor: str) -> Restored:
        manifest, written = archive.check(opened), self._journal.read()
        with self._database.read() as tx:
            archive.refuse_filled(tx)
        self._database.move(manifest.revision)
        for data in archive.sealed_files(opened, manifest):
            self._blobs.put(data)
        made = restores.Restore(backup_at=manifest.backup_at, restored_at=self._clock(), archive_digest=_digest(path))
        with self._database.write() as tx:
            archive.refuse_filled(tx)
            archive.load(opened, manifest, tx)
            restores.note(tx, made)
            subject = manifest.backup_at.isoformat()
            audit.note(tx, "register.restored", actor=actor, subject=subject, at=made.restored_at, manufacturer_id=None)
        self._database.upgrade()
        since = [entry for entry in written.entries if entry.at >= manifest.backup_at - JOURNAL_SLACK]
        numbers, seals = self._hold(since, at=made.restored_at)
        return Restored(manifest=manifest, held=numbers, held_seals=seals, damaged=written.damaged)

    def _hold(self, since: list[Entry], *, at: datetime) -> tuple[tuple[Number, ...], tuple[str, ...]]:
        """Suspend what a journal says was not in force any more, until somebody says more; give no place twice."""
        with self._database.write() as tx:
            status_lists.begin_anew(tx, at=at)
            numbers = tuple(
                number
                for number, vins in sorted(journals.ended(since, at=at).items())
                if _hold_number(tx, number, vins, at=at)
            )
            return numbers, _hold_seals(tx, journals.held_seals(since, at=at), at=at)

    def release(self, *, by: str) -> int:
        """Let a restored register issue again; return how many restores were waiting. NotFound if none was."""
        at = self._clock()
        with self._database.write() as tx:
            count = restores.release(tx, by=by, at=at)
            if not count:
                raise NotFound("no restore waits to be released")
            audit.note(tx, "register.released", actor=by, subject="register", at=at, manufacturer_id=None)
            jobs.enqueue(tx, "scrub", {}, at=at)
        return count

    def close_gaps(self, closing: restores.Closing) -> int:
        """
        Take two people's word that everything of a gap is back, and return how many gaps that closed.

        From then on the register's silence counts again. Conflict while a number that the backup held as pending is
        neither brought back nor abandoned, or issuing is not released. NotFound if there is no open gap.
        """
        if closing.by == closing.second:
            raise NotPermitted("a gap is closed by two people")
        if not 10 <= len(closing.reason.strip()) <= 200:
            raise InvalidInput("reason", "say in 10 to 200 characters how it is known that nothing is missing")
        at = self._clock()
        with self._database.write() as tx:
            actors = [parties.person_of(tx, person).id for person in (closing.by, closing.second)]
            restored_at = restores.newest(tx)
            if restored_at is None:
                raise NotFound("no gap is open")
            if left := confirmations.pending(tx, scope=_ALL, before=restored_at):
                raise Conflict(f"pending since before the restore: {', '.join(left)}; bring back or abandon each")
            if restores.is_held(tx):
                raise Conflict("issuing is not released yet: `signer db release` first")
            count = restores.close(tx, closing, at=at)
            for actor in actors:
                scope = {"actor": actor, "subject": "register", "reason": closing.reason}
                audit.note(tx, "register.gap-closed", at=at, manufacturer_id=None, **scope)
        return count

    def scrub(self, tell: Callable[[str], None] = jobs.unheard) -> Scrubbed:
        """
        Read every sealed file and compare its digest; name what is damaged, missing, or belongs to no record.

        `tell` hears now and then how far it is.
        """
        with self._database.read() as tx:
            recorded = dict((*lookup.file_digests(tx, scope=_ALL), *official.digests(tx)))
        damaged, missing = [], []
        for place, (digest, number) in enumerate(recorded.items()):
            if place % _TOLD_EVERY == 0:
                tell(f"{place} of {len(recorded)} files read")
            try:
                self._blobs.get(digest)
            except NotFound:
                missing.append(number)
            except StorageUnavailable:
                damaged.append(number)
        orphans = sorted(digest.hex() for digest in self._blobs.digests() if digest not in recorded)
        return Scrubbed(
            sound=len(recorded) - len(damaged) - len(missing),
            damaged=tuple(damaged),
            missing=tuple(missing),
            orphans=tuple(orphans),
        )


def _hold_number(tx: Transaction, number: Number, vins: frozenset[str], *, at: datetime) -> bool:
    """Suspend a number if one of some vehicles is in force under it; tell whether."""
    record = lookup.by_number(tx, number, scope=_ALL, at=at)
    if record is None or not any(line.vin in vins and line.standing in _HELD for line in record.lines):
        return False
    tenant = parties.tenant(tx, record.whole.terms.manufacturer.uscc)
    endings.suspend(tx, number, scope=tenant.scope, by="journal", until=None, at=at)
    scope = {"actor": "journal", "subject": number, "reason": "ended or held after the backup"}
    audit.note(tx, "confirmation.suspended", at=at, manufacturer_id=tenant.id, **scope)
    return True


def _hold_seals(tx: Transaction, wanted: frozenset[str], *, at: datetime) -> tuple[str, ...]:
    """Suspend those of some seals that are active, and return them."""
    found = [
        (tenant.id, seal.certificate_digest)
        for tenant in parties.tenants(tx)
        for seal in parties.seals_of(tx, scope=tenant.scope, at=at)
        if seal.certificate_digest in wanted and seal.state is SealState.ACTIVE
    ]
    for manufacturer_id, digest in found:
        endings.suspend_seal(tx, digest, scope=Scope.of(manufacturer_id), until=None, at=at)
        scope = {"actor": "journal", "subject": digest[:16], "reason": "held after the backup"}
        audit.note(tx, "seal.suspended", at=at, manufacturer_id=manufacturer_id, **scope)
    return tuple(digest for _, digest in found)


def _digest(path: Path) -> bytes:
    with path.open("rb") as data:
        return hashlib.file_digest(data, "sha256").digest()
