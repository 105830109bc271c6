"""
Deliver events to webhooks: each a few seconds after it became true, again and again for three days, at least once.

Threads of their own deliver, a bounded number of them and one for each webhook at a time: who hangs holds up neither
others' deliveries nor any job. What is on its way stands in the register, so a killed process loses nothing.
"""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor, wait
from typing import TYPE_CHECKING, Final

import structlog

from signer.domain.parties import Role
from signer.domain.webhook import pause_after
from signer.errors import SignerError
from signer.outbound import NotReached
from signer.register import audit, deliveries, parties, webhooks
from signer.register.jobs import unheard
from signer.register.scope import Scope
from signer.services import queues
from signer.services.webhooks import about

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Future
    from datetime import datetime

    from signer.identity.vault import Vault
    from signer.outbound import Answer, Client
    from signer.register.database import Database
    from signer.register.deliveries import Delivery
    from signer.services.mailing import Mailing

log = structlog.get_logger()
WIDTH: Final = 16
"""So many deliveries are on their way at once from one process."""
_MOST_IN_A_ROW: Final = 20
_FULL: Final = "the queue is full: newer events wait in its place"
_GONE: Final = 410
_KEEPERS = frozenset({Role.ADMIN})
_ALL = Scope.everything("deliveries are everybody's")


class Delivering:
    """Take what is due, hand it out to threads, and write down what came of it. `below` draws a number below n."""

    def __init__(
        self,
        *,
        database: Database,
        client: Client,
        vault: Callable[[], Vault],
        mailing: Mailing,
        clock: Callable[[], datetime],
        below: Callable[[int], int],
    ) -> None:
        self._database = database
        self._client = client
        self._vault = vault
        self._mailing = mailing
        self._clock = clock
        self._below = below
        self._threads = ThreadPoolExecutor(WIDTH, thread_name_prefix="deliver")
        self._lock = threading.Lock()
        self._busy: dict[int, Future[None]] = {}
        database.at_close(self.finish)

    def hand_out(self, _tell: Callable[[str], None] = unheard) -> str:
        """Hand out what is due, as far as threads are free, and wait for none of it; return how much."""
        with self._lock:
            busy = tuple(self._busy)
        if len(busy) >= WIDTH:
            return "all busy"
        at = self._clock()
        with self._database.read() as tx:
            if not deliveries.is_due(tx, scope=_ALL, at=at, busy=busy):
                return "nothing due"
        with self._database.write() as tx:
            taken = deliveries.take(tx, scope=_ALL, at=at, most=WIDTH - len(busy), busy=busy)
        for delivery in taken:
            self._begin(delivery)
        return f"{len(taken)} handed out"

    def finish(self) -> None:
        """Wait for what is on its way: each ends within seconds."""
        with self._lock:
            waiting = tuple(self._busy.values())
        wait(waiting)

    def _begin(self, delivery: Delivery) -> None:
        with self._lock:
            self._busy[delivery.webhook_id] = self._threads.submit(self._serve, delivery)

    def _end(self, webhook_id: int) -> None:
        with self._lock:
            self._busy.pop(webhook_id, None)

    def _serve(self, first: Delivery) -> None:
        """Deliver one after the other to one webhook, until one fails, none is due, or others should have a turn."""
        try:
            self._serve_in_a_row(first)
        except SignerError as error:  # its lease ends, and it is tried again
            log.warning("webhook.not-noted", delivery=first.id, error=str(error)[:200])
        except Exception:
            log.exception("webhook.crashed", delivery=first.id)
        finally:
            self._end(first.webhook_id)

    def _serve_in_a_row(self, first: Delivery) -> None:
        delivery, left = first, _MOST_IN_A_ROW
        while self._deliver(delivery) and (left := left - 1):
            with self._database.write() as tx:
                found = deliveries.take(tx, scope=_ALL, at=self._clock(), most=1, only=first.webhook_id)
            if not found:
                return
            delivery = found[0]

    def _deliver(self, delivery: Delivery) -> bool:
        """Send one event, and write down what came of it; tell whether it arrived."""
        try:
            answer = self._sent(delivery)
        except (NotReached, SignerError) as error:
            self._failed(delivery, str(error), status=None)
            return False
        if 200 <= answer.status < 300:
            with self._database.write() as tx:
                deliveries.arrived(tx, delivery, status=answer.status, scope=_ALL, at=self._clock())
            return True
        if answer.status == _GONE:
            self._gone(delivery)
        else:
            self._failed(delivery, f"answered {answer.status}", status=answer.status)
        return False

    def _sent(self, delivery: Delivery) -> Answer:
        at = self._clock()
        with self._database.read() as tx:
            kept = webhooks.secrets(tx, delivery.webhook_id, scope=_ALL, at=at)
        vault = self._vault()
        secrets = [vault.unlock(one.locked, about=about(delivery.webhook_ref)) for one in kept]
        message = delivery.message
        return self._client.post(delivery.url, message.body, headers=message.headers(secrets, at=at))

    def _failed(self, delivery: Delivery, error: str, *, status: int | None) -> None:
        pause = pause_after(delivery.attempts, draw=self._below(201))
        next_at = None if pause is None else self._clock() + pause
        told = {"delivery": delivery.id, "attempts": delivery.attempts, "error": error[:200]}
        log.warning("webhook.dead" if next_at is None else "webhook.failed", **told)
        with self._database.write() as tx:
            deliveries.failed(tx, delivery, status=status, error=error, next_at=next_at, scope=_ALL)
            beyond = deliveries.shorten(
                tx, delivery.webhook_id, most=queues.MOST["deliveries"], error=_FULL, scope=_ALL
            )
        if beyond:
            log.warning("webhook.queue-full", webhook=delivery.webhook_ref, given_up=beyond)

    def _gone(self, delivery: Delivery) -> None:
        """Stop: the receiver says that it is gone for good. Its administrators are told by mail."""
        at, told = self._clock(), f"answered {_GONE}: the receiver is gone"
        with self._database.write() as tx:
            deliveries.failed(tx, delivery, status=_GONE, error=told, next_at=None, scope=_ALL)
            tenant = parties.tenant_of(tx, delivery.manufacturer_id)
            found = webhooks.get(tx, delivery.webhook_ref, scope=tenant.scope)
            if found.state == "gone":
                return
            webhooks.change(tx, found, scope=tenant.scope, at=at, state="gone")
            deliveries.bury(tx, found.id, error=told, scope=tenant.scope)
            audit.note(tx, "webhook.gone", actor="signer", subject=found.ref, at=at, manufacturer_id=tenant.id)
            maker = tenant.manufacturer
            path = f"/portal/{maker.uscc}/webhooks/{found.ref}"
            words = {"maker": maker.legal_name, "label": found.label or "—", "url": found.url}
            self._mailing.queue_for(tx, _KEEPERS, "webhook-gone", scope=tenant.scope, path=path, **words)
