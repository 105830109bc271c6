"""Imported bundles of one or several issuers, side by side: each under its own pinned root, none ever older again."""

from __future__ import annotations

import sqlite3
import threading
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from signer.domain import bundle, succession
from signer.domain import status_list as plain
from signer.domain.bundle import ListWord
from signer.errors import BundleRefused, InvalidInput, StorageUnavailable, TrustListStale
from signer.register import bundles
from signer.register.bundles import Incoming, KeptBundle, KeptLists
from signer.seal import bundle as signed
from signer.seal import roots, status_list
from signer.seal import trust as lists

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from datetime import datetime
    from pathlib import Path
    from typing import BinaryIO, Literal

    from signer.domain.bundle import Header
    from signer.domain.status_list import Said, StatusList
    from signer.domain.trust import TrustList
    from signer.seal.bundle import Believed as BelievedBundle
    from signer.seal.bundle import Head, Line
    from signer.seal.roots import Memory
    from signer.seal.status_list import Believed
    from signer.seal.trust import RootKey


@dataclass(frozen=True, slots=True, eq=False)
class Issuer:
    """What one issuer's register said, ready to be asked, and its trust list."""

    kept: KeptBundle
    trust: TrustList
    lists: KeptLists

    @property
    def header(self) -> Header:
        """Whose it is, and of when."""
        return self.kept.header

    def status_list(self, number: int) -> StatusList | None:
        """Return the newest status list of a number, if one is kept and its key still vouches for it; else None."""
        token = self.lists.token(number)
        try:
            return None if token is None else status_list.believe(token, self.trust).list
        except InvalidInput:
            return None

    def status_of(self, number: int, index: int, *, code_at: datetime, at: datetime) -> Said:
        """Say what is known of a place of a list, for a code that was made at `code_at`."""
        return plain.status_of(self.status_list(number), index, at, code_at=code_at)


@dataclass(frozen=True, slots=True)
class Taken:
    """A bundle that was imported, and how many records came with it."""

    header: Header
    records: int


@dataclass(frozen=True, slots=True)
class Trusted:
    """A trust list that was believed, and what is kept of its issuer, if anything is."""

    trust: TrustList
    issuer: Issuer | None


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
        return version, Issuer(kept, lists.payload_of(kept.trust), KeptLists(path))

    def take(self, source: BinaryIO, *, pinned: tuple[RootKey, ...]) -> Taken:
        """
        Import a bundle or a delta, whole or not at all.

        Its trust list must be signed by a pinned root, or by the root of an issuer that is kept already. Raises
        BundleRefused with the reason, StorageUnavailable.
        """
        try:
            with bundles.locked(self._folder):
                head = signed.read_head(source)
                return self._taken(source, head, self._place(head.root_kid, pinned))
        except (OSError, sqlite3.Error) as error:
            raise StorageUnavailable(f"the bundle cannot be stored: {error}") from error

    def take_status_list(self, token: bytes) -> Believed:
        """
        Keep a status list that was fetched by itself, of an issuer whose bundle is kept.

        Raises InvalidInput with the reason, StorageUnavailable.
        """
        with bundles.locked(self._folder):
            refused = InvalidInput("status-list", "no offline bundle is here that says whose lists count: import one")
            for issuer in self.issuers():
                try:
                    found = status_list.believe(token, issuer.trust)
                    plain.refuse_following(_recalled(issuer.lists, found.number), found.list)
                except InvalidInput as error:
                    refused = error
                    continue
                issuer.lists.put(found.number, found.token)
                return found
        raise refused

    def believe(self, trust_list: bytes, *, pinned: tuple[RootKey, ...]) -> Trusted:
        """
        Return the trust list to judge by where somebody brings one: by a pinned root, or that of an issuer kept here.

        One that is older than what is kept gives way to that. Nothing is kept of it. Raises BundleRefused.
        """
        try:
            place = self._place(lists.signer_of(trust_list), pinned)
            issuer = self._opened(place.path)[1] if place.path.exists() else None
            brought, _ = roots.believe(trust_list, replace(place.memory, seen=None), at=self._clock())
            if brought.test is not (self._mode == "test"):
                raise BundleRefused(f"its trust list does not serve a verifier in {self._mode} mode (SIGNER_MODE)")
            if issuer is None:
                return Trusted(brought, None)
            if brought.sequence <= issuer.trust.sequence:
                self._refuse_other(trust_list, issuer, brought)
                return Trusted(issuer.trust, issuer)
            succession.refuse_weaker(issuer.trust, brought)
        except (InvalidInput, TrustListStale) as error:
            raise error if isinstance(error, BundleRefused) else BundleRefused(f"its trust list: {error}") from error
        return Trusted(brought, issuer)

    def _refuse_other(self, trust_list: bytes, issuer: Issuer, brought: TrustList) -> None:
        """Refuse another list under the sequence that is kept: one of the two was not published."""
        is_same = lists.digest(trust_list) == lists.digest(issuer.kept.trust)
        if brought.sequence == issuer.trust.sequence and not is_same:
            raise BundleRefused(f"its trust list {brought.sequence} is not the one that is kept under this number")

    def _place(self, kid: str, pinned: tuple[RootKey, ...]) -> _Place:
        """Find whose bundle it is by the root that its list names; only then is anything verified."""
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
        words: list[ListWord] = []
        try:
            count = incoming.fill(_apart(signed.entries(source, head, header), words), about=about)
            kept, newer = KeptLists(place.path), _newer(KeptLists(place.path), words, believed.trust)
            incoming.finish()
            for found in newer:
                kept.put(found.number, found.token)
        finally:
            incoming.abandon()
        return Taken(header, count)

    def _refuse_unfit(self, path: Path, believed: BelievedBundle) -> None:
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


def _apart(entries: Iterable[tuple[Line, bytes]], words: list[ListWord]) -> Iterator[bundles.Line]:
    """Put status lists aside, and hand on the rest."""
    for entry, line in entries:
        if isinstance(entry, ListWord):
            words.append(entry)
        else:
            yield entry, line


def _newer(kept: KeptLists, words: list[ListWord], trust: TrustList) -> tuple[Believed, ...]:
    """Return the lists that are later than those kept. Raises BundleRefused for one that nobody should believe."""
    found = []
    for word in words:
        try:
            believed = status_list.believe(word.token.encode("ascii"), trust)
            if believed.number != word.list:
                raise InvalidInput("list", f"it is list {believed.number}")
            older = _recalled(kept, believed.number)
            if older is None or older.at <= believed.list.at:
                plain.refuse_following(older, believed.list)
                found.append(believed)
        except InvalidInput as error:
            raise BundleRefused(f"status list {word.list}: {error}") from error
    return tuple(found)


def _recalled(kept: KeptLists, number: int) -> StatusList | None:
    token = kept.token(number)
    return None if token is None else status_list.recall(token)


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
