"""
Make an offline bundle: what the register says as of one moment, signed, whole or since an instant.

The last whole one is kept in the data folder, and handed out again until it is an hour old.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import shutil
import threading
from dataclasses import dataclass
from datetime import timedelta
from itertools import chain
from typing import TYPE_CHECKING

from signer.domain import bundle
from signer.domain.bundle import Counts, Header, ListWord
from signer.domain.trust import Purpose
from signer.domain.values import format_instant
from signer.errors import Conflict, InvalidInput, StorageUnavailable
from signer.register import audit, bundling, restores, status_lists
from signer.register.blobs import sync_folder
from signer.register.scope import Scope
from signer.seal import bundle as signed
from signer.seal import status_list

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime
    from pathlib import Path
    from typing import BinaryIO

    from signer.domain.trust import TrustList
    from signer.domain.values import Frozen
    from signer.register.database import Database, Transaction
    from signer.services.service_keys import ServiceKeys
    from signer.services.trust import TrustSource

LASTS = timedelta(days=bundle.LASTS_DAYS)
FRESH = timedelta(hours=1)
"""How old the kept bundle may be that is handed out again."""
KEPT = "offline.bundle"
OVERLAP = timedelta(hours=1)
"""A delta begins so much before its `since`: for what was under way then, and for a clock that was put back."""
_ALL = Scope.everything("a bundle is for verifying anybody's file")


@dataclass(frozen=True, slots=True)
class Made:
    """A bundle that was written: its header, and its size in bytes."""

    header: Header
    size: int


@dataclass(frozen=True, slots=True)
class Lent:
    """A bundle that is kept: where, its header, and a word that names it among all others."""

    path: Path
    header: Header
    name: str


class Bundling:
    """Write offline bundles, and keep the last whole one in a folder."""

    def __init__(
        self,
        *,
        database: Database,
        trust: TrustSource,
        keys: ServiceKeys,
        clock: Callable[[], datetime],
        folder: Path,
    ) -> None:
        self._path = folder / KEPT
        self._turn = threading.Lock()
        self._database = database
        self._trust = trust
        self._keys = keys
        self._clock = clock

    def present(self) -> Lent:
        """
        Return the bundle that is kept, a new one if that is an hour old or goes with another trust list.

        One that is fresh costs no more than the reading of its first line. As `make`.
        """
        with self._turn:
            kept = self._kept()
            if kept is None:
                self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                self.make(self._path)
                kept = self._kept()
        if kept is None:
            raise StorageUnavailable(f"{self._path} is not as it was written")
        return kept

    def _kept(self) -> Lent | None:
        at = self._clock()
        try:
            with self._path.open("rb") as source:
                head = signed.read_head(source)
                header = bundle.decode(head.header, Header, place="the header")
        except (OSError, InvalidInput):  # not there, or cut off: it is made again
            return None
        is_fresh = at.replace(microsecond=0) - FRESH < header.complete_until <= at
        if not is_fresh or header.trust_list != self._trust.current(at).sequence:
            return None
        return Lent(self._path, header, _name(head))

    def note_taken(self, lent: Lent, *, by: str) -> None:
        """Tell the audit who took a bundle: it lists every number."""
        at, subject = self._clock(), format_instant(lent.header.complete_until)
        with self._database.write() as tx:
            audit.note(tx, "bundle.taken", actor=by, subject=subject, at=at, manufacturer_id=None)

    def make(self, path: Path, *, since: datetime | None = None, lasts: timedelta = LASTS) -> Made:
        """
        Write a bundle whole or not at all; with `since` a delta.

        Raises KeyUnavailable or Misconfigured before anything is read, InvalidInput, Conflict if the register was
        restored since, StorageUnavailable.
        """
        at = self._clock().replace(microsecond=0)
        if not timedelta() < lasts <= timedelta(days=bundle.MOST_DAYS):
            raise InvalidInput("--days", f"a bundle lasts 1 to {bundle.MOST_DAYS} days")
        if since is not None and since >= at:
            raise InvalidInput("--since", "lies in the future")
        key = self._keys.open(Purpose.BUNDLE)
        body, whole = (path.with_name(f".{path.name}.{secrets.token_hex(4)}") for _ in range(2))
        try:
            with body.open("xb") as out:
                header = self._write_body(out, at=at, since=since, expires=at + lasts)
            with whole.open("xb") as out, body.open("rb") as source:
                out.write(signed.sign(header, key))
                shutil.copyfileobj(source, out)
                out.flush()
                os.fsync(out.fileno())
            whole.replace(path)
            sync_folder(path.parent)
        except OSError as error:
            raise StorageUnavailable(f"{path} cannot be written: {error.strerror}") from error
        finally:
            body.unlink(missing_ok=True)
            whole.unlink(missing_ok=True)
        return Made(header, path.stat().st_size)

    def _write_body(self, out: BinaryIO, *, at: datetime, since: datetime | None, expires: datetime) -> Header:
        trust, published = self._trust.current(at), self._trust.published()
        with self._database.read() as tx:
            changed_since = None if since is None else since - OVERLAP
            if changed_since is not None and bundling.restored_since(tx, changed_since):
                raise Conflict("the register was restored from a backup since then: make a whole bundle")
            answers, seals = bundling.revocations(tx), bundling.seals(tx, scope=_ALL, at=at)
            ids = bundling.ids(tx, scope=_ALL, since=changed_since)
            lists = _lists(tx, trust)
            records = chain(_records(tx, ids, at=at), lists)
            size, sha256 = _spool(out, published, (*answers, *seals), records)
            gaps = restores.gaps(tx)
        counts = Counts(
            revocations=len(answers), seals=len(seals), records=len(ids), status_lists=len(lists) if lists else None
        )
        return Header(
            schema=bundle.WITH_LISTS if lists else bundle.SCHEMA,
            origin=trust.origin,
            test=trust.test,
            complete_until=at,
            since=since,
            expires=expires,
            trust_list=trust.sequence,
            gaps=gaps,
            counts=counts,
            size=size,
            sha256=sha256,
        )


def name_of(source: BinaryIO) -> str:
    """Return the word that names a bundle among all others. Raises BundleRefused."""
    return _name(signed.read_head(source))


def _name(head: signed.Head) -> str:
    """The header names the digest of all that follows, and its time."""
    return hashlib.sha256(head.header).hexdigest()[:32]


def _records(tx: Transaction, ids: bundling.Ids, *, at: datetime) -> Iterator[Frozen]:
    return bundling.records(tx, ids, scope=_ALL, at=at)


def _lists(tx: Transaction, trust: TrustList) -> tuple[ListWord, ...]:
    """Return the newest tokens of the status lists that a verifier with this trust list will believe."""
    found = []
    for number, kept in status_lists.signed(tx)[-bundle.MOST_LISTS :]:
        try:
            status_list.believe(kept.token, trust)
        except InvalidInput:
            continue
        found.append(ListWord(list=number, token=kept.token.decode("ascii")))
    return tuple(found)


def _spool(out: BinaryIO, trust: bytes, first: tuple[Frozen, ...], records: Iterator[Frozen]) -> tuple[int, str]:
    """Write the lines after the signature; return their size and SHA-256."""
    digest, size = hashlib.sha256(), 0

    def put(line: bytes) -> None:
        nonlocal size
        ended = line + b"\n"
        digest.update(ended)
        size += len(ended)
        out.write(ended)

    put(trust)
    for entry in first:
        put(bundle.encode(entry))
    for record in records:
        put(bundle.encode(record))
    return size, digest.hexdigest()
