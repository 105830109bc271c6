"""
What ended or was held, written down a second time: a file outside the database, that a restored backup can be held to.

One JSON object a line, each with the SHA-256 of the line before it; only ever added to, under a lock, and synced before
the transaction commits. A line may therefore tell of what did not commit after all, but never lack what did.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from pydantic import ValidationError

from signer.domain.number import Number
from signer.domain.values import Frozen, Instant
from signer.errors import StorageUnavailable

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime
    from pathlib import Path

_LONGEST_LINE = 1 << 16
_BEGINNING = "0" * 64


class Entry(Frozen):
    """
    What became of some VINs of a number (none: of a seal, by its certificate's SHA-256).

    `until` is when a suspension ends by itself; `issued` is what a lifted one leads back to.
    """

    at: Instant
    number: Number | None = None
    seal: str | None = None
    vins: tuple[str, ...] = ()
    standing: Literal["withdrawn", "superseded", "suspended", "issued"]
    until: Instant | None = None
    previous: str = _BEGINNING


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """What a journal holds; `damaged` counts lines that are not whole, or do not follow the one before."""

    entries: tuple[Entry, ...]
    damaged: int


class Journal:
    """The journal of one host."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def add(self, entry: Entry) -> None:
        """Add a line and sync it; to be called last in a transaction that writes. Raises StorageUnavailable."""
        try:
            descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
            with os.fdopen(descriptor, "rb+", buffering=0) as file:
                fcntl.flock(file, fcntl.LOCK_EX)
                size = file.seek(0, os.SEEK_END)
                file.seek(max(0, size - _LONGEST_LINE))
                kept = file.read()
                torn = b"" if kept.endswith(b"\n") or not kept else b"\n"
                last = (kept + torn).splitlines()[-1] if kept else None
                previous = _BEGINNING if last is None else hashlib.sha256(last).hexdigest()
                line = entry.model_copy(update={"previous": previous}).model_dump_json(exclude_none=True)
                file.write(torn + line.encode() + b"\n")
                os.fsync(file.fileno())
        except OSError as error:
            raise StorageUnavailable(f"{self._path} cannot be written: {error.strerror}") from error

    def read(self) -> Read:
        """Read every line that is whole, whatever became of the others; nothing if there is no journal."""
        try:
            lines = self._path.read_bytes().splitlines()
        except FileNotFoundError:
            return Read(entries=(), damaged=0)
        except OSError as error:
            raise StorageUnavailable(f"{self._path} cannot be read: {error.strerror}") from error
        entries, damaged, previous = [], 0, _BEGINNING
        for line in lines:
            try:
                entry = Entry.model_validate_json(line)
            except ValidationError:
                damaged += 1
            else:
                entries.append(entry)
                damaged += entry.previous != previous
            previous = hashlib.sha256(line).hexdigest()
        return Read(entries=tuple(entries), damaged=damaged)


def ended(entries: Iterable[Entry], *, at: datetime) -> dict[Number, frozenset[str]]:
    """Return the numbers of which some VINs were not in force any more after the last of these entries, and which."""
    left: dict[Number, dict[str, Entry]] = {}
    for entry in entries:
        if entry.number is not None:
            left.setdefault(entry.number, {}).update(dict.fromkeys(entry.vins, entry))
    out = {number: frozenset(vin for vin, entry in last.items() if _is_out(entry, at)) for number, last in left.items()}
    return {number: vins for number, vins in out.items() if vins}


def held_seals(entries: Iterable[Entry], *, at: datetime) -> frozenset[str]:
    """Return the seals that were suspended, and not resumed, by the last of these entries."""
    left = {entry.seal: entry for entry in entries if entry.seal is not None}
    return frozenset(seal for seal, entry in left.items() if _is_out(entry, at))


def _is_out(entry: Entry, at: datetime) -> bool:
    is_over = entry.until is not None and entry.until <= at
    return entry.standing != "issued" and not (entry.standing == "suspended" and is_over)
