"""Sealed files, content-addressed by SHA-256: written once, synced to the disk, checked at every read."""

from __future__ import annotations

import hashlib
import os
import secrets
from typing import TYPE_CHECKING, Protocol
from urllib.parse import urlsplit

from sqlalchemy import insert, select

from signer.errors import Misconfigured, NotFound, StorageUnavailable
from signer.register import tables

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from signer.register.database import Database


class Blobs(Protocol):
    """Where sealed files are: on the disk, in the database, or in an object store (`objects`)."""

    def put(self, data: bytes) -> bytes:
        """Store bytes and return their SHA-256 (32 bytes); StorageUnavailable if that fails."""

    def get(self, digest: bytes) -> bytes:
        """Return the bytes of a digest; NotFound if absent, StorageUnavailable if what is there is not them."""

    def digests(self) -> Iterator[bytes]:
        """Name everything that is stored, in no order."""


def checked(data: bytes, digest: bytes) -> bytes:
    """Return the bytes if they are those of the digest; StorageUnavailable otherwise."""
    if hashlib.sha256(data).digest() != digest:
        raise StorageUnavailable(f"the stored file {digest.hex()[:16]} is damaged: its digest differs")
    return data


def digest_of(name: str) -> bytes | None:
    """Return the digest that a stored name is, or None for any other name."""
    try:
        digest = bytes.fromhex(name)
    except ValueError:
        return None
    return digest if len(digest) == hashlib.sha256().digest_size else None


class DiskBlobs:
    """Blobs in a folder, `ab/abcdef…`; a name appears only when all its bytes are on the disk."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @property
    def folder(self) -> Path:
        """Where they lie."""
        return self._folder

    def put(self, data: bytes) -> bytes:
        """Store bytes and return their SHA-256 (32 bytes); StorageUnavailable if the disk is full or read-only."""
        digest = hashlib.sha256(data).digest()
        path = self._path(digest)
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            path.parent.mkdir(mode=0o700, exist_ok=True)
            if not path.exists() or path.read_bytes() != data:
                write_whole(path, data)
        except OSError as error:
            raise StorageUnavailable(f"the file cannot be stored: {error.strerror}") from error
        return digest

    def get(self, digest: bytes) -> bytes:
        """Return the bytes of a digest; NotFound if absent, StorageUnavailable if what is there is not them."""
        try:
            return checked(self._path(digest).read_bytes(), digest)
        except FileNotFoundError as error:
            raise NotFound(f"no stored file {digest.hex()[:16]}") from error
        except OSError as error:
            raise StorageUnavailable(f"the file cannot be read: {error.strerror}") from error

    def digests(self) -> Iterator[bytes]:
        """Name everything that is stored, in no order."""
        for path in self._folder.glob("??/*"):
            if (digest := digest_of(path.name)) is not None:
                yield digest

    def _path(self, digest: bytes) -> Path:
        name = digest.hex()
        return self._folder / name[:2] / name


class DatabaseBlobs:
    """Blobs in the register's own database, which then holds everything: the default on PostgreSQL."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def put(self, data: bytes) -> bytes:
        """Store bytes and return their SHA-256 (32 bytes)."""
        digest, table = hashlib.sha256(data).digest(), tables.blobs
        with self._database.write() as tx:
            found = tx.execute(select(table.c.data).where(table.c.digest == digest)).scalar()
            if found is None:
                tx.execute(insert(table).values(digest=digest, data=data, size=len(data)))
            else:
                checked(bytes(found), digest)
        return digest

    def get(self, digest: bytes) -> bytes:
        """Return the bytes of a digest; NotFound if absent, StorageUnavailable if what is there is not them."""
        table = tables.blobs
        with self._database.read() as tx:
            data = tx.execute(select(table.c.data).where(table.c.digest == digest)).scalar()
        if data is None:
            raise NotFound(f"no stored file {digest.hex()[:16]}")
        return checked(bytes(data), digest)

    def digests(self) -> Iterator[bytes]:
        """Name everything that is stored, in no order."""
        with self._database.read() as tx:
            found = tx.execute(select(tables.blobs.c.digest)).scalars().all()
        yield from map(bytes, found)


def open_blobs(url: str, *, database: Database, folder: Path) -> Blobs:
    """
    Open the store that an address names: `disk:`, `database:`, or an object store's (`s3://bucket/prefix`).

    Empty: the disk beside SQLite, the database on PostgreSQL. Raises Misconfigured.
    """
    scheme = urlsplit(url).scheme if url else {"sqlite": "disk"}.get(database.dialect, "database")
    if scheme == "disk":
        return DiskBlobs(folder)
    if scheme == "database":
        return DatabaseBlobs(database)
    try:
        from signer.register.objects import ObjectBlobs  # noqa: PLC0415 -- an optional driver
    except ModuleNotFoundError as error:
        raise Misconfigured("an object store needs the extra `s3`: install signer[s3]") from error
    return ObjectBlobs(url)


def write_whole(path: Path, data: bytes) -> None:
    """Write a file so that it is there whole or not at all: a sibling, synced, then renamed, then the folder synced."""
    sibling = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        with sibling.open("wb") as out:
            out.write(data)
            out.flush()
            os.fsync(out.fileno())
        sibling.replace(path)
    except OSError:
        sibling.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def sync_folder(path: Path) -> None:
    """Make a folder's new names survive a loss of power."""
    folder = os.open(path, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
