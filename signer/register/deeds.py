"""What machines asked to be done once, by their own keys: whoever asks again is given the first answer."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy import and_, delete, insert, select, update

from signer.errors import KeyRunning
from signer.register.machine_tables import deeds

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from sqlalchemy import ColumnElement
    from sqlalchemy.engine import Connection

LEASE = timedelta(minutes=2)
"""Whoever took a key and was not heard of for so long has died with it."""


@dataclass(frozen=True, slots=True)
class Key:
    """Whose key, for which operation, and its SHA-256."""

    owner: str
    operation: str
    digest: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Deed:
    """What is known under a key; `status` and `body` are None until it was answered, `made` until something exists."""

    payload_digest: bytes
    lease_until: datetime | None
    made: str | None
    status: int | None
    headers: Mapping[str, str]
    body: bytes | None


def find(tx: Connection, key: Key) -> Deed | None:
    """Return what is known under a key, None for nothing."""
    row = tx.execute(select(deeds).where(_is(key))).mappings().first()
    if row is None:
        return None
    return Deed(
        payload_digest=row["payload_digest"],
        lease_until=row["lease_until"],
        made=row["made"],
        status=row["status"],
        headers=json.loads(row["headers"] or "{}"),
        body=row["body"],
    )


def begin(tx: Connection, key: Key, *, payload_digest: bytes, at: datetime) -> datetime:
    """Take a key that is free, and return until when it is held."""
    told = {"owner": key.owner, "operation": key.operation, "key_digest": key.digest}
    tx.execute(insert(deeds).values(**told, payload_digest=payload_digest, begun_at=at, lease_until=at + LEASE))
    return at + LEASE


def take_over(tx: Connection, key: Key, *, at: datetime) -> datetime:
    """Go on with a key whose holder was not heard of any more, and return until when it is held."""
    tx.execute(update(deeds).where(_is(key)).values(lease_until=at + LEASE))
    return at + LEASE


def note(tx: Connection, key: Key, made: str, *, held: datetime) -> None:
    """
    Write down the reference of what is made, in the transaction that makes it.

    `held` is the holder's own lease. KeyRunning if another one took the key over meanwhile: then this makes nothing.
    """
    if not tx.execute(update(deeds).where(_is(key), deeds.c.lease_until == held).values(made=made)).rowcount:
        raise KeyRunning("another one took this key over meanwhile")


def answer(tx: Connection, key: Key, *, held: datetime, status: int, headers: Mapping[str, str], body: bytes) -> None:
    """Keep the answer, to be given again; not that of a holder from whom the key was taken over."""
    told = {"status": status, "headers": json.dumps(dict(headers)), "body": body, "lease_until": None}
    tx.execute(update(deeds).where(_is(key), deeds.c.lease_until == held).values(**told))


def release(tx: Connection, key: Key, held: datetime) -> None:
    """Free one's own key under which nothing was made; where something was, let the next one in at once."""
    mine = and_(_is(key), deeds.c.lease_until == held, deeds.c.status.is_(None))
    tx.execute(delete(deeds).where(mine, deeds.c.made.is_(None)))
    tx.execute(update(deeds).where(mine).values(lease_until=None))


def _is(key: Key) -> ColumnElement[bool]:
    return and_(deeds.c.owner == key.owner, deeds.c.operation == key.operation, deeds.c.key_digest == key.digest)
