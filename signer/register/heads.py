"""Where the head of the log is remembered outside the database: what was published last, beyond a backup's reach."""

from __future__ import annotations

import fcntl
import os
from contextlib import contextmanager
from functools import lru_cache
from typing import TYPE_CHECKING

from signer.errors import LogHeld, StorageUnavailable
from signer.register.blobs import write_whole
from signer.transparency import checkpoints, notes
from signer.transparency.notes import NoteRefused

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from signer.transparency.checkpoints import Checkpoint

HEAD = "log-head"
"""The file in the data folder; no backup of the register holds it."""


class Heads:
    """The places where the head is remembered: on several hosts one that all of them see, besides each one's own."""

    def __init__(self, folder: Path, *, further: Path | None) -> None:
        self._places = (*((further,) if further else ()), folder / HEAD)
        self._lock = folder / f".{HEAD}.lock"

    def notes(self) -> tuple[str, ...]:
        """Return the signed notes that there are, the published one last. Raises StorageUnavailable."""
        return tuple(note for path in self._places if (note := _read(path)) is not None)

    def published(self) -> str | None:
        """Return the highest note that is published, None before the first. Raises StorageUnavailable, LogHeld."""
        notes = self.notes()
        return max(zip(self._parsed(notes), notes, strict=True), key=_size)[1] if notes else None

    def is_everywhere(self, note: str) -> bool:
        """Tell whether a note stands in every place. Raises StorageUnavailable."""
        return all(_read(path) == note for path in self._places)

    def checkpoints(self) -> tuple[Checkpoint, ...]:
        """Return what the notes say. Raises LogHeld for one that cannot be read, StorageUnavailable."""
        return self._parsed(self.notes())

    def _parsed(self, found: tuple[str, ...]) -> tuple[Checkpoint, ...]:
        try:
            return tuple(map(_said, found))
        except NoteRefused as error:
            places = " or ".join(map(str, self._places))
            raise LogHeld(
                f"{places} does not hold a head of the log ({error}): type it (`signer log resume`)"
            ) from error

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Publish one after the other, in whatever process. Raises StorageUnavailable."""
        try:
            descriptor = os.open(self._lock, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise StorageUnavailable(f"{self._lock} cannot be opened: {error.strerror}") from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)

    def publish(self, note: str) -> None:
        """Put a signed note in the place of the one before, whole or not at all. Raises StorageUnavailable."""
        for path in self._places:
            try:
                path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                write_whole(path, note.encode())
            except OSError as error:
                raise StorageUnavailable(f"{path} cannot be written: {error.strerror}") from error


@lru_cache(maxsize=8)
def _said(note: str) -> Checkpoint:
    """Read a note once: the same ones stand there until the next is published."""
    return checkpoints.parse(notes.split(note)[0])


def _size(known: tuple[Checkpoint, str]) -> int:
    return known[0].size


def _read(path: Path) -> str | None:
    try:
        return path.read_bytes()[: notes.MOST_BYTES + 1].decode()
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise StorageUnavailable(f"{path} cannot be read: {error}") from error
