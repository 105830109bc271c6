"""Webhooks and their secrets, as the register keeps them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from sqlalchemy import and_, delete, func, insert, or_, select, update

from signer.domain.webhook import EventType
from signer.errors import Conflict, NotFound
from signer.register import webhook_tables

if TYPE_CHECKING:
    from datetime import datetime
    from typing import Any

    from sqlalchemy import ColumnElement
    from sqlalchemy.engine import Connection, Row

    from signer.register.scope import Scope

State = Literal["active", "paused", "gone"]
_hooks, _secrets = webhook_tables.webhooks, webhook_tables.webhook_secrets


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhook:
    """One webhook: where, of what, whether; `version` counts its changes, `label` is the manufacturer's own word."""

    id: int
    ref: str
    manufacturer_id: int
    url: str
    label: str
    events: tuple[EventType, ...]
    state: State
    version: int
    made_by: str
    made_at: datetime
    changed_at: datetime
    tried_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Secret:
    """A secret as it is kept: locked, and until when it is good (None: until another follows)."""

    id: int
    locked: bytes
    made_at: datetime
    ends_at: datetime | None


def add(
    tx: Connection,
    ref: str,
    *,
    url: str,
    label: str,
    events: tuple[EventType, ...],
    by: str,
    scope: Scope,
    at: datetime,
) -> int:
    """Add a webhook, and return its id."""
    told = {"ref": ref, "url": url, "label": label, "events": _joined(events), "state": "active", "version": 1}
    made = {"made_by": by, "made_at": at, "changed_at": at}
    row = insert(_hooks).values(manufacturer_id=scope.owner, **told, **made).returning(_hooks.c.id)
    return int(tx.execute(row).scalar_one())


def get(tx: Connection, ref: str, *, scope: Scope) -> Webhook:
    """Return a webhook. NotFound, also for another manufacturer's."""
    row = tx.execute(scope.only(select(_hooks), _hooks).where(_hooks.c.ref == ref)).first()
    if row is None:
        raise NotFound(f"no webhook {ref!r}")
    return _webhook(row)


def listed(tx: Connection, *, scope: Scope) -> tuple[Webhook, ...]:
    """Return a manufacturer's webhooks, the oldest first."""
    return tuple(map(_webhook, tx.execute(scope.only(select(_hooks), _hooks).order_by(_hooks.c.id))))


def change(tx: Connection, found: Webhook, *, scope: Scope, at: datetime, **to: str) -> None:
    """Change a webhook (`url`, `label`, `events` as text, `state`). Conflict if it is not as it was read."""
    mine = scope.only(update(_hooks), _hooks).where(_hooks.c.id == found.id, _hooks.c.version == found.version)
    if not tx.execute(mine.values(version=found.version + 1, changed_at=at, **to)).rowcount:
        raise Conflict("somebody has changed this webhook meanwhile")


def drop(tx: Connection, found: Webhook, *, scope: Scope) -> None:
    """Forget a webhook, its secrets and what was on its way to it."""
    for table in (webhook_tables.deliveries, _secrets):
        tx.execute(scope.only(delete(table), table).where(table.c.webhook_id == found.id))
    tx.execute(scope.only(delete(_hooks), _hooks).where(_hooks.c.id == found.id))


def add_secret(tx: Connection, webhook_id: int, locked: bytes, *, scope: Scope, at: datetime) -> None:
    """Give a webhook a secret that has no end yet."""
    tx.execute(insert(_secrets).values(webhook_id=webhook_id, manufacturer_id=scope.owner, locked=locked, made_at=at))


def end_secrets(tx: Connection, webhook_id: int, *, scope: Scope, ends_at: datetime) -> None:
    """Let every secret of a webhook end at an instant at the latest."""
    is_longer = or_(_secrets.c.ends_at.is_(None), _secrets.c.ends_at > ends_at)
    mine = scope.only(update(_secrets), _secrets).where(_secrets.c.webhook_id == webhook_id, is_longer)
    tx.execute(mine.values(ends_at=ends_at))


def secrets(tx: Connection, webhook_id: int, *, scope: Scope, at: datetime) -> tuple[Secret, ...]:
    """Return the secrets that are good at an instant, the newest first."""
    mine = scope.only(select(_secrets), _secrets).where(_secrets.c.webhook_id == webhook_id, _is_good(at))
    return tuple(
        Secret(id=row.id, locked=bytes(row.locked), made_at=row.made_at, ends_at=row.ends_at)
        for row in tx.execute(mine.order_by(_secrets.c.id.desc()))
    )


def prune_secrets(tx: Connection, *, scope: Scope, at: datetime) -> int:
    """Forget secrets that have ended."""
    return tx.execute(scope.only(delete(_secrets), _secrets).where(_secrets.c.ends_at <= at)).rowcount


def gone(tx: Connection, *, scope: Scope) -> int:
    """Return how many webhooks stand still because their receiver is gone."""
    mine = select(func.count()).select_from(_hooks).where(_hooks.c.state == "gone")
    return int(tx.execute(scope.only(mine, _hooks)).scalar_one())


def _is_good(at: datetime) -> ColumnElement[bool]:
    return or_(_secrets.c.ends_at.is_(None), and_(_secrets.c.ends_at > at))


def _joined(events: tuple[EventType, ...]) -> str:
    """Return kinds with a blank around each, so that one is found by a pattern."""
    return f" {' '.join(events)} "


def _webhook(row: Row[Any]) -> Webhook:
    told = {name: getattr(row, name) for name in Webhook.__dataclass_fields__ if name != "events"}
    return Webhook(events=tuple(EventType(word) for word in row.events.split()), **told)
