"""The history that is only ever added to: the audit, the seal register, notices and log leaves to come."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import insert, select

from signer.register import tables
from signer.register.ready import Ready

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy.engine import Connection

    from signer.register.scope import Scope

_NOTE = Ready(insert(tables.audit).inline())
_SEAL_USE = Ready(insert(tables.seal_uses).inline())
_LEAF = Ready(insert(tables.leaves).inline())
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
    """One event of the audit; `detail` is JSON."""

    at: datetime
    actor: str
    event: str
    subject: str
    detail: str


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


def seal_uses(tx: Connection, *, scope: Scope) -> tuple[SealUse, ...]:
    """Return the seal register of one manufacturer, the oldest first."""
    table = tables.seal_uses
    rows = tx.execute(scope.only(select(table), table).order_by(table.c.id)).mappings()
    return tuple(SealUse(**{name: row[name] for name in SealUse.__dataclass_fields__}) for row in rows)


def entries(tx: Connection, *, scope: Scope) -> tuple[Entry, ...]:
    """Return the audit of one manufacturer, the oldest first."""
    table = tables.audit
    rows = tx.execute(scope.only(select(table), table).order_by(table.c.id)).mappings()
    return tuple(Entry(**{name: row[name] for name in Entry.__dataclass_fields__}) for row in rows)


def queue_leaf(tx: Connection, kind: str, *, confirmation_id: int, digest: bytes, at: datetime) -> None:
    """Queue a leaf for the transparency log, in the transaction that makes it true."""
    _LEAF.execute(tx, {"confirmation_id": confirmation_id, "type": kind, "digest": digest, "queued_at": at})


def queue_notice(tx: Connection, event: str, *, manufacturer_id: int, number: str, at: datetime) -> None:
    """Queue a notice to whoever listens, in the transaction that makes it true."""
    _NOTICE.execute(tx, {"manufacturer_id": manufacturer_id, "event": event, "number": number, "queued_at": at})
