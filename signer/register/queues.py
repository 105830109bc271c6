"""How much waits in each queue of a deployment, and since when: for whoever watches it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from sqlalchemy import func, select

from signer.domain.batch import BatchState
from signer.register import mails, tables
from signer.register.batch_tables import batches
from signer.register.log_tables import log_queue
from signer.register.webhook_tables import deliveries, events

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from sqlalchemy import Select
    from sqlalchemy.engine import Connection

    from signer.register.scope import Scope


@dataclass(frozen=True, slots=True, kw_only=True)
class Queue:
    """One queue: its name, how many wait, and since when the oldest does."""

    name: str
    length: int
    since: datetime | None


def lengths(tx: Connection, *, scope: Scope, at: datetime) -> Iterator[Queue]:
    """Return every queue: jobs that are due, mail, webhooks, log, pending numbers, items of batches."""
    jobs, heads = tables.jobs, tables.confirmations
    due = jobs.c.state == "waiting", jobs.c.next_at <= at
    yield _queue("jobs", tx.execute(select(func.count(), func.min(jobs.c.next_at)).where(*due)).one())
    mail = mails.waiting(tx)
    yield Queue(name="mail", length=mail.waiting, since=mail.since)
    sent = select(func.count(), func.min(events.c.made_at)).join_from(deliveries, events)
    waiting = cast("Select[Any]", sent.where(deliveries.c.state == "waiting"))
    yield _queue("webhooks", tx.execute(scope.only(waiting, deliveries)).one())
    yield _queue("log", tx.execute(select(func.count(), func.min(log_queue.c.queued_at))).one())
    pending = cast("Select[Any]", select(func.count(), func.min(heads.c.reserved_at)).where(tables.IS_PENDING))
    yield _queue("pending", tx.execute(scope.only(pending, heads)).one())
    left = func.coalesce(func.sum(batches.c["items"] - batches.c.done - batches.c.failed), 0)
    running = cast(
        "Select[Any]", select(left, func.min(batches.c.decided_at)).where(batches.c.state == BatchState.RUNNING)
    )
    yield _queue("batches", tx.execute(scope.only(running, batches)).one())


def _queue(name: str, found: tuple[int, datetime | None]) -> Queue:
    length, since = found
    return Queue(name=name, length=int(length), since=since)
