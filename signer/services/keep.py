"""Keep the register from being lost: back it up while it runs, restore it, release it, look through its files."""

from __future__ import annotations

import hashlib
import os
import secrets
import zipfile
from dataclasses import dataclass
from typing import TYPE_CHECKING

from signer.errors import InvalidInput, NotFound, StorageUnavailable
from signer.register import archive, audit, lookup, restores
from signer.register.blobs import sync_folder

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from pathlib import Path

    from signer.domain.number import Number
    from signer.register.archive import Manifest
    from signer.register.blobs import Blobs
    from signer.register.database import Database


@dataclass(frozen=True, slots=True, kw_only=True)
class Scrubbed:
    """What a look through the sealed files found; orphans were stored, but what they were for was never recorded."""

    sound: int
    damaged: tuple[Number, ...]
    missing: tuple[Number, ...]
    orphans: tuple[str, ...]


class Keeping:
    """Back up, restore, release, scrub."""

    def __init__(self, *, database: Database, blobs: Blobs, clock: Callable[[], datetime]) -> None:
        self._database = database
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

    def restore(self, path: Path, *, actor: str) -> Manifest:
        """
        Fill an empty deployment from a backup; what was issued since is a gap, and issuing waits for a release.

        Raises InvalidInput for a damaged backup (nothing was changed then), Conflict for a register that is not empty.
        """
        try:
            with zipfile.ZipFile(path) as opened:
                return self._restore(opened, path, actor)
        except (OSError, zipfile.BadZipFile) as error:
            raise InvalidInput("FILE", f"{path} is no backup of ours: {error}") from error

    def _restore(self, opened: zipfile.ZipFile, path: Path, actor: str) -> Manifest:
        manifest = archive.check(opened)
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
        return manifest

    def release(self, *, by: str) -> int:
        """Let a restored register issue again; return how many restores were waiting. NotFound if none was."""
        at = self._clock()
        with self._database.write() as tx:
            count = restores.release(tx, by=by, at=at)
            if not count:
                raise NotFound("no restore waits to be released")
            audit.note(tx, "register.released", actor=by, subject="register", at=at, manufacturer_id=None)
        return count

    def scrub(self) -> Scrubbed:
        """Read every sealed file and compare its digest; name what is damaged, missing, or belongs to no record."""
        with self._database.read() as tx:
            recorded = dict(lookup.file_digests(tx))
        damaged, missing = [], []
        for digest, number in recorded.items():
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


def _digest(path: Path) -> bytes:
    with path.open("rb") as data:
        return hashlib.file_digest(data, "sha256").digest()
