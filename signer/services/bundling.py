"""Make an offline bundle: what the register says as of one moment, signed, whole or since an instant."""

from __future__ import annotations

import hashlib
import os
import secrets
import shutil
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from signer.domain import bundle
from signer.domain.bundle import Counts, Header
from signer.domain.trust import Purpose
from signer.errors import Conflict, InvalidInput, StorageUnavailable
from signer.register import bundling, restores
from signer.register.blobs import sync_folder
from signer.register.scope import Scope
from signer.seal import bundle as signed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime
    from pathlib import Path
    from typing import BinaryIO

    from signer.domain.values import Frozen
    from signer.register.database import Database, Transaction
    from signer.services.service_keys import ServiceKeys
    from signer.services.trust import TrustSource

LASTS = timedelta(days=bundle.LASTS_DAYS)
OVERLAP = timedelta(hours=1)
"""A delta begins so much before its `since`: for what was under way then, and for a clock that was put back."""
_ALL = Scope.everything("a bundle is for verifying anybody's file")


@dataclass(frozen=True, slots=True)
class Made:
    """A bundle that was written: its header, and its size in bytes."""

    header: Header
    size: int


class Bundling:
    """Write offline bundles. Nothing is kept of them here."""

    def __init__(
        self, *, database: Database, trust: TrustSource, keys: ServiceKeys, clock: Callable[[], datetime]
    ) -> None:
        self._database = database
        self._trust = trust
        self._keys = keys
        self._clock = clock

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
            counts = Counts(revocations=len(answers), seals=len(seals), records=len(ids))
            size, sha256 = _spool(out, published, (*answers, *seals), _records(tx, ids, at=at))
            gaps = restores.gaps(tx)
        return Header(
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


def _records(tx: Transaction, ids: bundling.Ids, *, at: datetime) -> Iterator[Frozen]:
    return bundling.records(tx, ids, scope=_ALL, at=at)


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
