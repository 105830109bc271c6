"""Sealed files, content-addressed by SHA-256: written once, synced to the disk, checked at every read."""

from __future__ import annotations

import hashlib
import os
import secrets
from typing import TYPE_CHECKING

from signer.errors import NotFound, StorageUnavailable

if TYPE_CHECKING:
    from pathlib import Path


class DiskBlobs:
    """Blobs in a folder, `ab/abcdef…`; a name appears only when all its bytes are on the disk."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def put(self, data: bytes) -> bytes:
        """Store bytes and return their SHA-256 (32 bytes); StorageUnavailable if the disk is full or read-only."""
        digest = hashlib.sha256(data).digest()
        path = self._path(digest)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            if not path.exists() or path.read_bytes() != data:
                write_whole(path, data)
        except OSError as error:
            raise StorageUnavailable(f"the file cannot be stored: {error.strerror}") from error
        return digest

    def get(self, digest: bytes) -> bytes:
        """Return the bytes of a digest; NotFound if absent, StorageUnavailable if what is there is not them."""
        try:
            data = self._path(digest).read_bytes()
        except FileNotFoundError as error:
            raise NotFound(f"no stored file {digest.hex()[:16]}") from error
        except OSError as error:
            raise StorageUnavailable(f"the file cannot be read: {error.strerror}") from error
        if hashlib.sha256(data).digest() != digest:
            raise StorageUnavailable(f"the stored file {digest.hex()[:16]} is damaged: its digest differs")
        return data

    def _path(self, digest: bytes) -> Path:
        name = digest.hex()
        return self._folder / name[:2] / name


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
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
