"""Deliveries: each event on its way to each webhook, a row each, taken by one process at a time."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Literal

from sqlalchemy import and_, delete, exists, func, or_, select, update

from signer.domain.webhook import PAUSES, EventType, Message, event_id
from signer.errors import Conflict, NotFound
from signer.register import tables, webhook_tables

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime
    from typing import Any

    from sqlalchemy import ColumnElement, Select, Update
    from sqlalchemy.engine import Connection, Row

    from signer.register.scope import Scope

State = Literal["waiting", "delivered", "dead"]
LEASE = timedelta(minutes=2)
"""Who took a delivery and was not heard of for so long has died with it; it may have arrived, and comes once more."""
_hooks, _events, _deliveries = webhook_tables.webhooks, webhook_tables.events, webhook_tables.deliveries
_makers = tables.manufacturers
_MOST_ERROR = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One event on its way to one webhook; `attempts` counts the present one too, `status` is of the last answer."""

    id: int
    webhook_id: int
    webhook_ref: str
    manufacturer_id: int
    url: str
    message: Message
    state: State
    attempts: int
    next_at: datetime
    tried_at: datetime | None
    status: int | None
    error: str | None
    delivered_at: datetime | None


def is_due(tx: Connection, *, scope: Scope, at: datetime, busy: Iterable[int] = ()) -> bool:
    """Tell whether anything is due at webhooks that nobody is at already, with one question that an index answers."""
    wanted = _due(select(_deliveries.c.id), at).where(_deliveries.c.webhook_id.not_in(list(busy)))
    return tx.execute(scope.only(wanted, _deliveries).limit(1)).first() is not None


def take(
    tx: Connection, *, scope: Scope, at: datetime, most: int, busy: Iterable[int] = (), only: int | None = None
) -> tuple[Delivery, ...]:
    """
    Take what is due for a lease: the oldest for each webhook, those first that were tried longest ago.

    `busy` are webhooks (by id) that somebody is at already, `only` the one that is meant.
    """
    wanted = _due(select(_deliveries.c.webhook_id, func.min(_deliveries.c.id).label("first")), at)
    wanted = wanted.where(_deliveries.c.webhook_id.not_in(list(busy)))
    if only is not None:
        wanted = wanted.where(_deliveries.c.webhook_id == only)
    firsts = scope.only(wanted, _deliveries).group_by(_deliveries.c.webhook_id).subquery()
    longest = (_hooks.c.tried_at.is_not(None), _hooks.c.tried_at, _deliveries.c.id)
    rows = tx.execute(_all().join(firsts, firsts.c.first == _deliveries.c.id).order_by(*longest).limit(most)).all()
    ids = [row.id for row in rows]
    taken = {"attempts": _deliveries.c.attempts + 1, "next_at": at + LEASE, "tried_at": at}
    tx.execute(scope.only(update(_deliveries), _deliveries).where(_deliveries.c.id.in_(ids)).values(**taken))
    tried = [row.webhook_id for row in rows]
    tx.execute(scope.only(update(_hooks), _hooks).where(_hooks.c.id.in_(tried)).values(tried_at=at))
    return tuple(_delivery(row, attempts=row.attempts + 1) for row in rows)


def arrived(tx: Connection, found: Delivery, *, status: int, scope: Scope, at: datetime) -> None:
    """Note that a receiver took it."""
    done = {"state": "delivered", "status": status, "error": None, "delivered_at": at}
    tx.execute(_mine(found, scope).values(**done))


def failed(
    tx: Connection, found: Delivery, *, status: int | None, error: str, next_at: datetime | None, scope: Scope
) -> None:
    """Note a failure, and when it is tried again; None: never."""
    told = {"status": status, "error": error[:_MOST_ERROR]}
    when = {"state": "dead"} if next_at is None else {"next_at": next_at}
    tx.execute(_mine(found, scope).values(**told, **when))


def bury(tx: Connection, webhook_id: int, *, error: str, scope: Scope) -> int:
    """Give up everything that waits for a webhook; return how much."""
    waits = and_(_deliveries.c.webhook_id == webhook_id, _deliveries.c.state == "waiting")
    return tx.execute(
        scope.only(update(_deliveries), _deliveries).where(waits).values(state="dead", error=error[:_MOST_ERROR])
    ).rowcount


def shorten(tx: Connection, webhook_id: int, *, most: int, error: str, scope: Scope) -> int:
    """Give up the oldest of what waits for a webhook, beyond so many; return how much."""
    waits = and_(_deliveries.c.webhook_id == webhook_id, _deliveries.c.state == "waiting")
    kept = select(_deliveries.c.id).where(waits).order_by(_deliveries.c.id.desc()).limit(1).offset(most - 1)
    oldest = tx.execute(scope.only(kept, _deliveries)).scalar()
    if oldest is None:
        return 0
    dead = {"state": "dead", "error": error[:_MOST_ERROR]}
    beyond = scope.only(update(_deliveries), _deliveries).where(waits, _deliveries.c.id < oldest)
    return tx.execute(beyond.values(**dead)).rowcount


def get(tx: Connection, delivery_id: int, *, scope: Scope) -> Delivery:
    """Return one delivery. NotFound, also for another manufacturer's."""
    row = tx.execute(scope.only(_all(), _deliveries).where(_deliveries.c.id == delivery_id)).first()
    if row is None:
        raise NotFound(f"no delivery {delivery_id}")
    return _delivery(row)


def history(
    tx: Connection,
    *,
    scope: Scope,
    most: int,
    before: int | None = None,
    webhook_id: int | None = None,
    dead: bool = False,
) -> tuple[Delivery, ...]:
    """Return deliveries, the newest first: of one webhook, only the dead ones, only those before one (by id)."""
    wanted = scope.only(_all(), _deliveries)
    if webhook_id is not None:
        wanted = wanted.where(_deliveries.c.webhook_id == webhook_id)
    if dead:
        wanted = wanted.where(_deliveries.c.state == "dead")
    if before is not None:
        wanted = wanted.where(_deliveries.c.id < before)
    return tuple(map(_delivery, tx.execute(wanted.order_by(_deliveries.c.id.desc()).limit(most))))


def counts(tx: Connection, *, scope: Scope) -> dict[int, dict[str, int]]:
    """Return how many deliveries of each webhook (by id) stand how."""
    mine = select(_deliveries.c.webhook_id, _deliveries.c.state, func.count().label("n")).group_by(
        _deliveries.c.webhook_id, _deliveries.c.state
    )
    found: dict[int, dict[str, int]] = {}
    for row in tx.execute(scope.only(mine, _deliveries)):
        found.setdefault(row.webhook_id, {})[row.state] = row.n
    return found


def is_on_its_way(tx: Connection, webhook_id: int, kind: EventType, *, scope: Scope) -> bool:
    """Tell whether an event of a kind waits for a webhook, or for its next try."""
    mine = select(_deliveries.c.id).join(_events, _events.c.id == _deliveries.c.event_id)
    mine = mine.where(_deliveries.c.webhook_id == webhook_id, _deliveries.c.state == "waiting", _events.c.type == kind)
    return tx.execute(scope.only(mine, _deliveries).limit(1)).first() is not None


def dead_count(tx: Connection, *, scope: Scope) -> int:
    """Return how many deliveries were given up."""
    mine = select(func.count()).select_from(_deliveries).where(_deliveries.c.state == "dead")
    return int(tx.execute(scope.only(mine, _deliveries)).scalar_one())


def replay(tx: Connection, found: Delivery, *, scope: Scope, at: datetime) -> None:
    """Send once more what arrived or was given up, as if it were new. Conflict while it is on its way."""
    mine = scope.only(update(_deliveries), _deliveries).where(
        _deliveries.c.id == found.id, _deliveries.c.state != "waiting"
    )
    again = {"state": "waiting", "attempts": 0, "next_at": at, "delivered_at": None, "error": None, "status": None}
    if not tx.execute(mine.values(**again)).rowcount:
        raise Conflict("this is on its way already")


def prune(tx: Connection, *, scope: Scope, before: datetime) -> int:
    """Forget deliveries of events before an instant, but none that is still on its way; return how many."""
    old = select(_events.c.id).where(_events.c.made_at < before)
    active = select(_hooks.c.id).where(_hooks.c.state == "active")
    is_on_its_way = and_(_deliveries.c.state == "waiting", _deliveries.c.webhook_id.in_(active))
    mine = scope.only(delete(_deliveries), _deliveries)
    forgotten = tx.execute(mine.where(_deliveries.c.event_id.in_(old), ~is_on_its_way)).rowcount
    is_needed = exists(select(_deliveries.c.id).where(_deliveries.c.event_id == _events.c.id))
    tx.execute(scope.only(delete(_events), _events).where(_events.c.made_at < before, ~is_needed))
    return forgotten


def _due(wanted: Select[Any], at: datetime) -> Select[Any]:
    """
    Return only what is due at active webhooks of manufacturers that are not suspended.

    A next try that lies further ahead than any pause was written before the clock was set back: it is due.
    """
    is_time = or_(_deliveries.c.next_at <= at, _deliveries.c.next_at > at + PAUSES[-1] * 2)
    held = select(_makers.c.id).where(_makers.c.suspended_at.is_not(None))
    active = select(_hooks.c.id).where(_hooks.c.state == "active", _hooks.c.manufacturer_id.not_in(held))
    return wanted.where(_deliveries.c.state == "waiting", is_time, _deliveries.c.webhook_id.in_(active))


def _mine(found: Delivery, scope: Scope) -> Update:
    is_same: ColumnElement[bool] = and_(
        _deliveries.c.id == found.id, _deliveries.c.state == "waiting", _deliveries.c.attempts == found.attempts
    )
    return scope.only(update(_deliveries), _deliveries).where(is_same)


def _all() -> Select[Any]:
    own = (_events.c.type, _events.c.data, _events.c.made_at)
    hook = (_hooks.c.ref.label("webhook_ref"), _hooks.c.url)
    wanted = select(_deliveries, *own, *hook, _makers.c.uscc).join(_events, _events.c.id == _deliveries.c.event_id)
    wanted = wanted.join(_hooks, _hooks.c.id == _deliveries.c.webhook_id)
    return wanted.join(_makers, _makers.c.id == _deliveries.c.manufacturer_id)


def _delivery(row: Row[Any], *, attempts: int | None = None) -> Delivery:
    told = {name: getattr(row, name) for name in Delivery.__dataclass_fields__ if name not in ("message", "attempts")}
    message = Message(
        id=event_id(row.event_id, row.made_at),
        kind=EventType(row.type),
        at=row.made_at,
        manufacturer=row.uscc,
        data=json.loads(row.data),
    )
    return Delivery(message=message, attempts=row.attempts if attempts is None else attempts, **told)
