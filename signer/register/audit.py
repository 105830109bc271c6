"""The history that is only ever added to: the audit, the seal register, notices to come."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, insert, or_, select

from signer.register import events, tables
from signer.register.ready import Ready

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Column, Select
    from sqlalchemy.engine import Connection

    from signer.register.scope import Scope

_NOTE = Ready(insert(tables.audit).inline())
_SEAL_USE = Ready(insert(tables.seal_uses).inline())
_NOTICE = Ready(insert(tables.notices).inline())


@dataclass(frozen=True, slots=True, kw_only=True)
class SealUse:
    """One use of a seal (用印登记): who, when, which seal, on what, from where."""

    seal_digest: str
    number: str
    sealed_digest: bytes
    preparer_id: str
    approver_id: str
    origin: str
    used_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One event of the audit; `detail` is JSON, `manufacturer_id` None for what belongs to no manufacturer."""

    at: datetime
    actor: str
    event: str
    subject: str
    detail: str
    manufacturer_id: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sieve:
    """
    What is looked for: from an instant on, before another, a part of what stands there, a seal's digest.

    `actor` and `subject` are whole ids, `event` is one or the first part of several (`seal` for `seal.enrolled`).
    """

    since: datetime | None = None
    until: datetime | None = None
    text: str = ""
    seal: str = ""
    actor: str = ""
    event: str = ""
    subject: str = ""


EVERYTHING = Sieve()


def note(
    tx: Connection, event: str, *, actor: str, subject: str, at: datetime, manufacturer_id: int | None, **fields: str
) -> None:
    """Add an event to the audit: its fields are short and never hold a key, a password or a VIN list."""
    values = {"at": at, "actor": actor, "event": event, "subject": subject, "manufacturer_id": manufacturer_id}
    _NOTE.execute(tx, {"detail": json.dumps(fields, ensure_ascii=False, sort_keys=True), **values})


def last_actor(tx: Connection, event: str, *, subject: str, scope: Scope) -> str | None:
    """Return who caused an event last for a subject, or None."""
    table = tables.audit
    wanted = scope.only(select(table.c.actor), table).where(table.c.event == event, table.c.subject == subject)
    found = tx.execute(wanted.order_by(table.c.id.desc()).limit(1)).scalar()
    return None if found is None else str(found)


def note_seal_use(tx: Connection, use: SealUse, *, manufacturer_id: int) -> None:
    """Add a use of a seal to the seal register."""
    values = {name: getattr(use, name) for name in use.__dataclass_fields__}
    _SEAL_USE.execute(tx, {"manufacturer_id": manufacturer_id, **values})


def seal_uses(
    tx: Connection, *, scope: Scope, sieve: Sieve = EVERYTHING, most: int | None = None, skip: int = 0
) -> tuple[SealUse, ...]:
    """Return the seal register of one manufacturer: whole and the oldest first, or a page of it, the latest first."""
    table = tables.seal_uses
    wanted = scope.only(_sifted(select(table), table.c.used_at, sieve), table)
    if sieve.seal:
        wanted = wanted.where(table.c.seal_digest == sieve.seal)
    if sieve.text:
        places = (table.c.number, table.c.preparer_id, table.c.approver_id, table.c.origin)
        wanted = wanted.where(or_(*(place.contains(sieve.text, autoescape=True) for place in places)))
    rows = tx.execute(_paged(wanted, table.c.id, most, skip)).mappings()
    return tuple(SealUse(**{name: row[name] for name in SealUse.__dataclass_fields__}) for row in rows)


def use_counts(tx: Connection, *, scope: Scope) -> dict[str, int]:
    """Return how often each seal was used, ever."""
    table = tables.seal_uses
    wanted = scope.only(select(table.c.seal_digest, func.count()), table).group_by(table.c.seal_digest)
    return {row[0]: int(row[1]) for row in tx.execute(wanted)}


def entries(
    tx: Connection, *, scope: Scope, sieve: Sieve = EVERYTHING, most: int | None = None, skip: int = 0
) -> tuple[Entry, ...]:
    """Return the audit of a scope: whole and the oldest first, or a page of it, the latest first."""
    table = tables.audit
    wanted = _fitting(scope.only(_sifted(select(table), table.c.at, sieve), table), sieve)
    rows = tx.execute(_paged(wanted, table.c.id, most, skip)).mappings()
    return tuple(Entry(**{name: row[name] for name in Entry.__dataclass_fields__}) for row in rows)


def after(tx: Connection, last: int, *, scope: Scope, sieve: Sieve, most: int) -> tuple[tuple[int, Entry], ...]:
    """Return the entries that follow upon one (its id; 0: from the beginning), each with its id, the oldest first."""
    table = tables.audit
    wanted = _fitting(scope.only(_sifted(select(table), table.c.at, sieve), table), sieve)
    rows = tx.execute(wanted.where(table.c.id > last).order_by(table.c.id).limit(most)).mappings()
    return tuple((int(row["id"]), Entry(**{name: row[name] for name in Entry.__dataclass_fields__})) for row in rows)


def _fitting(wanted: Select[Any], sieve: Sieve) -> Select[Any]:
    table = tables.audit
    if sieve.text:
        places = (table.c.actor, table.c.event, table.c.subject)
        wanted = wanted.where(or_(*(place.contains(sieve.text, autoescape=True) for place in places)))
    if sieve.actor:
        wanted = wanted.where(table.c.actor == sieve.actor)
    if sieve.subject:
        wanted = wanted.where(table.c.subject == sieve.subject)
    if sieve.event:
        below = table.c.event.startswith(f"{sieve.event}.", autoescape=True)
        wanted = wanted.where(or_(table.c.event == sieve.event, below))
    return wanted


def _sifted(wanted: Select[Any], when: Column[datetime], sieve: Sieve) -> Select[Any]:
    if sieve.since is not None:
        wanted = wanted.where(when >= sieve.since)
    return wanted if sieve.until is None else wanted.where(when < sieve.until)


def _paged(wanted: Select[Any], key: Column[int], most: int | None, skip: int) -> Select[Any]:
    return wanted.order_by(key) if most is None else wanted.order_by(key.desc()).limit(most).offset(skip)


def queue_notice(tx: Connection, event: str, *, manufacturer_id: int, number: str, at: datetime) -> None:
    """Queue a notice to whoever listens, in the transaction that makes it true."""
    _NOTICE.execute(tx, {"manufacturer_id": manufacturer_id, "event": event, "number": number, "queued_at": at})
    events.tell(tx, events.OF_NOTICES[event], manufacturer_id=manufacturer_id, at=at, number=number)
