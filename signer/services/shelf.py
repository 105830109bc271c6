"""Imported bundles of one or several issuers, side by side: each under its own pinned root, none ever older again."""

from __future__ import annotations

import sqlite3
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

from signer.domain import bundle, succession
from signer.errors import BundleRefused, InvalidInput, StorageUnavailable
from signer.register import bundles
from signer.register.bundles import Incoming, KeptBundle
from signer.seal import bundle as signed
from signer.seal import roots
from signer.seal import trust as lists

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from pathlib import Path
    from typing import BinaryIO, Literal

    from signer.domain.bundle import Header
    from signer.domain.trust import TrustList
    from signer.seal.bundle import Believed, Head
    from signer.seal.roots import Memory
    from signer.seal.trust import RootKey


@dataclass(frozen=True, slots=True, eq=False)
class Issuer:
    """What one issuer's register said, ready to be asked, and its trust list."""

    kept: KeptBundle
    trust: TrustList

    @property
    def header(self) -> Header:
        """Whose it is, and of when."""
        return self.kept.header


@dataclass(frozen=True, slots=True)
class Taken:
    """A bundle that was imported, and how many records came with it."""

    header: Header
    records: int


@dataclass(frozen=True, slots=True)
class _Place:
    path: Path
    memory: Memory


class Shelf:
    """A folder of imported bundles, one file for each pinned root."""

    def __init__(self, folder: Path, *, mode: Literal["test", "production"], clock: Callable[[], datetime]) -> None:
        self._folder = folder
        self._mode = mode
        self._clock = clock
        self._open: dict[Path, tuple[tuple[int, int, int], Issuer]] = {}
        self._lock = threading.Lock()

    def issuers(self) -> tuple[Issuer, ...]:
        """Return every issuer as it was imported last. Raises StorageUnavailable for a damaged file."""
        paths = sorted(self._folder.glob(f"*{bundles.SUFFIX}"))
        with self._lock:
            self._open = {path: self._opened(path) for path in paths}
            return tuple(issuer for _, issuer in self._open.values())

    def _opened(self, path: Path) -> tuple[tuple[int, int, int], Issuer]:
        stat = path.stat()
        version = (stat.st_ino, stat.st_mtime_ns, stat.st_size)
        held = self._open.get(path)
        if held is not None and held[0] == version:
            return held
        kept = KeptBundle(path)
        return version, Issuer(kept, lists.payload_of(kept.trust))

    def take(self, source: BinaryIO, *, pinned: tuple[RootKey, ...]) -> Taken:
        """
        Import a bundle or a delta, whole or not at all.

        Its trust list must be signed by a pinned root, or by the root of an issuer that is kept already. Raises
        BundleRefused with the reason, StorageUnavailable.
        """
        try:
            with bundles.locked(self._folder):
                head = signed.read_head(source)
                return self._taken(source, head, self._place(head, pinned))
        except (OSError, sqlite3.Error) as error:
            raise StorageUnavailable(f"the bundle cannot be stored: {error}") from error

    def _place(self, head: Head, pinned: tuple[RootKey, ...]) -> _Place:
        """Find whose bundle it is by the root that its list names; only then is anything verified."""
        kid = head.root_kid
        for root in pinned:
            path = self._folder / f"{root.digest[:16]}{bundles.SUFFIX}"
            memory = _remembered(path, root) if path.exists() else roots.Memory(root=root)
            if _answers_to(memory, kid):
                return _Place(path, memory)
        for path in sorted(self._folder.glob(f"*{bundles.SUFFIX}")):
            memory = _remembered(path, None)
            if _answers_to(memory, kid):
                return _Place(path, memory)
        raise BundleRefused(f"its trust list is signed by the root {kid[:16]!r}, which is not pinned here")

    def _taken(self, source: BinaryIO, head: Head, place: _Place) -> Taken:
        believed = signed.believe(head, place.memory, at=self._clock())
        header = believed.header
        if header.test is not (self._mode == "test"):
            kind = "a TEST bundle" if header.test else "a bundle that is not for TEST"
            raise BundleRefused(f"{kind} does not serve a verifier in {self._mode} mode (SIGNER_MODE)")
        self._refuse_unfit(place.path, believed)
        about = {"header": head.header, "trust": head.trust, "memory": roots.dump(believed.memory)}
        incoming = Incoming(place.path, over=place.path if header.since is not None else None)
        try:
            count = incoming.fill(signed.entries(source, head, header), about=about)
            incoming.finish()
        finally:
            incoming.abandon()
        return Taken(header, count)

    def _refuse_unfit(self, path: Path, believed: Believed) -> None:
        """Refuse what may not follow upon what is kept: an older bundle, a gap before a delta, a weaker list."""
        if not path.exists():
            bundle.refuse_following(None, believed.header)
            return
        kept = KeptBundle(path)
        try:
            bundle.refuse_following(kept.header, believed.header)
            older = lists.payload_of(kept.trust)
            if believed.trust.sequence > older.sequence:
                succession.refuse_weaker(older, believed.trust)
            if believed.trust.sequence == older.sequence + 1:
                succession.refuse_gap(older, believed.trust, older_digest=lists.digest(kept.trust))
        except InvalidInput as error:
            raise error if isinstance(error, BundleRefused) else BundleRefused(f"its trust list: {error}") from error
        finally:
            kept.close()


def _remembered(path: Path, root: RootKey | None) -> Memory:
    """Return what was seen of an issuer's lists; a root that the operator pins now is his own word."""
    kept = KeptBundle(path)
    try:
        memory = roots.recall(kept.memory)
    finally:
        kept.close()
    return memory if root is None else roots.pinned(memory, root)


def _answers_to(memory: Memory, kid: str) -> bool:
    return kid == memory.root.kid or (memory.announced is not None and kid == memory.announced.kid)
