"""Webhooks: a manufacturer says where its own systems are told of what happens, and sees what came of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final, Literal

from signer.domain.values import tidy, unprintable
from signer.domain.webhook import CHOICES, SECRET_BYTES, EventType, shown
from signer.errors import ChangedMeanwhile, Conflict, InvalidInput, NotFound
from signer.outbound import AddressRefused
from signer.register import audit, deliveries, events, parties, webhooks
from signer.register.drafts import draw_ref, nothing
from signer.register.scope import Scope

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from signer.identity.vault import Vault
    from signer.outbound import Reach
    from signer.register.database import Database, Transaction
    from signer.register.deliveries import Delivery
    from signer.register.drafts import Also
    from signer.register.webhooks import Webhook

MOST: Final = 10
"""How many webhooks one manufacturer may have."""
MOST_SECRETS: Final = 3
"""How many secrets of one webhook may be good at once."""
OVERLAP: Final = timedelta(hours=24)
"""So long the secret before is good besides a new one, unless it ends at once."""
MOST_PAGE: Final = 100
_MOST_LABEL: Final = 60
_ALL = Scope.everything("operators see what was given up, whosever it is")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What a webhook is to be; every value as it came. `is_paused` counts when it is made."""

    url: str
    label: str
    events: tuple[str, ...]
    is_paused: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """A webhook with the secret that was made for it (`whsec_...`): it is told this once."""

    webhook: Webhook
    secret: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A webhook, how many of its deliveries wait, arrived and were given up, and until when each secret is good."""

    webhook: Webhook
    waiting: int
    delivered: int
    dead: int
    secrets: tuple[tuple[datetime, datetime | None], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Dead:
    """A delivery that was given up, and whose it is, for operators."""

    delivery: Delivery
    maker: str
    uscc: str


def about(ref: str) -> str:
    """Return what a secret is bound to under the web pages' secret."""
    return f"webhook:{ref}"


class Webhooks:
    """
    List, get, create, update, delete, rotate, ping; read deliveries and replay them.

    `maker` is a USCC; whoever calls has made sure that `by` may act for it. `reach` is whom tenants may name.
    """

    def __init__(
        self,
        *,
        database: Database,
        vault: Callable[[], Vault],
        reach: Reach,
        clock: Callable[[], datetime],
        bits: Callable[[int], int],
    ) -> None:
        self._database = database
        self._vault = vault
        self._reach = reach
        self._clock = clock
        self._bits = bits

    def all(self, maker: str) -> tuple[Shown, ...]:
        """Return a manufacturer's webhooks, the oldest first. NotFound."""
        with self._database.read() as tx:
            scope = parties.tenant(tx, maker).scope
            return self._shown(tx, webhooks.listed(tx, scope=scope), scope)

    def get(self, maker: str, ref: str) -> Shown:
        """Return one webhook. NotFound."""
        with self._database.read() as tx:
            scope = parties.tenant(tx, maker).scope
            (found,) = self._shown(tx, (webhooks.get(tx, ref, scope=scope),), scope)
            return found

    def create(self, maker: str, wanted: Wanted, *, by: str, also: Also = nothing) -> Made:
        """Make a webhook, active at once, with a first secret. NotFound, InvalidInput; Conflict for one too many."""
        url, label, kinds = self._url(wanted.url), _label(wanted.label), _kinds(wanted.events)
        ref, at = draw_ref(self._bits), self._clock()
        secret, locked = self._secret(ref)
        with self._database.write() as tx:
            tenant = parties.tenant(tx, maker)
            if len(webhooks.listed(tx, scope=tenant.scope)) >= MOST:
                raise Conflict(f"there are {MOST} webhooks already: delete one first")
            made = webhooks.add(tx, ref, url=url, label=label, events=kinds, by=by, scope=tenant.scope, at=at)
            webhooks.add_secret(tx, made, locked, scope=tenant.scope, at=at)
            if wanted.is_paused:
                webhooks.change(
                    tx, webhooks.get(tx, ref, scope=tenant.scope), scope=tenant.scope, at=at, state="paused"
                )
            _note(tx, "webhook.made", ref, by=by, at=at, owner=tenant.id, url=url, events=" ".join(kinds))
            also(tx, ref)
            return Made(webhook=webhooks.get(tx, ref, scope=tenant.scope), secret=secret)

    def update(
        self,
        maker: str,
        ref: str,
        wanted: Wanted,
        *,
        by: str,
        state: Literal["active", "paused"] | None = None,
        version: int | None = None,
    ) -> Webhook:
        """
        Change where, of what, and whether (`active` also ends `gone`); `version` is the one that was seen.

        While it is paused, events are kept and go out when it is active again. NotFound, InvalidInput, Conflict.
        """
        url, label, kinds = self._url(wanted.url), _label(wanted.label), _kinds(wanted.events)
        at = self._clock()
        with self._database.write() as tx:
            tenant, found = self._found(tx, maker, ref, version)
            to = {"url": url, "label": label, "events": f" {' '.join(kinds)} ", "state": state or found.state}
            webhooks.change(tx, found, scope=tenant.scope, at=at, **to)
            told = {"url": url, "events": " ".join(kinds), "state": state or found.state}
            _note(tx, "webhook.changed", ref, by=by, at=at, owner=tenant.id, **told)
            return webhooks.get(tx, ref, scope=tenant.scope)

    def set_state(
        self, maker: str, ref: str, state: Literal["active", "paused"], *, by: str, version: int | None = None
    ) -> Webhook:
        """Pause a webhook, or let it go on. NotFound, Conflict."""
        at = self._clock()
        with self._database.write() as tx:
            tenant, found = self._found(tx, maker, ref, version)
            webhooks.change(tx, found, scope=tenant.scope, at=at, state=state)
            event = "webhook.paused" if state == "paused" else "webhook.resumed"
            _note(tx, event, ref, by=by, at=at, owner=tenant.id)
            return webhooks.get(tx, ref, scope=tenant.scope)

    def delete(self, maker: str, ref: str, *, by: str, version: int | None = None) -> None:
        """Forget a webhook, its secrets, and what was on its way to it. NotFound, Conflict."""
        at = self._clock()
        with self._database.write() as tx:
            tenant, found = self._found(tx, maker, ref, version)
            webhooks.drop(tx, found, scope=tenant.scope)
            _note(tx, "webhook.deleted", ref, by=by, at=at, owner=tenant.id, url=found.url)

    def rotate(self, maker: str, ref: str, *, by: str, is_at_once: bool = False, also: Also = nothing) -> Made:
        """
        Give a webhook a new secret; those before are good for 24 hours more, or end at once. NotFound.

        Meanwhile every message is signed by each. Conflict if too many are good already.
        """
        at = self._clock()
        secret, locked = self._secret(ref)
        with self._database.write() as tx:
            tenant, found = self._found(tx, maker, ref, None)
            webhooks.end_secrets(tx, found.id, scope=tenant.scope, ends_at=at if is_at_once else at + OVERLAP)
            if len(webhooks.secrets(tx, found.id, scope=tenant.scope, at=at)) >= MOST_SECRETS:
                raise Conflict(f"{MOST_SECRETS} secrets are good already: end them at once, or wait")
            webhooks.add_secret(tx, found.id, locked, scope=tenant.scope, at=at)
            webhooks.change(tx, found, scope=tenant.scope, at=at)
            _note(tx, "webhook.rotated", ref, by=by, at=at, owner=tenant.id, at_once=str(is_at_once).lower())
            also(tx, ref)
            return Made(webhook=webhooks.get(tx, ref, scope=tenant.scope), secret=secret)

    def ping(self, maker: str, ref: str, *, by: str, also: Also = nothing) -> Delivery:
        """
        Send a webhook an event of kind `ping`, to see what comes of it.

        NotFound; Conflict if it is not active, or while a ping is on its way to it.
        """
        at = self._clock()
        with self._database.write() as tx:
            tenant, found = self._found(tx, maker, ref, None)
            if found.state != "active":
                raise Conflict(f"this webhook is {found.state}")
            if deliveries.is_on_its_way(tx, found.id, EventType.PING, scope=tenant.scope):
                raise Conflict("a ping is on its way already")
            sent = events.tell_one(tx, EventType.PING, found.id, manufacturer_id=tenant.id, at=at, webhook=ref)
            _note(tx, "webhook.pinged", ref, by=by, at=at, owner=tenant.id)
            also(tx, f"{ref} {sent}")
            return deliveries.get(tx, sent, scope=tenant.scope)

    def deliveries(
        self, maker: str, ref: str, *, most: int = MOST_PAGE, before: int | None = None, is_dead: bool = False
    ) -> tuple[Delivery, ...]:
        """Return what was, is or will be sent to a webhook, the newest first, before one delivery (by id). NotFound."""
        with self._database.read() as tx:
            scope = parties.tenant(tx, maker).scope
            found = webhooks.get(tx, ref, scope=scope)
            return deliveries.history(tx, scope=scope, most=most, before=before, webhook_id=found.id, dead=is_dead)

    def delivery(self, maker: str, ref: str, delivery: int) -> Delivery:
        """Return one delivery of a webhook. NotFound."""
        with self._database.read() as tx:
            scope = parties.tenant(tx, maker).scope
            found = webhooks.get(tx, ref, scope=scope)
            sent = deliveries.get(tx, delivery, scope=scope)
            if sent.webhook_id != found.id:
                raise NotFound(f"no delivery {delivery} of this webhook")
            return sent

    def replay(self, maker: str, ref: str, delivery: int, *, by: str) -> Delivery:
        """Send a delivery once more, with its own id. NotFound; Conflict while it is on its way, or nobody is there."""
        with self._database.write() as tx:
            tenant, found = self._found(tx, maker, ref, None)
            sent = deliveries.get(tx, delivery, scope=tenant.scope)
            if sent.webhook_id != found.id:
                deliveries.get(tx, 0, scope=tenant.scope)
            return self._replay(tx, sent, tenant.scope, by=by)

    def dead(self, *, most: int = MOST_PAGE, before: int | None = None) -> tuple[Dead, ...]:
        """Return what was given up over all manufacturers, the newest first: for operators."""
        with self._database.read() as tx:
            found = deliveries.history(tx, scope=_ALL, most=most, before=before, dead=True)
            names = {one.manufacturer_id: parties.tenant_of(tx, one.manufacturer_id).manufacturer for one in found}
        return tuple(
            Dead(
                delivery=one,
                maker=names[one.manufacturer_id].legal_name,
                uscc=names[one.manufacturer_id].uscc,
            )
            for one in found
        )

    def replay_dead(self, delivery: int, *, by: str) -> Delivery:
        """Send a delivery of any manufacturer once more: for operators. NotFound, Conflict."""
        with self._database.write() as tx:
            return self._replay(tx, deliveries.get(tx, delivery, scope=_ALL), _ALL, by=by)

    def _replay(self, tx: Transaction, sent: Delivery, scope: Scope, *, by: str) -> Delivery:
        at = self._clock()
        if webhooks.get(tx, sent.webhook_ref, scope=scope).state == "gone":
            raise Conflict("the receiver said that it is gone: resume the webhook first")
        deliveries.replay(tx, sent, scope=scope, at=at)
        told = {"delivery": str(sent.id), "message": sent.message.id}
        _note(tx, "webhook.replayed", sent.webhook_ref, by=by, at=at, owner=sent.manufacturer_id, **told)
        return deliveries.get(tx, sent.id, scope=scope)

    @staticmethod
    def _found(tx: Transaction, maker: str, ref: str, version: int | None) -> tuple[parties.Tenant, Webhook]:
        tenant = parties.tenant(tx, maker)
        found = webhooks.get(tx, ref, scope=tenant.scope)
        if version not in (None, found.version):
            raise ChangedMeanwhile("somebody has changed this webhook meanwhile")
        return tenant, found

    def _shown(self, tx: Transaction, found: tuple[Webhook, ...], scope: Scope) -> tuple[Shown, ...]:
        counts, at = deliveries.counts(tx, scope=scope), self._clock()
        return tuple(
            Shown(
                webhook=one,
                waiting=counts.get(one.id, {}).get("waiting", 0),
                delivered=counts.get(one.id, {}).get("delivered", 0),
                dead=counts.get(one.id, {}).get("dead", 0),
                secrets=tuple(
                    (each.made_at, each.ends_at) for each in webhooks.secrets(tx, one.id, scope=scope, at=at)
                ),
            )
            for one in found
        )

    def _url(self, typed: str) -> str:
        try:
            self._reach.admit(typed.strip())
        except AddressRefused as error:
            raise InvalidInput("url", str(error)) from error
        return typed.strip()

    def _secret(self, ref: str) -> tuple[str, bytes]:
        """Return a new secret as it is handed over, and as it is kept."""
        secret = self._bits(8 * SECRET_BYTES).to_bytes(SECRET_BYTES, "big")
        return shown(secret), self._vault().lock(secret, about=about(ref))


def _label(typed: str) -> str:
    stored = tidy(typed[:400])
    if len(stored) > _MOST_LABEL or unprintable(stored):
        raise InvalidInput("label", f"has at most {_MOST_LABEL} printable characters")
    return stored


def _kinds(typed: tuple[str, ...]) -> tuple[EventType, ...]:
    chosen = tuple(kind for kind in CHOICES if kind.value in typed)
    if not chosen or len(chosen) != len(set(typed)):
        raise InvalidInput("events", f"is one or more of {', '.join(CHOICES)}")
    return chosen


def _note(tx: Transaction, event: str, ref: str, *, by: str, at: datetime, owner: int, **fields: str) -> None:
    audit.note(tx, event, actor=by, subject=ref, at=at, manufacturer_id=owner, **fields)
