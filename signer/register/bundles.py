"""
Imported bundles: one file for each issuer, in which records are found by number and by digest.

A file is made whole beside the one in use and then takes its place; it is never written again. So whoever has one open
goes on reading the moment that it holds.
"""

from __future__ import annotations

import fcntl
import os
import secrets
import shutil
import sqlite3
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from signer.domain import bundle
from signer.domain.bundle import Header, Record, Revocation, SealWord
from signer.errors import BundleRefused, StorageUnavailable
from signer.register.blobs import sync_folder, write_whole

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

Kind = Literal["sealed", "file", "copy"]
Line: TypeAlias = tuple[Revocation | SealWord | Record, bytes]
"""What a line says, and its bytes."""
_KINDS: Final[dict[Kind, int]] = {"sealed": 1, "file": 2, "copy": 3}
SUFFIX: Final = ".bundle.sqlite3"
_FRESH: Final = (
    "PRAGMA journal_mode=OFF",
    "PRAGMA synchronous=OFF",
    "PRAGMA cache_size=-65536",
    "PRAGMA application_id=1936223074",
)
_SCHEMA: Final = (
    "CREATE TABLE about (name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID",
    "CREATE TABLE answers (certificate TEXT PRIMARY KEY, line BLOB NOT NULL) WITHOUT ROWID",
    "CREATE TABLE seals (certificate TEXT PRIMARY KEY, line BLOB NOT NULL) WITHOUT ROWID",
    "CREATE TABLE records (number TEXT PRIMARY KEY, line BLOB NOT NULL) WITHOUT ROWID",
    "CREATE TABLE digests (kind INTEGER NOT NULL, digest BLOB NOT NULL, number TEXT NOT NULL)",
)
_INCOMING: Final = "CREATE TEMP TABLE incoming (kind INTEGER, digest BLOB, number TEXT)"
"""A digest may go from one record to another; so all are taken from the old ones before any is given to the new."""
_SETTLE: Final = ("INSERT INTO digests SELECT * FROM incoming", "DROP TABLE incoming")
_INDEX: Final = "CREATE UNIQUE INDEX IF NOT EXISTS ix_digests ON digests (kind, digest)"
_ABOUT: Final = "INSERT OR REPLACE INTO about VALUES (?, ?)"
_ANSWER: Final = "INSERT INTO answers VALUES (?, ?)"
_SEAL: Final = "INSERT INTO seals VALUES (?, ?)"
_RECORD: Final = "INSERT INTO records VALUES (?, ?)"
_DIGEST: Final = "INSERT INTO incoming VALUES (?, ?, ?)"
_CHUNK: Final = 2000


class KeptBundle:
    """One file of an issuer, open for reading; it stays what it is when a newer one takes its place."""

    def __init__(self, path: Path) -> None:
        try:
            address = f"{path.resolve().as_uri()}?mode=ro&immutable=1"
            self._link = sqlite3.connect(address, uri=True, check_same_thread=False)
            about = dict(self._link.execute("SELECT name, value FROM about").fetchall())
            self.header = bundle.decode(about["header"], Header, place="header")
            self.trust: bytes = about["trust"]
            self.memory: bytes = about["memory"]
        except (sqlite3.Error, KeyError, BundleRefused) as error:
            raise StorageUnavailable(f"{path} is damaged: import the bundle again ({error})") from error
        self._path = path

    def close(self) -> None:
        """Give the file back."""
        self._link.close()

    def record(self, number: str) -> Record | None:
        """Return a record by its number, or None."""
        line = self._value("SELECT line FROM records WHERE number = ?", number)
        return None if line is None else bundle.decode(line, Record, place=number)

    def number_of(self, kind: Kind, digest: str) -> str | None:
        """Return the number under which a digest is filed, or None."""
        wanted = "SELECT CAST(number AS BLOB) FROM digests WHERE kind = ? AND digest = ?"
        found = self._value(wanted, _KINDS[kind], bytes.fromhex(digest))
        return None if found is None else found.decode("ascii")

    def revocations(self, certificate_digests: tuple[str, ...]) -> tuple[Revocation, ...]:
        """Return the answers about certificates, of those that have any."""
        found = (self._value("SELECT line FROM answers WHERE certificate = ?", one) for one in certificate_digests)
        return tuple(bundle.decode(line, Revocation, place="answer") for line in found if line is not None)

    def seal(self, certificate_digest: str) -> SealWord | None:
        """Return what the register says worse of a seal than the list, or None."""
        line = self._value("SELECT line FROM seals WHERE certificate = ?", certificate_digest)
        return None if line is None else bundle.decode(line, SealWord, place="seal")

    def lines(self) -> Iterator[bytes]:
        """Return every line that is kept, as the bundle had it: answers, seals, records, each in its order."""
        for table, key in (("answers", "certificate"), ("seals", "certificate"), ("records", "number")):
            for (line,) in self._link.execute(f"SELECT line FROM {table} ORDER BY {key}"):  # noqa: S608 -- ours
                yield bytes(line)

    def _value(self, query: str, *values: str | int | bytes) -> bytes | None:
        try:
            row = self._link.execute(query, values).fetchone()
        except sqlite3.Error as error:
            raise StorageUnavailable(f"{self._path} cannot be read: {error}") from error
        return None if row is None else bytes(row[0])


class KeptLists:
    """The status lists of an issuer, beside its bundle, as tokens: they stay when a bundle takes another's place."""

    def __init__(self, path: Path) -> None:
        self._folder = path.with_name(path.name.removesuffix(SUFFIX) + ".status")

    def token(self, number: int) -> bytes | None:
        """Return the token that is kept of a list, or None. Raises StorageUnavailable."""
        try:
            return self._path(number).read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise StorageUnavailable(f"{self._path(number)} cannot be read: {error.strerror}") from error

    def put(self, number: int, token: bytes) -> None:
        """Keep a token in the place of an older one, whole or not at all."""
        self._folder.mkdir(mode=0o700, exist_ok=True)
        write_whole(self._path(number), token)

    def _path(self, number: int) -> Path:
        return self._folder / f"{number}.jwt"


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Keep a folder of bundles to oneself while importing."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (folder / ".lock").open("wb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        for lost in folder.glob(f".*{SUFFIX}.*"):
            lost.unlink()  # what an import that was cut off left behind
        yield


class Incoming:
    """
    A file that is being made, of a bundle or of what is kept with a delta laid over it.

    Only `finish` puts it in its place; whatever is raised before leaves what was there.
    """

    def __init__(self, path: Path, *, over: Path | None) -> None:
        self._path = path
        self._work = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
        if over is not None:
            shutil.copyfile(over, self._work)
        self._is_delta = over is not None
        self._link = sqlite3.connect(self._work, isolation_level=None)

    def fill(self, entries: Iterable[Line], *, about: dict[str, bytes]) -> int:
        """Write all lines, in a transaction; return how many records came."""
        for pragma in _FRESH:
            self._link.execute(pragma)
        self._link.execute("BEGIN")
        if self._is_delta:
            self._link.execute("DELETE FROM answers")
            self._link.execute("DELETE FROM seals")
        else:
            for statement in _SCHEMA:
                self._link.execute(statement)
        self._link.execute(_INCOMING)
        try:
            count = self._write(entries)
            self._link.executemany(_ABOUT, about.items())
            for statement in (*_SETTLE, _INDEX):
                self._link.execute(statement)
        except sqlite3.IntegrityError as error:
            raise BundleRefused("a digest is filed under two numbers") from error
        self._link.execute("COMMIT")
        return count

    def _write(self, entries: Iterable[Line]) -> int:
        count = 0
        chunk: list[tuple[Record, bytes]] = []
        for entry, line in entries:
            if isinstance(entry, Record):
                chunk.append((entry, line))
                count += 1
            else:
                statement = _ANSWER if isinstance(entry, Revocation) else _SEAL
                self._link.execute(statement, (entry.certificate_digest, line))
            if len(chunk) == _CHUNK:
                self._add(chunk)
                chunk.clear()
        self._add(chunk)
        return count

    def _add(self, chunk: list[tuple[Record, bytes]]) -> None:
        if self._is_delta:
            self._forget(chunk)
        self._link.executemany(_RECORD, ((record.number, line) for record, line in chunk))
        self._link.executemany(_DIGEST, (row for record, _ in chunk for row in _digests(record)))

    def _forget(self, chunk: list[tuple[Record, bytes]]) -> None:
        for record, _ in chunk:
            row = self._link.execute("SELECT line FROM records WHERE number = ?", (record.number,)).fetchone()
            if row is None:
                continue
            older = bundle.decode(bytes(row[0]), Record, place=record.number)
            gone = ((kind, digest) for kind, digest, _ in _digests(older))
            self._link.executemany("DELETE FROM digests WHERE kind = ? AND digest = ?", gone)
            self._link.execute("DELETE FROM records WHERE number = ?", (record.number,))

    def finish(self) -> None:
        """Put the file in its place, whole."""
        self._link.close()
        with self._work.open("rb") as made:
            os.fsync(made.fileno())
        self._work.replace(self._path)
        sync_folder(self._path.parent)

    def abandon(self) -> None:
        """Leave nothing of it; after `finish` there is nothing to leave."""
        with closing(self._link):
            self._work.unlink(missing_ok=True)


def _digests(record: Record) -> Iterator[tuple[int, bytes, str]]:
    found: tuple[tuple[Kind, tuple[str, ...]], ...] = (
        ("sealed", record.sealed_digests),
        ("file", record.file_digests),
        ("copy", tuple(copy.file_digest for copy in record.copies)),
    )
    for kind, digests in found:
        for digest in digests:
            yield _KINDS[kind], bytes.fromhex(digest), record.number
