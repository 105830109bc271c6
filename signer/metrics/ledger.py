"""
What one process counted, in memory or in a file that others read while it is written; and what all of them did.

The file: 16 bytes (magic, bytes used), then records: a double, the length of a key (2 bytes), the key, padding to 8.
Doubles are aligned, so that a reader sees the old value or the new one. The owner holds a lock (flock) on its file for
as long as it lives: whoever gathers and gets that lock has found a dead process, and adds its file to `ended.json`.
So counters never fall when a process is replaced, and there are never more files than processes.
"""

from __future__ import annotations

import fcntl
import json
import mmap
import os
import secrets
import struct
import threading
from bisect import bisect_left
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, TypeAlias

import structlog

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from signer.metrics.catalogue import Metric

Series: TypeAlias = tuple[str, ...]
"""A metric's name, its labels' values, and for a histogram the bucket: its upper end, `+Inf`, or `sum`."""

_MAGIC: Final = b"signer.1"
_HEAD: Final = struct.Struct("<8sQ")
_LENGTH: Final = struct.Struct("<H")
CAPACITY: Final = 1 << 18
"""Bytes for some 3,000 series; the file is sparse."""
_ENDED: Final = "ended.json"
_SUFFIX: Final = ".metrics"
log = structlog.get_logger()


@dataclass(slots=True)
class Gathered:
    """What all processes counted: sums over living and ended ones, and gauges of the living, by role and pid."""

    totals: dict[Series, float] = field(default_factory=dict)
    living: dict[tuple[str, int], dict[Series, float]] = field(default_factory=dict)


class Ledger:
    """What this process counts."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._folder: Path | None = None
        self._role, self._file = "process", -1
        self._forget()
        os.register_at_fork(after_in_child=self._begin_child)

    def begin(self, folder: Path, role: str) -> None:
        """Keep what is counted in a file of this folder, which is made when there is something to keep."""
        with self._lock:
            self._close()
            self._folder, self._role = folder, role
            self._forget()

    def end(self) -> None:
        """Let go of the file, and count in memory from now on."""
        with self._lock:
            self._close()
            self._folder = None
            self._forget()

    def add(self, metric: Metric, labels: tuple[str, ...], value: float) -> None:
        """Add to a counter or a gauge, or one duration to a histogram."""
        if len(labels) != len(metric.labels):
            raise ValueError(f"{metric.name} has the labels {metric.labels}, not {labels}")
        with self._lock:
            if self._file < 0 and self._folder is not None:
                self._open(self._folder)
            if metric.kind == "histogram":
                ends = metric.buckets
                place = bisect_left(ends, value)
                self._add((metric.name, *labels, "+Inf" if place == len(ends) else repr(ends[place])), 1)
                self._add((metric.name, *labels, "sum"), value)
            else:
                self._add((metric.name, *labels), value)

    def gather(self) -> Gathered:
        """Add up what all processes of the host counted."""
        found = Gathered()
        with self._lock:
            folder, own = self._folder, _records(bytes(self._data[: self._used]))
            if folder is None or self._file < 0:
                found.living[self._role, os.getpid()] = own
        if folder is not None and folder.is_dir():
            with suppress(OSError), _alone(folder):
                found.totals = _fold(folder, found.living)
        for counted in found.living.values():
            _sum_into(found.totals, counted)
        return found

    def _add(self, series: Series, by: float) -> None:
        place = self._places.get(series)
        if place is None:
            place = self._append(series)
            if place is None:
                return
        self._values[place] += by

    def _append(self, series: Series) -> int | None:
        key = "\t".join(series).encode()
        size = -(-(8 + _LENGTH.size + len(key)) // 8) * 8
        if self._used + size > CAPACITY:
            return None
        _LENGTH.pack_into(self._data, self._used + 8, len(key))
        begin = self._used + 8 + _LENGTH.size
        self._data[begin : begin + len(key)] = key
        place = self._places[series] = self._used // 8
        self._used += size
        struct.pack_into("<Q", self._data, 8, self._used)
        return place

    def _open(self, folder: Path) -> None:
        """Begin this process's file; where it cannot be, counting goes on in memory, and nothing else suffers."""
        name = f"{self._role}-{os.getpid()}-{secrets.token_hex(4)}"  # two containers may have the same process id
        hidden = folder / f".{name}"
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            file = os.open(hidden, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            os.ftruncate(file, CAPACITY)
            hidden.rename(folder / f"{name}{_SUFFIX}")
        except OSError as error:
            log.warning("metrics.not-kept", folder=str(folder), error=error.strerror)
            self._folder = None
            return
        self._file = file
        self._use(mmap.mmap(file, CAPACITY))

    def _use(self, data: mmap.mmap | bytearray) -> None:
        self._data, self._used = memoryview(data), _HEAD.size
        self._values = self._data.cast("d")
        self._places: dict[Series, int] = {}
        _HEAD.pack_into(self._data, 0, _MAGIC, self._used)

    def _forget(self) -> None:
        self._use(bytearray(CAPACITY))

    def _close(self) -> None:
        if self._file >= 0:
            os.close(self._file)  # and with it the lock
            self._file = -1

    def _begin_child(self) -> None:
        """Count anew in a forked child: the file, and its lock, are its parent's."""
        self._lock = threading.Lock()
        self._close()
        self._folder = None
        self._forget()


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Be the only one that moves files about in this folder."""
    file = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
    finally:
        os.close(file)


def _fold(folder: Path, living: dict[tuple[str, int], dict[Series, float]]) -> dict[Series, float]:
    """Return what ended processes counted, those included that ended since; note what the living ones did."""
    ended, dead = _ended(folder), []
    for path in sorted(folder.glob(f"*{_SUFFIX}")):
        role, pid, _ = path.stem.split("-")
        file = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        try:
            counted = _records(os.pread(file, CAPACITY, 0))
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            _sum_into(living.setdefault((role, int(pid)), {}), counted)
        else:
            _sum_into(ended, counted)
            dead.append(path)
        finally:
            os.close(file)
    if dead:
        _write_ended(folder, ended)
        for path in dead:
            path.unlink()
    return ended


def _ended(folder: Path) -> dict[Series, float]:
    try:
        kept = json.loads((folder / _ENDED).read_bytes())
        return {tuple(key.split("\t")): float(value) for key, value in kept.items()}
    except (FileNotFoundError, ValueError, AttributeError):
        return {}


def _write_ended(folder: Path, ended: dict[Series, float]) -> None:
    hidden = folder / f".{_ENDED}"
    hidden.write_text(json.dumps({"\t".join(series): value for series, value in ended.items()}), encoding="utf-8")
    hidden.chmod(0o600)
    hidden.rename(folder / _ENDED)


def _records(data: bytes) -> dict[Series, float]:
    """Read one process's file; nothing of one that is none, or not begun."""
    found: dict[Series, float] = {}
    if len(data) < _HEAD.size or not data.startswith(_MAGIC):
        return found
    place, used = _HEAD.size, min(_HEAD.unpack_from(data)[1], len(data))
    while place + 8 + _LENGTH.size <= used:
        (value,) = struct.unpack_from("=d", data, place)
        (length,) = _LENGTH.unpack_from(data, place + 8)
        begin = place + 8 + _LENGTH.size
        found[tuple(data[begin : begin + length].decode().split("\t"))] = value
        place += -(-(8 + _LENGTH.size + length) // 8) * 8
    return found


def _sum_into(totals: dict[Series, float], counted: dict[Series, float]) -> None:
    for series, value in counted.items():
        totals[series] = totals.get(series, 0) + value
