"""Webhooks: kept, rotated, tried, and what came of each delivery."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from flask import Response, g
from flask_openapi.models.tag import Tag

from signer.domain.machines import Right
from signer.services.webhooks import Wanted
from signer.web import bodies
from signer.web.machines import gate, matching, paging
from signer.web.machines.describing import PAGED, Doc, Query
from signer.web.machines.webhook_shapes import (
    DeliveryAnswer,
    DeliveryList,
    NewWebhook,
    Rotation,
    WebhookAnswer,
    WebhookEntry,
    WebhookList,
)

if TYPE_CHECKING:
    from signer.domain.machines import Caller
    from signer.register.deliveries import Delivery
    from signer.services.deeds import Doing
    from signer.services.webhooks import Shown, Webhooks
    from signer.web.machines.gate import Gate
    from signer.web.machines.rooms import House

_TAG = Tag(name="webhooks", description="A manufacturer's own systems are told of what happens (Standard Webhooks).")
_PLACE: Final = "/api/v1/webhooks/{}"
_DEAD = Query("state", "Only deliveries that were given up: `dead`.", values=("dead",))
_TWO: Final = ("/webhooks/<ref>/deliveries", "/webhooks/<ref>/deliveries/<delivery>/replays")


def install(gate_: Gate, house: House) -> None:
    """Add the operations."""
    _keeping(gate_, house.services.webhooks)
    _changing(gate_, house.services.webhooks)
    _sending(gate_, house.services.webhooks)


def _keeping(gate_: Gate, webhooks: Webhooks) -> None:
    def told(caller: Caller, ref: str) -> Response:
        body = NewWebhook(**dict(_answer(webhooks.get(caller.uscc, ref))), secret=g.pop("secret", None))
        return matching.told(body, status=201, headers={"Location": _PLACE.format(ref)})

    @gate_.get("/webhooks", Right.WEBHOOKS, doc=Doc(summary="List webhooks", tag=_TAG, gives=WebhookList))
    def list_webhooks(caller: Caller) -> Response:
        return matching.told(WebhookList(items=tuple(map(_answer, webhooks.all(caller.uscc)))))

    @gate_.create(
        "/webhooks",
        Right.WEBHOOKS,
        telling=told,
        told_once="secret",
        doc=Doc(
            summary="Make a webhook",
            text="Its address is https and public, or one that the operator allows.",
            tag=_TAG,
            takes=WebhookEntry,
            gives=NewWebhook,
            status=201,
            problems=("conflict",),
        ),
    )
    def create_webhook(caller: Caller, doing: Doing) -> str:
        entry = bodies.parse(WebhookEntry, gate.body())
        made = webhooks.create(caller.uscc, _wanted(entry), by=caller.by, also=doing.note)
        g.secret = made.secret
        return made.webhook.ref

    @gate_.create(
        "/webhooks/<ref>/secrets",
        Right.WEBHOOKS,
        telling=told,
        told_once="secret",
        doc=Doc(
            summary="Give a webhook another secret",
            text="Meanwhile every message carries a signature by each.",
            tag=_TAG,
            takes=Rotation,
            gives=NewWebhook,
            status=201,
            problems=("conflict",),
        ),
    )
    def rotate_webhook(caller: Caller, doing: Doing, ref: str) -> str:
        wanted = bodies.parse(Rotation, gate.body())
        made = webhooks.rotate(caller.uscc, ref, by=caller.by, is_at_once=wanted.at_once, also=doing.note)
        g.secret = made.secret
        return ref


def _changing(gate_: Gate, webhooks: Webhooks) -> None:
    @gate_.get("/webhooks/<ref>", Right.WEBHOOKS, doc=Doc(summary="Read a webhook", tag=_TAG, gives=WebhookAnswer))
    def get_webhook(caller: Caller, ref: str) -> Response:
        found = webhooks.get(caller.uscc, ref)
        return matching.told(_answer(found), etag=_etag(found))

    @gate_.change(
        "PUT",
        "/webhooks/<ref>",
        Right.WEBHOOKS,
        doc=Doc(
            summary="Change a webhook, pause it, or let it go on",
            tag=_TAG,
            takes=WebhookEntry,
            gives=WebhookAnswer,
            matches=True,
        ),
    )
    def replace_webhook(caller: Caller, ref: str) -> Response:
        entry, found = bodies.parse(WebhookEntry, gate.body()), webhooks.get(caller.uscc, ref)
        matching.refuse_stale(_etag(found))
        version = found.webhook.version
        webhooks.update(caller.uscc, ref, _wanted(entry), by=caller.by, state=entry.state, version=version)
        now = webhooks.get(caller.uscc, ref)
        return matching.told(_answer(now), etag=_etag(now))

    @gate_.change(
        "DELETE",
        "/webhooks/<ref>",
        Right.WEBHOOKS,
        doc=Doc(summary="Forget a webhook, and what was on its way to it", tag=_TAG, status=204, matches=True),
    )
    def delete_webhook(caller: Caller, ref: str) -> Response:
        found = webhooks.get(caller.uscc, ref)
        matching.refuse_stale(_etag(found))
        webhooks.delete(caller.uscc, ref, by=caller.by, version=found.webhook.version)
        return Response(status=204)


def _sending(gate_: Gate, webhooks: Webhooks) -> None:
    def pinged(caller: Caller, made: str) -> Response:
        ref, _, sent = made.partition(" ")
        headers = {"Location": f"{_PLACE.format(ref)}/deliveries"}
        return matching.told(_delivery(webhooks.delivery(caller.uscc, ref, int(sent))), status=201, headers=headers)

    @gate_.create(
        "/webhooks/<ref>/pings",
        Right.WEBHOOKS,
        telling=pinged,
        doc=Doc(
            summary="Send a webhook an event of kind `ping`",
            tag=_TAG,
            gives=DeliveryAnswer,
            status=201,
            problems=("conflict",),
        ),
    )
    def ping_webhook(caller: Caller, doing: Doing, ref: str) -> str:
        return f"{ref} {webhooks.ping(caller.uscc, ref, by=caller.by, also=doing.note).id}"

    @gate_.get(
        _TWO[0],
        Right.WEBHOOKS,
        doc=Doc(summary="List what is sent to a webhook", tag=_TAG, gives=DeliveryList, query=(_DEAD, *PAGED)),
    )
    def list_deliveries(caller: Caller, ref: str) -> Response:
        wanted, is_dead = paging.part(), paging.chosen("state", ("", "dead")) == ("dead",)
        found = webhooks.deliveries(
            caller.uscc, ref, most=wanted.limit + 1, before=wanted.before or None, is_dead=is_dead
        )
        items, cursor = paging.cut(found, wanted, lambda one: str(one.id))
        return matching.told(DeliveryList(items=tuple(map(_delivery, items)), next=cursor), headers=paging.link(cursor))

    @gate_.change(
        "POST",
        _TWO[1],
        Right.WEBHOOKS,
        doc=Doc(
            summary="Send a delivery once more, with its own id",
            tag=_TAG,
            gives=DeliveryAnswer,
            problems=("conflict",),
        ),
    )
    def replay_delivery(caller: Caller, ref: str, delivery: str) -> Response:
        return matching.told(_delivery(webhooks.replay(caller.uscc, ref, _id(delivery), by=caller.by)))


def _id(typed: str) -> int:
    """Return a delivery's id; one that cannot be is nobody's."""
    return int(typed) if typed.isascii() and typed.isdigit() and len(typed) < 16 else 0


def _wanted(entry: WebhookEntry) -> Wanted:
    is_paused = entry.state == "paused"
    return Wanted(url=entry.url, label=entry.label, events=entry.events, is_paused=is_paused)


def _etag(found: Shown) -> str:
    return f"{found.webhook.version}-{found.webhook.state}"


def _answer(found: Shown) -> WebhookAnswer:
    hook = found.webhook
    return WebhookAnswer(
        ref=hook.ref,
        url=hook.url,
        label=hook.label,
        events=hook.events,
        state=hook.state,
        version=hook.version,
        made_at=hook.made_at,
    )


def _delivery(sent: Delivery) -> DeliveryAnswer:
    return DeliveryAnswer(
        id=sent.id,
        message=sent.message.id,
        type=sent.message.kind,
        state=sent.state,
        attempts=sent.attempts,
        next_at=sent.next_at,
        tried_at=sent.tried_at,
        status=sent.status,
        error=sent.error,
        delivered_at=sent.delivered_at,
    )
